"""A page with a WSGI application: what time it is."""

import html
import time

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The time</title>
<link rel="stylesheet" href="{home}site.css">
<h1>It is <time>{time}</time></h1>
<p>You asked for <code id="path">{path}</code>.</p>
<p><a href="{home}">Back</a></p>
</html>
"""


def text(path):
    """Return what a path says, whose bytes WSGI hands over as characters (PEP 3333)."""
    return path.encode("latin-1").decode("utf-8", "replace")


def application(environ, start_response):
    path = text(environ["SCRIPT_NAME"] + environ["PATH_INFO"])
    home = text(environ["SCRIPT_NAME"].rpartition("/")[0]) + "/"  # whatever path the folder is served at
    page = PAGE.format(time=time.strftime("%H:%M:%S"), path=html.escape(path), home=html.escape(home)).encode("utf-8")
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(page)))])
    return [page]

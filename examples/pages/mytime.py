"""A page with a WSGI application: what time it is."""

import html
import time

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The time</title>
<link rel="stylesheet" href="/site.css">
<h1>It is <time>{time}</time></h1>
<p>You asked for <code id="path">{path}</code>.</p>
<p><a href="/">Back</a></p>
</html>
"""


def application(environ, start_response):
    # PATH_INFO holds the bytes of the path as characters (PEP 3333).
    path = (environ["SCRIPT_NAME"] + environ["PATH_INFO"]).encode("latin-1").decode("utf-8", "replace")
    page = PAGE.format(time=time.strftime("%H:%M:%S"), path=html.escape(path)).encode("utf-8")
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(page)))])
    return [page]

"""A small site, made with the framework in tiny.py."""

import os
import time
from html import escape
from urllib.parse import parse_qs

from tiny import Framework

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="static/site.css">
<h1>{title}</h1>
{text}
</html>
"""


def index(environ):
    """The first page."""
    text = """<ul>
<li><a href="hello?name=Ada">Hello</a>
<li><a href="time">What time is it?</a>
<li><a href="static/">Pages in GBK</a>
</ul>"""
    return PAGE.format(title="A tiny framework", text=text)


def hello(environ):
    """Greet by the name in the query."""
    name = parse_qs(environ.get("QUERY_STRING", "")).get("name", ["world"])[0]
    return PAGE.format(title="Hello, {}!".format(escape(name)), text="")


def clock(environ):
    """Tell the time."""
    now = time.strftime("%H:%M:%S", time.gmtime())
    return PAGE.format(title="Time", text="<p><time>{}</time> UTC</p>".format(now))


application = Framework(
    [("/", index), ("/hello", hello), ("/time", clock)],
    static_dir=os.path.join(os.path.dirname(os.path.abspath(__file__)), "html"),
)

"""A WSGI application without a framework: it shows what it was asked."""

from html import escape
from urllib.parse import parse_qsl

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mirror</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }}
dt {{ font-size: .875rem; color: GrayText }}
dd {{ margin: 0 0 .6rem; overflow-wrap: anywhere }}
</style>
<h1>{method} {path}</h1>
<form method="post"><input name="word" aria-label="Word"> <button>Send</button></form>
<dl>{rows}</dl>
</html>
"""

#: Longer forms than this are none of ours, in bytes.
MAX_FORM = 64 * 1024


def application(environ, start_response):
    if int(environ.get("CONTENT_LENGTH") or 0) > MAX_FORM:
        start_response("413 Content Too Large", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return []
    rows = parse_qsl(environ.get("QUERY_STRING", ""))
    if environ["REQUEST_METHOD"] == "POST":
        form = environ["wsgi.input"].read(MAX_FORM).decode("utf-8", "replace")
        rows += parse_qsl(form)
    rows += sorted((k[5:].replace("_", "-").title(), v) for k, v in environ.items() if k.startswith("HTTP_"))
    page = PAGE.format(
        method=escape(environ["REQUEST_METHOD"]),
        # PEP 3333 hands the path's bytes over as latin-1.
        path=escape(environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")),
        rows="".join(f"<dt>{escape(k)}<dd>{escape(v)}" for k, v in rows),
    ).encode()
    start_response(
        "200 OK",
        [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(page)))],
    )
    return [page]

"""A web framework in a page: routes to functions, and a folder of files."""

import mimetypes
import os
from http import HTTPStatus


class Framework:
    """A WSGI application made of (url, function) routes.

    A function is called with the request's environ and returns a page, which is
    text. Below static_url lie the files of static_dir. Any other URL is 404.
    """

    def __init__(self, routes, static_dir=None, static_url="/static/"):
        self.routes = dict(routes)
        self.static_dir = static_dir
        self.static_url = static_url

    def __call__(self, environ, start_response):
        # PEP 3333 hands the path's bytes over as latin-1.
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _page(start_response, HTTPStatus.METHOD_NOT_ALLOWED, "Only GET.", ("Allow", "GET, HEAD"))
        function = self.routes.get(path)
        if function is not None:
            return _page(start_response, HTTPStatus.OK, function(environ))
        if self.static_dir is not None and path.startswith(self.static_url):
            file = self._open(path[len(self.static_url) :])
            if file is not None:
                return _file(environ, start_response, file)
        return _page(start_response, HTTPStatus.NOT_FOUND, "There is no such page.")

    def _open(self, name):
        """Open the file of that name, or return None: nothing hidden, nothing outside."""
        parts = (name + "index.html" if name == "" or name.endswith("/") else name).split("/")
        path = os.path.join(self.static_dir, *parts)
        # isfile is False as well for names that no file can have: too long, NUL.
        if any(part == "" or part.startswith(".") for part in parts) or not os.path.isfile(path):
            return None
        return open(path, "rb")


def _page(start_response, status, text, *fields):
    """Answer with text: what WSGI wants is bytes, and a status such as "200 OK"."""
    body = text.encode("utf-8")
    start_response(
        "{} {}".format(status.value, status.phrase),
        [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body))), *fields],
    )
    return [body]


def _file(environ, start_response, file):
    """Answer with the bytes of a file; a page says its charset itself."""
    media, coding = mimetypes.guess_type(file.name)
    if media is None or coding is not None:
        media = "application/octet-stream"
    size = os.fstat(file.fileno()).st_size
    start_response("200 OK", [("Content-Type", media), ("Content-Length", str(size))])
    # The server sends the file without reading it in Python, where it can.
    wrapper = environ.get("wsgi.file_wrapper", _Blocks)
    return wrapper(file, 64 * 1024)


class _Blocks:
    """What servers that have no wsgi.file_wrapper are given."""

    def __init__(self, file, size):
        self.file, self.size = file, size
        self.close = file.close

    def __iter__(self):
        return iter(lambda: self.file.read(self.size), b"")

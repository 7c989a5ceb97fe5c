"""Applications that name a file in place of their body, chosen by the path.

The folder is FOLDER; the rest of the query string is the file's name.
"""

import os
from urllib.parse import unquote

TEXT = [("Content-Type", "text/x-sent")]
FOLDER = os.environ.get("FOLDER", "")
closed = []


class Body:
    """A body that nobody must see, which remembers that it was closed."""

    def __iter__(self):
        yield b"not the file"

    def close(self):
        closed.append("once")


def path_of(environ):
    return os.path.join(FOLDER, unquote(environ["QUERY_STRING"]))


def sendfile(environ, start_response):
    start_response("200 OK", TEXT + [("X-Sendfile", path_of(environ)), ("Content-Length", "12"), ("X-Kept", "yes")])
    return Body()


def from_list(environ, start_response):
    start_response("200 OK", TEXT + [("x-sendfile", path_of(environ))])
    return [b"not the file"]


def from_generator(environ, start_response):
    start_response("200 OK", TEXT + [("X-Sendfile", path_of(environ))])
    try:
        yield b"not the file"
    finally:
        closed.append("once")


def from_write(environ, start_response):
    write = start_response("200 OK", TEXT + [("X-Sendfile", path_of(environ))])
    write(b"not the file")
    return Body()


def relative(environ, start_response):
    start_response("200 OK", TEXT + [("X-Sendfile", "some/file")])
    return [b""]


def own_status(environ, start_response):
    start_response("403 No", TEXT + [("X-Sendfile", path_of(environ))])
    return []


def own_validators(environ, start_response):
    fields = [("ETag", '"own"'), ("Last-Modified", "Tue, 01 Jan 2019 00:00:00 GMT"), ("Content-Encoding", "gzip")]
    start_response("200 OK", TEXT + fields + [("X-Sendfile", path_of(environ))])
    return []


def partial(environ, start_response):
    # What a framework does that evaluates Range and then leaves the file to us.
    start_response("206 Partial Content", TEXT + [("Content-Range", "bytes 0-0/10"), ("Content-Length", "1"), ("X-Sendfile", path_of(environ))])
    return []


def redirect(environ, start_response):
    start_response("200 OK", TEXT + [("X-Accel-Redirect", environ["QUERY_STRING"])])
    return [b"not the file"]


def replaced(environ, start_response):
    start_response("200 OK", TEXT + [("X-Sendfile", path_of(environ))])
    try:
        raise KeyError("on purpose")
    except KeyError as error:
        start_response("503 Later", TEXT, (KeyError, error, error.__traceback__))
    return [b"replaced"]


def starts_twice(environ, start_response):
    start_response("200 OK", TEXT + [("X-Sendfile", path_of(environ))])
    start_response("200 OK", TEXT)
    return []


def returns_str(environ, start_response):
    start_response("200 OK", TEXT + [("X-Sendfile", path_of(environ))])
    return ["text"]


def what_was_closed(environ, start_response):
    start_response("200 OK", TEXT)
    body = " ".join(closed).encode()
    del closed[:]
    return [body]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)

"""Bodies with a close(), one for each way in which a request can end.

The name of each is that of its end; /what_was_closed tells of all.
"""

import sys
import tempfile

TEXT = [("Content-Type", "text/plain")]
closed = []


class Body:
    """Iterates over blocks, then raises if it is given an error."""

    def __init__(self, name, blocks, error=None):
        self.name, self.blocks, self.error = name, blocks, error

    def __iter__(self):
        yield from self.blocks
        if self.error:
            raise self.error

    def close(self):
        closed.append(self.name)


def whole(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "4")])
    return Body("whole", [b"body"])


def stream(environ, start_response):
    start_response("200 OK", TEXT)
    return Body("stream", [b"a", b"b"])


def empty(environ, start_response):
    start_response("200 OK", TEXT)
    return Body("empty", [])


def not_modified(environ, start_response):
    start_response("304 Not Modified", [])
    return Body("not_modified", [])


def not_modified_with_body(environ, start_response):
    start_response("304 Not Modified", [])
    return Body("not_modified_with_body", [b"body"])


def no_content_with_body(environ, start_response):
    start_response("204 No Content", [("Content-Length", "4")])
    return Body("no_content_with_body", [b"body"])


def raises_at_first(environ, start_response):
    start_response("200 OK", TEXT)
    return Body("raises_at_first", [], ValueError("on purpose"))


def raises_later(environ, start_response):
    start_response("200 OK", TEXT)
    return Body("raises_later", [b"begun"], ValueError("on purpose"))


def exits(environ, start_response):
    start_response("200 OK", TEXT)
    return Body("exits", [b"begun"], SystemExit(1))


def too_long(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "2")])
    return Body("too_long", [b"bo", b"dy"])


def too_short(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    return Body("too_short", [b"bo", b"dy"])


def not_started(environ, start_response):
    return Body("not_started", [b"body"])


def bad_block(environ, start_response):
    start_response("200 OK", TEXT)
    return Body("bad_block", ["text"])


def writes_then_raises(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"begun")
    return Body("writes_then_raises", [], ValueError("on purpose"))


def exc_info_too_late(environ, start_response):
    def blocks():
        yield b"begun"
        try:
            raise KeyError("on purpose")
        except KeyError:
            start_response("500 No", TEXT, sys.exc_info())

    start_response("200 OK", TEXT)
    return Body("exc_info_too_late", blocks())


def endless(environ, start_response):
    def blocks():
        while True:
            yield b"x" * 10000

    start_response("200 OK", TEXT)
    return Body("endless", blocks())


def endless_generator(environ, start_response):
    start_response("200 OK", TEXT)
    try:
        while True:
            yield b"x" * 10000
    finally:
        closed.append("endless_generator")


class File:
    """A regular file that tells of its close()."""

    def __init__(self, name):
        self.name = name
        self.file = tempfile.TemporaryFile()
        self.file.write(b"file")
        self.file.seek(0)
        self.fileno, self.tell, self.read = self.file.fileno, self.file.tell, self.file.read

    def close(self):
        self.file.close()
        closed.append(self.name)


def file_wrapper(environ, start_response):
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](File("file_wrapper"))


def file_wrapper_too_short(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    return environ["wsgi.file_wrapper"](File("file_wrapper_too_short"))


def file_wrapper_not_started(environ, start_response):
    return environ["wsgi.file_wrapper"](File("file_wrapper_not_started"))


def what_was_closed(environ, start_response):
    start_response("200 OK", TEXT)
    body = " ".join(closed).encode()
    del closed[:]
    return [body]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)

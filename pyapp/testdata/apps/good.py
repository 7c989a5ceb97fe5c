"""Applications that keep PEP 3333 to the letter, chosen by the path."""

import hashlib
import os
import sys
import tempfile
import time
from wsgiref.validate import validator

TEXT = [("Content-Type", "text/plain; charset=utf-8")]
STDERR = sys.stderr  # as logging keeps it
closed = []  # what was closed, for the page /closed


def hello(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    return [b"hello"]


def hints(environ, start_response):
    start = environ["wsgi.early_hints"]
    start([("Link", "</style.css>; rel=preload; as=style")])
    start([("Link", "</script.js>; rel=preload"), ("X-First", "only here")])
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    return [b"hello"]


def no_length(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"two ", b"blocks"]


def empty(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "0")])
    return []


def no_content(environ, start_response):
    start_response("204 No Content", [])
    return []


def echo_environ(environ, start_response):
    start_response("200 OK", TEXT)
    lines = ["%s=%r\n" % (k, v) for k, v in sorted(environ.items()) if isinstance(v, (str, tuple, bool))]
    return ["".join(lines).encode("utf-8", "surrogateescape")]


def echo_body(environ, start_response):
    size = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(size)
    over = environ["wsgi.input"].read(10)
    start_response("200 OK", TEXT + [("X-Over-Read", str(len(over))), ("X-Length", str(size))])
    return [body]


def digest_body(environ, start_response):
    digest, total = hashlib.sha256(), 0
    while True:
        block = environ["wsgi.input"].read(65536)
        if not block:
            break
        digest.update(block)
        total += len(block)
    start_response("200 OK", TEXT)
    return [("%d %s" % (total, digest.hexdigest())).encode()]


def lines_of_body(environ, start_response):
    stream = environ["wsgi.input"]
    parts = [stream.readline(), *stream.readlines(), *stream]
    start_response("200 OK", TEXT)
    return [repr(parts).encode()]


class Steps:
    """Yields blocks and remembers that it was closed."""

    def __init__(self, name, blocks, error=None):
        self.name, self.blocks, self.error = name, iter(blocks), error

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return next(self.blocks)
        except StopIteration:
            if self.error:
                raise self.error
            raise

    def close(self):
        closed.append(self.name)


def closing(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "4")])
    return Steps("closing", [b"body"])


def closing_stream(environ, start_response):
    start_response("200 OK", TEXT)
    return Steps("closing_stream", [b"a", b"b"])


def closing_error(environ, start_response):
    start_response("200 OK", TEXT)
    return Steps("closing_error", [b"begun"], ValueError("in the middle"))


def closing_endless(environ, start_response):
    start_response("200 OK", TEXT)

    def blocks():
        while True:
            yield b"x" * 10000

    return Steps("closing_endless", blocks())


def what_was_closed(environ, start_response):
    start_response("200 OK", TEXT)
    body = " ".join(closed).encode()
    del closed[:]
    return [body]


def writes(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"written, ")
    return [b"returned"]


def replaced(environ, start_response):
    start_response("200 OK", TEXT)
    try:
        raise KeyError("on purpose")
    except KeyError:
        start_response("503 Later", TEXT, sys.exc_info())
    return [b"replaced"]


def replaced_too_late(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"begun")
    try:
        raise KeyError("too late")
    except KeyError:
        start_response("500 No", TEXT, sys.exc_info())
    return [b"never"]


def large(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"x" * 3000000]


def generated(environ, start_response):
    start_response("200 OK", TEXT)
    return (b"y" * 100000 for _ in range(50))


def empty_reason(environ, start_response):
    start_response("200 ", TEXT)
    return [b"fine"]


def cookies(environ, start_response):
    start_response("200 OK", TEXT + [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Server", "own"), ("Date", "Tue, 01 Jan 2019 00:00:00 GMT"), ("X-Latin", "caf\xe9")])
    return [b""]


def file(environ, start_response):
    f = tempfile.TemporaryFile()
    f.write(b"skipped " + b"0123456789" * 50000)
    f.seek(8)
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](f, 8192)


def file_once(environ, start_response):
    f = tempfile.TemporaryFile()
    f.write(b"file")
    f.seek(0)
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](f)


def file_no_descriptor(environ, start_response):
    import io

    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](io.BytesIO(b"in memory"))


def printed(environ, start_response):
    print("printed\nin two lines")
    print("through a stream found at import", file=STDERR)
    print("to stderr", file=sys.stderr)
    environ["wsgi.errors"].write("to wsgi.errors\n")
    environ["wsgi.errors"].writelines(["first of two\n", "second of two\n"])
    environ["wsgi.errors"].flush()
    os.write(1, b"from C\n")
    start_response("200 OK", TEXT)
    return [b"ok"]


def pid(environ, start_response):
    start_response("200 OK", TEXT)
    return [str(os.getpid()).encode()]


def sleeps(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"]))
    start_response("200 OK", TEXT)
    return [b"slept"]


def head_first(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    return [b""] if environ["REQUEST_METHOD"] == "HEAD" else [b"hello"]


def plain(environ, start_response):
    """The same without the validator, which wraps lists and files."""
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)


application = validator(plain)


def create():
    """Make the application, as frameworks with factories do."""
    return application

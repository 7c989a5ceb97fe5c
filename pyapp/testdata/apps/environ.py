"""Answers every request with its environ, or with what it reads of its body."""

import hashlib


def pieces_of(stream, way, n):
    """Return the pieces in which the body is read that way."""
    if way == "read":
        return [stream.read()]
    if way == "read_n":
        return list(iter(lambda: stream.read(n), b""))
    if way == "readline":
        return list(iter(stream.readline, b""))
    if way == "readline_n":
        return list(iter(lambda: stream.readline(n), b""))
    if way == "readlines":
        return stream.readlines()
    if way == "readlines_n":
        pieces = []
        while True:
            some = stream.readlines(n)
            if not some:
                return pieces
            pieces += some
    if way == "iteration":
        return list(stream)
    return [stream.readline(), stream.read(n), *stream]  # mixed


def reads(environ, start_response):
    way, _, n = environ["QUERY_STRING"].partition("&")
    stream = environ["wsgi.input"]
    pieces = pieces_of(stream, way, int(n))
    body = b"".join(pieces)
    # What lies beyond the end is empty, however it is asked for.
    over = stream.read() + stream.read(10) + stream.readline() + b"".join(stream.readlines()) + b"".join(stream)
    longest = max(map(len, pieces), default=0)
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Length", environ.get("CONTENT_LENGTH", "none"))])
    return [("%d %s, longest piece %d, %d beyond the end" % (len(body), hashlib.sha256(body).hexdigest(), longest, len(over))).encode()]


def application(environ, start_response):
    if environ["PATH_INFO"] == "/reads":
        return reads(environ, start_response)
    start_response("200 OK", [("Content-Type", "text/plain")])
    lines = ["%s=%r\n" % (k, v) for k, v in sorted(environ.items()) if isinstance(v, (str, tuple, bool))]
    return ["".join(lines).encode("utf-8", "surrogateescape")]

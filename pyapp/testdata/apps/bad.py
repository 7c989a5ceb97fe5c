"""Applications that are each broken in one way, chosen by the path."""

import ctypes
import os
import signal
import sys
import time

TEXT = [("Content-Type", "text/plain")]


def returns_str(environ, start_response):
    start_response("200 OK", TEXT)
    return ["text"]


def returns_bare_str(environ, start_response):
    start_response("200 OK", TEXT)
    return "text"


def returns_none(environ, start_response):
    start_response("200 OK", TEXT)


def yields_str(environ, start_response):
    start_response("200 OK", TEXT)
    yield "text"


def no_start(environ, start_response):
    return [b"body"]


def starts_twice(environ, start_response):
    start_response("200 OK", TEXT)
    start_response("200 OK", TEXT)
    return [b""]


def status_with_version(environ, start_response):
    start_response("HTTP/1.1 200 OK", TEXT)
    return [b""]


def status_int(environ, start_response):
    start_response(200, TEXT)
    return [b""]


def status_bytes(environ, start_response):
    start_response(b"200 OK", TEXT)
    return [b""]


def header_int(environ, start_response):
    start_response("200 OK", [("Content-Length", 0)])
    return [b""]


def header_line_break(environ, start_response):
    start_response("200 OK", [("X-A", "b\r\nSet-Cookie: evil=1")])
    return [b""]


def header_not_latin(environ, start_response):
    start_response("200 OK", [("X-A", "\u20ac")])
    return [b""]


def header_bad_name(environ, start_response):
    start_response("200 OK", [("X A", "b")])
    return [b""]


def header_hop_by_hop(environ, start_response):
    start_response("200 OK", [("Transfer-Encoding", "chunked")])
    return [b""]


def headers_none(environ, start_response):
    start_response("200 OK", None)
    return [b""]


def returns_int(environ, start_response):
    start_response("200 OK", TEXT)
    return 5


def yields_none(environ, start_response):
    start_response("200 OK", TEXT)
    yield None


def yields_bytearray(environ, start_response):
    start_response("200 OK", TEXT)
    yield bytearray(b"body")


def writes_str(environ, start_response):
    start_response("200 OK", TEXT)("text")
    return []


def starts_too_late(environ, start_response):
    yield b"body"
    start_response("200 OK", TEXT)


def starts_without_exc_info(environ, start_response):
    start_response("200 OK", TEXT)
    try:
        raise KeyError("on purpose")
    except KeyError:
        start_response("500 No", TEXT)
    return [b""]


def status_informational(environ, start_response):
    start_response("103 Early Hints", TEXT)
    return [b""]


def status_without_space(environ, start_response):
    start_response("200", TEXT)
    return [b""]


def status_line_break(environ, start_response):
    start_response("200 OK\r\nX-A: b", TEXT)
    return [b""]


def status_not_latin(environ, start_response):
    start_response("200 \u20ac", TEXT)
    return [b""]


def header_bytes(environ, start_response):
    start_response("200 OK", [(b"X-A", b"b")])
    return [b""]


def header_no_pair(environ, start_response):
    start_response("200 OK", [("X-A", "b", "c")])
    return [b""]


def header_name_line_break(environ, start_response):
    start_response("200 OK", [("X-A: b\r\nX-B", "c")])
    return [b""]


def header_nul(environ, start_response):
    start_response("200 OK", [("X-A", "b\0c")])
    return [b""]


def header_connection(environ, start_response):
    start_response("200 OK", [("connection", "close")])
    return [b""]


def headers_dict(environ, start_response):
    start_response("200 OK", {"X-A": "b"})
    return [b""]


def head_too_long(environ, start_response):
    start_response("200 OK", [("X-%d" % i, "x" * 1000) for i in range(40)])
    return [b""]


def length_twice(environ, start_response):
    start_response("200 OK", [("Content-Length", "0"), ("Content-Length", "0")])
    return [b""]


def length_is_no_number(environ, start_response):
    start_response("200 OK", [("Content-Length", "none")])
    return [b""]


def hint_line_break(environ, start_response):
    environ["wsgi.early_hints"]([("Link", "</a>\r\nSet-Cookie: evil=1")])


def hints_without_end(environ, start_response):
    while True:
        environ["wsgi.early_hints"]([("Link", "</a>")])


def hint_too_late(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"begun")
    environ["wsgi.early_hints"]([("Link", "</a>")])


def raises_before_the_first_block(environ, start_response):
    start_response("200 OK", TEXT)
    raise ValueError("on purpose")
    yield b"never"


def raises_after_the_first_block(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"begun"
    raise ValueError("on purpose")


def exc_info_too_late(environ, start_response):
    start_response("200 OK", TEXT)(b"begun")
    try:
        raise KeyError("on purpose")
    except KeyError:
        start_response("500 No", TEXT, sys.exc_info())
    return [b"never"]


def writes_str_in_stream(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"begun")
    write("text")


def raises(environ, start_response):
    raise ValueError("on purpose")


def raises_system_exit(environ, start_response):
    sys.exit(3)


def body_too_short(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "10")])
    return [b"short"]


def body_too_long(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "4")])
    return [b"body and more"]


def stream_too_short(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "10")])
    yield b"short"


def stream_too_long(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "4")])
    yield b"bo"
    yield b"dy and more"


def killed(environ, start_response):
    os.kill(os.getpid(), signal.SIGKILL)


def exits(environ, start_response):
    os._exit(7)


def sends_nonsense(environ, start_response):
    for fd in range(3, 64):
        try:
            os.write(fd, b"\xff" * 16)
        except OSError:
            pass
    start_response("200 OK", TEXT)
    return [b"never seen"]


def sleeps(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"]))
    start_response("200 OK", TEXT)
    return [b"slept"]


def stuck_in_c(environ, start_response):
    # Holds the interpreter lock in a call that signals do not break off: no
    # Python-level handler can run.
    libc = ctypes.PyDLL(None)
    mutex = ctypes.create_string_buffer(64)
    libc.pthread_mutex_lock(mutex)
    until = time.time() + float(environ["QUERY_STRING"])
    timespec = (ctypes.c_long * 2)(int(until), int(until % 1 * 1e9))
    libc.pthread_mutex_timedlock(mutex, timespec)
    start_response("200 OK", TEXT)
    return [b"back"]


def stalls(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"begun"
    time.sleep(float(environ["QUERY_STRING"]))
    yield b"done"


def catches_everything(environ, start_response):
    end = time.time() + float(environ["QUERY_STRING"])
    while time.time() < end:
        try:
            time.sleep(0.05)
        except BaseException:
            pass
    start_response("200 OK", TEXT)
    return [b"stubborn"]


def pid(environ, start_response):
    start_response("200 OK", TEXT)
    return [str(os.getpid()).encode()]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)

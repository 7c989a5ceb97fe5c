"""Applications that work on a request while it is coming in, chosen by the path."""

import hashlib
import os
import threading
import time

TEXT = [("Content-Type", "text/plain")]
gate = threading.Event()


def hints_and_waits(environ, start_response):
    gate.clear()
    environ["wsgi.early_hints"]([("Link", "</a>")])
    gate.wait()
    start_response("200 OK", TEXT)
    return [b"went on"]


def generates_and_waits(environ, start_response):
    gate.clear()
    start_response("200 OK", TEXT)
    yield b"first"
    gate.wait()
    yield b"second"


def writes_and_waits(environ, start_response):
    gate.clear()
    write = start_response("200 OK", TEXT)
    write(b"first")
    gate.wait()
    write(b"second")
    return []


def lets_go(environ, start_response):
    gate.set()
    start_response("200 OK", TEXT)
    return [b""]


def echoes(environ, start_response):
    """Answers each line when it has come."""
    start_response("200 OK", TEXT)
    for line in environ["wsgi.input"]:
        yield b"got " + line


def digest(environ, start_response):
    body = environ["wsgi.input"].read()
    over = environ["wsgi.input"].read(10) + environ["wsgi.input"].readline()
    start_response("200 OK", TEXT + [("X-Length", environ.get("CONTENT_LENGTH", "none")), ("X-Over-Read", str(len(over)))])
    return [("%d %s" % (len(body), hashlib.sha256(body).hexdigest())).encode()]


def ignores(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"ignored"]


def ignores_in_stream(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"igno"
    yield b"red"


def tells_errors(environ, start_response):
    """Says on standard output what reading ends with."""
    total = 0
    try:
        while True:
            block = environ["wsgi.input"].read1(1000)
            if not block:
                print("the end after %d bytes" % total)
                break
            total += len(block)
            print("%d bytes so far" % total)
    except OSError as error:
        print("%s after %d bytes" % (type(error).__name__, total))
        try:
            environ["wsgi.input"].read()
            print("then the end")
        except OSError as again:
            print("then %s" % type(again).__name__)
    start_response("200 OK", TEXT)
    return [b"told"]


def raises(environ, start_response):
    print("about to read")
    environ["wsgi.input"].read()
    start_response("200 OK", TEXT)
    return [b"never"]


def hangs(environ, start_response):
    environ["wsgi.input"].readline()
    time.sleep(600)


def pid(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"%d" % os.getpid()]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)

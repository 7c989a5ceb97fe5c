"""What the chaos test runs: each answer tells which request it is for.

The path is /KIND/ID. Before anything else the identifier goes into the ledger,
so that a request that runs twice stands there twice.
"""

import os
import signal
import time

LEDGER = os.open(os.environ["LEDGER"], os.O_WRONLY | os.O_APPEND)
TEXT = [("Content-Type", "text/plain")]


def quick(line, environ):
    return [line]


def slow(line, environ):
    time.sleep(0.02)
    return [line]


def echo(line, environ):
    return [line + environ["wsgi.input"].read()]


def large(line, environ):
    return [line * 30000]


def stream(line, environ):
    for _ in range(40):
        yield line
        time.sleep(0.001)


def hungry(line, environ):
    memory = bytearray(200 << 20)
    memory[::4096] = b"x" * (len(memory) // 4096)  # the system gives a page when it is written
    return [line]


def raises(line, environ):
    raise ValueError("on purpose")


def dies(line, environ):
    os.kill(os.getpid(), signal.SIGKILL)


def dies_in_stream(line, environ):
    yield line
    os._exit(3)


def sleeps(line, environ):
    time.sleep(60)


def stubborn(line, environ):
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass


def nonsense(line, environ):
    for fd in range(3, 64):
        if fd != LEDGER:
            try:
                os.write(fd, b"\xff" * 16)
            except OSError:
                pass
    return [line]


def application(environ, start_response):
    _, kind, number = environ["PATH_INFO"].split("/")
    line = number.encode() + b"\n"
    os.write(LEDGER, line)
    start_response("200 OK", TEXT)
    return globals()[kind](line, environ)

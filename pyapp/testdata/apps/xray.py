"""Requests to look into while they run: in Python, and in C code where no handler runs."""

import hashlib
import os
import random
import re
import time

TEXT = [("Content-Type", "text/plain")]


def working(seconds):
    """Calls, loops and waits, at a depth that changes all the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        descend(random.randrange(40))
        time.sleep(0.0005)


def descend(depth):
    try:
        return descend(depth - 1) + 1 if depth else sum(n for n in range(50))
    finally:
        depth = None


def sums(seconds):
    add(int(SUMS * seconds))


def hashes(seconds):
    # Lets the interpreter go, and yet the main thread is not back before its end.
    stretch(int(HASHES * seconds))


def add(count):
    sum(range(count))


def stretch(count):
    hashlib.pbkdf2_hmac("sha256", b"", b"", count)


def rate(act, count):
    """Return for what count act takes a second on this processor."""
    times = []
    for _ in range(3):
        begin = time.monotonic()
        act(count)
        times.append(time.monotonic() - begin)
    return count / min(times)


SUMS, HASHES = rate(add, 300000), rate(stretch, 20000)


def sorts(seconds):
    numbers = [random.random() for _ in range(1000000)]
    again(seconds, lambda: sorted(numbers))


def matches(seconds):
    again(seconds, lambda: re.match("(a+)+b", "a" * 22))


def again(seconds, act):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        act()


def application(environ, start_response):
    work = globals().get(environ["PATH_INFO"].strip("/"))
    if work:
        work(float(environ["QUERY_STRING"]))
    start_response("200 OK", TEXT)
    return [b"%d" % os.getpid()]

"""Applications that take memory, in MB as the query says, and keep it."""

import os
import threading
import time

TEXT = [("Content-Type", "text/plain")]
kept = []


def take(environ):
    kept.append(b"x" * (int(environ["QUERY_STRING"]) << 20))


def takes(environ, start_response):
    take(environ)
    start_response("200 OK", TEXT)
    return [b"taken"]


def takes_and_stays(environ, start_response):
    take(environ)
    time.sleep(60)
    start_response("200 OK", TEXT)
    return [b"never seen"]


def takes_later(environ, start_response):
    """The request is over before it happens."""
    threading.Timer(0.5, take, [environ]).start()
    start_response("200 OK", TEXT)
    return [b"will be taken"]


def pid(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"%d" % os.getpid()]


def sleeps(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"]))
    start_response("200 OK", TEXT)
    return [b"slept"]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)

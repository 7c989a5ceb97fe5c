"""Applications that wait for another request, chosen by the path."""

import os
import threading

TEXT = [("Content-Type", "text/plain")]
gate = threading.Event()


def hints_and_waits(environ, start_response):
    gate.clear()
    environ["wsgi.early_hints"]([("Link", "</a>")])
    gate.wait()
    start_response("200 OK", TEXT)
    return [b"went on"]


def lets_go(environ, start_response):
    gate.set()
    start_response("200 OK", TEXT)
    return [b""]


def pid(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"%d" % os.getpid()]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)

"""What an application costs without a server: bare.py MODULE:CALLABLE SECONDS

Prints the CPU time of one call in microseconds. The environ is what a server
makes of a load generator's request; making it anew is a part of each call, as
it is in every server.
"""

import importlib
import io
import sys
import time

ENVIRON = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/",
    "QUERY_STRING": "",
    "REQUEST_URI": "/",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "REMOTE_PORT": "50000",
    "HTTP_HOST": "127.0.0.1:8000",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": False,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


def start_response(status, headers, exc_info=None):
    if not status.startswith("200"):
        raise SystemExit(f"the view answers {status}")


def call(application):
    answer = application(dict(ENVIRON, **{"wsgi.input": io.BytesIO()}), start_response)
    try:
        for _ in answer:
            pass
    finally:
        if hasattr(answer, "close"):
            answer.close()


def main(name, seconds):
    module, _, attribute = name.partition(":")
    application = getattr(importlib.import_module(module), attribute)
    for _ in range(200):
        call(application)
    calls, begun, end = 0, time.process_time(), time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(50):
            call(application)
        calls += 50
    print((time.process_time() - begun) * 1e6 / calls)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))

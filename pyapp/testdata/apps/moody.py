"""Ends its process as long as a file is there, at a request and at birth."""

import os

marker = os.environ["MARKER"]


def end_if_broken():
    if os.path.exists(marker):
        os._exit(3)


os.register_at_fork(after_in_child=end_if_broken)


def application(environ, start_response):
    end_if_broken()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"fine"]

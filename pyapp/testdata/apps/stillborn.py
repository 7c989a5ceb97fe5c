"""Serves well, but as long as a file is there no new process of it lives."""

import os
import time

marker = os.environ["MARKER"]


def end_if_marked():
    if os.path.exists(marker):
        os._exit(3)


os.register_at_fork(after_in_child=end_if_marked)


def application(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"] or 0))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d" % os.getpid()]

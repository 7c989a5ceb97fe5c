"""Tells who asks for its health, and is as healthy as a file says: its text is
a status, "raise" or "exit"; without the file it is fine.
"""

import os

TEXT = [("Content-Type", "text/plain")]


def health(environ, start_response):
    print("asked by", environ["HTTP_USER_AGENT"], "for", environ["HTTP_HOST"], environ["SCRIPT_NAME"] + environ["PATH_INFO"])
    try:
        with open(os.environ["MARKER"]) as file:
            state = file.read()
    except FileNotFoundError:
        state = "200 OK"
    if state == "raise":
        raise ValueError("the database is gone")
    if state == "exit":
        os._exit(3)
    start_response(state, TEXT)
    return [b""]


def application(environ, start_response):
    if environ["PATH_INFO"] == "/health":
        return health(environ, start_response)
    start_response("200 OK", TEXT)
    return [b"%d" % os.getpid()]

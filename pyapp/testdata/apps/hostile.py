"""Applications that do to their process what a server does not expect."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

TEXT = [("Content-Type", "text/plain")]

at_import = os.environ.get("AT_IMPORT", "")
if at_import == "default timeout":
    socket.setdefaulttimeout(0.05)
elif at_import == "reaps children":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
elif at_import == "leaves a process":
    # In a session of its own, out of reach, with our standard output.
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    with open(os.environ["PID_FILE"], "w") as file:
        file.write(str(child.pid))
elif at_import == "forks":
    os.fork()
elif at_import == "ends soon":
    signal.setitimer(signal.ITIMER_REAL, 0.1)  # ends the process


def forks(environ, start_response):
    """Both processes return from here."""
    os.fork()
    start_response("200 OK", TEXT)
    return [b"answer"]


def forks_in_stream(environ, start_response):
    """Both processes go on in the middle of the body."""
    start_response("200 OK", TEXT)
    yield b"answer"
    os.fork()
    yield b", and more"


def starts_thread(environ, start_response):
    """Leaves a thread that the interpreter waits for at its end."""
    threading.Thread(target=time.sleep, args=(600,)).start()
    start_response("200 OK", TEXT)
    return [b"started"]


def endless(environ, start_response):
    start_response("200 OK", TEXT)
    while True:
        yield b"x" * 10000


def exits(environ, start_response):
    os._exit(7)


def length(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", TEXT)
    return [b"%d" % len(body)]


def pid(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"%d" % os.getpid()]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)

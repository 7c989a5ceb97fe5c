"""Applications that do to their process what a server does not expect."""

import array
import os
import signal
import socket
import struct
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


def long(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"x" * 50000]


def pid(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"%d" % os.getpid()]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)


def speaks(environ, start_response):
    """Sends the packets of the body, which stand there in hexadecimal, and not an answer.

    With FILES in the search string, the last one brings descriptors.
    """
    sock = start_response.__self__.lane.answers
    packets = [bytes.fromhex(line) for line in environ["wsgi.input"].read().decode().split(",")]
    for packet in packets[:-1]:
        sock.send(packet)
    sock.sendmsg(packets[-1:], descriptors(environ["QUERY_STRING"]))
    time.sleep(600)


def closes_its_lane(environ, start_response):
    start_response.__self__.lane.answers.close()
    time.sleep(600)


def is_described_late(environ, start_response):
    """Has the stack of its request sent when the answer is complete."""
    answer = start_response.__self__
    lane, send = answer.lane, answer.lane.send

    def send_both(packet):
        send(packet)
        if packet[1]:  # the last one
            lane.send = send
            send(struct.pack("<BBHIII", 7, 0, 0, answer.number, 0, 5) + b"stack")

    lane.send = send_both
    start_response("200 OK", TEXT)
    return iter([b"answer"])


def descriptors(kind):
    """Return control messages with that kind of files."""
    if kind == "fifo":
        fds = os.pipe()[:1]
    elif kind == "many":
        fds = [os.open(__file__, os.O_RDONLY)] * 250
    elif kind == "folder":
        fds = [os.open("/", os.O_RDONLY)]
    else:
        return []
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]


def dies_after_its_body(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    yield b"hel"
    yield b"lo"
    os._exit(7)

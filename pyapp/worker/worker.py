"""The service that a template loads and a worker runs: one WSGI application."""

import importlib
import io
import marshal
import mmap
import os
import socket
import sys

from . import introspect
from .frames import LAST, MAX_PACKET, READY, WHOLE, frame
from .wsgi import Answer, FileWrapper, HEADER, MAX_PART

# Cells of the page shared with the server, each of eight bytes; every lane has
# a row of its own, so that lanes share no cache line.
ROW = 8
RUNNING = 0  # written here: number of the request that has begun
ABANDONED = 1  # written by the server: number of the request nobody waits for

loaded = {}  # the application that load found, for serve; set once, before any fork


def load(settings):
    """Import the application. Return what the server wants to know about it."""
    module, _, expression = settings["app"].partition(":")
    application = importlib.import_module(module)
    for name in (expression or "application").split("."):
        application = getattr(application, name)
    loaded["application"] = application
    return introspect.describe(application)


def serve(settings, number, files):
    """Serve requests until told to stop."""
    page, stdout, stderr = files[:3]
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    shared = mmap.mmap(page, 0)
    for fd in (page, stdout, stderr):
        os.close(fd)
    cells = memoryview(shared).cast("Q")
    lane = Lane(socket.socket(fileno=files[3]), cells[:ROW], loaded["application"])
    lane.send(frame(READY, 0, 0, 0))
    lane.run()


class Lane:
    """A socket on which requests are served one after the other."""

    def __init__(self, sock, cells, application):
        self.sock = sock
        self.cells = cells
        self.application = application
        self.application_place = introspect.place(application)
        self.heads = {}
        self.send = sock.send
        self.constants = {
            "wsgi.version": (1, 0),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
            "wsgi.file_wrapper": FileWrapper,
        }

    def is_abandoned(self, number):
        return self.cells[ABANDONED] == number

    def run(self):
        """Take requests until told to stop, or until the server is gone."""
        application = self.application
        cells, constants, send = self.cells, self.constants, self.send
        pack, loads, new_input = HEADER.pack, marshal.loads, io.BytesIO
        receive = self.sock.recv_into
        packet = bytearray(2 * MAX_PACKET)
        while receive(packet):
            number, environ, body = loads(packet)
            if not number:
                return
            cells[RUNNING] = number
            environ.update(constants)
            environ["wsgi.input"] = new_input(body) if body.__class__ is bytes else self.open_body(body)
            answer = Answer(self, number, environ)
            try:
                result = application(environ, answer.start)
                # The common case, spelled out: a list of one block, which with
                # the head fits into one packet.
                if result.__class__ is list and len(result) == 1 and not answer.begun:
                    body = result[0]
                    head = answer.head
                    if body.__class__ is bytes and head is not None and len(head) + len(body) <= MAX_PART:
                        send(pack(WHOLE, LAST, answer.status, number, len(head), len(body)) + head + body)
                        continue
                answer.deliver(result)
            except Exception as error:
                answer.fail(error)
            # No reference of ours may keep what the application made alive.
            result = environ = answer = error = None

    def open_body(self, size):
        raise NotImplementedError

"""The service that a template loads and a worker runs: one WSGI application."""

import array
import importlib
import importlib.util
import io
import marshal
import mmap
import os
import platform
import socket
import stat
import sys
import threading
from time import monotonic

from . import bytecode, frameworks, introspect, output, sendfile, stacks
from .body import Unreceived, arriving
from .frames import HEADER, LAST, MAX_PART, READY, UNBEGUN, WHOLE, frame
from .wsgi import MAX_HINTS, Answer, FileWrapper, Misuse

CONTROL = 3  # descriptor of the template's control socket
MAX_REQUEST = 131072  # length of the longest packet that the server sends

# Cells of the page shared with the server, each of eight bytes; every lane has
# a row of its own, so that lanes share no cache line.
ROW = 8
RUNNING = 0  # written here: number of the request that has begun
ABANDONED = 1  # written by the server: number of the request nobody waits for
OVERDUE = 2  # written by the server: number of the request to break off
ASKED = 3  # written by the server: number of the request whose stack is wanted
EPOCH = 4  # written by the server: requests of another epoch are not to be begun
FILLED = 5  # written here: how far the outbox is filled
TAKEN = 6  # written by the server: how far of that it has taken
ASKED_ALL = 7  # written by the server, for the first lane: the stacks of all threads are wanted

OUTBOX = 65536  # length of the memory for answers that every lane has behind the rows
LAP = 1 << 32  # of FILLED and TAKEN: counts how often the outbox was begun anew

HOLD = 0.002  # seconds for which answers are kept there before a packet tells of them

# The server must see an answer in the outbox before it sees that FILLED has
# moved. These processors keep the order of writes; on others every answer is sent.
# PyPy may write a cell byte by byte.
ORDERED = platform.machine() in ("x86_64", "AMD64", "i386", "i686") and sys.implementation.name == "cpython"

STOP = 0  # instead of a request's number: serve no more

loaded = {}  # what load found, for serve; filled once, before any fork
lanes = []  # of this process; filled once, by serve


def load(settings):
    """Import the application. Return what the server wants to know about it."""
    # Before the import: what the application logs with may keep the streams that
    # it finds now.
    sys.stdout, sys.stderr = output.marked(1, request_of), output.marked(2, request_of)
    debug = settings["debug"] == "true"
    if debug:
        bytecode.distrust_young()
    application = find(settings["app"], settings["dir"])
    if debug:
        frameworks.hand_on(application)
    frameworks.prepare(application, settings["mount"])
    loaded["application"] = application
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # what is left in it would be printed by every worker
    return introspect.describe(application, settings["mount"], known_sockets=(CONTROL,))


def find(name, folder):
    """Return what "module:callable" names, or what "module:factory()" returns."""
    module, _, expression = name.partition(":")
    is_factory = expression.endswith("()")
    found = import_file(module, folder) if module.endswith(".py") else importlib.import_module(module)
    for part in (expression[:-2] if is_factory else expression or "application").split("."):
        found = getattr(found, part)
    if is_factory:
        found = found()
    if not callable(found):
        raise TypeError("%s is not callable but %s" % (name, type(found).__name__))
    return found


def import_file(name, folder):
    """Import a file of a folder, whatever its name is.

    It may be one that no import statement can spell, or that of a module which is
    there already, such as platform.py.
    """
    module = name[: -len(".py")].replace(".", "_")
    if module in sys.modules:
        module = "file_" + module
    spec = importlib.util.spec_from_file_location(module, os.path.join(folder, name))
    found = sys.modules[module] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def request_of(thread):
    """Return the identifier of the request that a thread of this process runs."""
    for lane in lanes:
        if lane.thread == thread and lane.answer is not None:
            return lane.answer.environ.get("HTTP_X_REQUEST_ID", "")
    return ""


def rules_of(settings):
    """Return the rules for files that responses name, or None if none may."""
    named = settings["redirects"].split("\0")  # prefix, folder, prefix, folder …
    redirects = dict(zip(named[::2], named[1::2]))
    is_on = settings["sendfile"] == "on"
    return sendfile.Rules(is_on, redirects) if is_on or redirects else None


def serve(settings, number, files):
    """Serve requests on every lane until told to stop."""
    page, stdout, stderr, dump = files[:4]
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    shared = mmap.mmap(page, 0)
    cells = memoryview(shared).cast("Q")
    for fd in (page, stdout, stderr):
        os.close(fd)
    os.set_inheritable(dump, False)

    rules = rules_of(settings)
    pairs = list(zip(files[4::2], files[5::2]))  # for requests and for answers
    outboxes = len(shared) - len(pairs) * OUTBOX
    for i, pair in enumerate(pairs):
        for fd in pair:
            os.set_inheritable(fd, False)
        requests, answers = (socket.socket(fileno=fd) for fd in pair)
        row = cells[i * ROW : (i + 1) * ROW]
        outbox = Outbox(shared, outboxes + i * OUTBOX, row)
        lanes.append(Lane(requests, answers, row, outbox, len(pairs) > 1, rules))

    def forked():
        """Keep a process that the application forks from answering for us."""
        for lane in lanes:
            lane.requests.close()
            lane.answers.close()
            lane.outbox.size = 0
            lane.forked = True

    os.register_at_fork(after_in_child=forked)

    stacks.Watch(lanes, dump).listen(*map(int, settings["signals"].split()))
    lanes[0].send(frame(READY, 0, 0, 0))
    if len(lanes) == 1:
        # In the main thread, where a signal's handler can break a request off.
        lanes[0].run()
        return
    threads = [threading.Thread(target=lane.run, name="lane-%d" % i, daemon=True) for i, lane in enumerate(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def end_copy():
    """End a process that the application forked and then let return to us.

    What the worker does at its end is not for its copy to do.
    """
    sys.stderr.write("a process that the application forked came back from the request, and was ended: call os._exit() in it\n")
    sys.stderr.flush()
    os._exit(1)


class Outbox:
    """Where a lane leaves frames if it is sure to send a packet after them."""

    def __init__(self, memory, start, cells):
        self.memory = memory
        self.start = start
        self.cells = cells
        self.size = OUTBOX if ORDERED else 0
        self.lap = 0
        self.end = 0  # together with lap, what stands in FILLED

    def begin(self):
        """Begin anew at the start of the memory, if all has been taken."""
        if self.end and self.cells[TAKEN] == self.lap + self.end:
            self.lap, self.end = self.lap + LAP, 0

    def put(self, frames):
        """Leave frames for the server. Return whether there was room."""
        end = self.end + len(frames)
        if end > self.size:
            return False
        self.memory[self.start + self.end : self.start + end] = frames
        self.end = end
        self.cells[FILLED] = self.lap + end
        return True


class Lane:
    """Two sockets, for requests and for answers; requests are served one after the other."""

    def __init__(self, requests, answers, cells, outbox, threaded, rules=None):
        for sock in (requests, answers):
            sock.setblocking(True)  # whatever socket.setdefaulttimeout() says, for the application's own
        self.requests = requests
        self.answers = answers
        self.send = answers.send
        self.told = 0.0  # when the server last got a packet, or we one
        self.waiting = []  # requests of the present packet that are still to be begun, the next one last
        self.cells = cells
        self.outbox = outbox
        self.forked = False  # this is not the worker but a copy that the application made
        self.thread = 0  # identifier of the thread that runs it
        self.answer = None  # to the request that is running
        self.rules = rules  # for files that responses name; None where that is off
        self.new_answer = sendfile.NamingAnswer if rules else Answer
        self.heads = {}  # see wsgi.MAX_CACHED
        self.hinted = (0, 0)  # request and how often it called early_hints
        self.application_place = introspect.place(loaded["application"])
        self.constants = {
            "wsgi.version": (1, 0),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": threaded,
            # Always true, also of a single worker: while a reload or a replacement
            # is under way, the old process and the new one serve side by side.
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
            "wsgi.file_wrapper": FileWrapper,
            "wsgi.early_hints": self.early_hints,
        }

    def run(self):
        """Take requests until told to stop, or until the server is gone."""
        self.thread = threading.get_ident()
        application = loaded["application"]
        cells, constants, send, conclude = self.cells, self.constants, self.send, self.conclude
        pack, loads, new_input = HEADER.pack, marshal.loads, io.BytesIO
        receive, new_answer = self.requests.recv_into, self.new_answer
        packet = bytearray(MAX_REQUEST)
        while receive(packet):
            self.waiting = waiting = loads(packet)
            epoch = waiting.pop()
            self.outbox.begin()
            self.told = monotonic()
            while waiting:
                number, environ, body = waiting.pop()
                if number == STOP:
                    return
                cells[RUNNING] = number
                file = self.receive_file() if body is None else None
                if cells[EPOCH] != epoch:  # asked only now: see PROTOCOL.md
                    if file:
                        file.close()
                    self.hand_back(number)
                    break
                environ.update(constants)
                environ["wsgi.input"] = file or new_input(body)
                self.answer = answer = new_answer(self, number, environ)
                try:
                    result = application(environ, answer.start)
                    # The common case, spelled out: a list of one block, which with
                    # the head fits into one packet.
                    if result.__class__ is list and len(result) == 1 and not answer.begun and not file:
                        body = result[0]
                        head = answer.head
                        if body.__class__ is bytes and head is not None and len(head) + len(body) <= MAX_PART:
                            conclude(pack(WHOLE, LAST, answer.status, number, len(head), len(body)) + head + body)
                            continue
                    answer.deliver(result)
                except BaseException as error:  # SystemExit too ends the request, not the worker
                    if not answer.fail(error):
                        if self.forked:
                            end_copy()
                        return
                finally:
                    self.answer = None
                    if file:
                        file.close()
                # No reference of ours may keep alive what the application made.
                result = environ = answer = body = file = None

    def hand_back(self, number):
        """Say that a request, and what is behind it in its packet, was not begun."""
        # All by name: once RUNNING has moved on to the next packet, the server could
        # take what is behind this one for begun. The last one first, because each
        # goes to the head of the server's queue.
        numbers = [request[0] for request in self.waiting] + [number]
        self.send(b"".join([frame(UNBEGUN, 0, 0, n) for n in numbers]))

    def leave(self, frame):
        """Hand a frame over if another one of its request is sure to follow. Return whether it is in the outbox."""
        if self.answer.number == self.hinted[0]:
            self.send(frame)  # in the outbox it would overtake the hints, which would be lost
            return False
        return self.outbox.put(frame) or not self.send(frame)

    def conclude(self, frame):
        """Hand over the last frame of a request that has none in the socket."""
        self.answer = None  # nothing breaks it off any more: the server would hear of two ends
        if self.waiting:
            now = monotonic()
            if now < self.told + HOLD and self.outbox.put(frame):
                return
            self.told = now
        self.send(frame)

    def early_hints(self, headers):
        """wsgi.early_hints: send fields to the client while the response is being made."""
        answer = self.answer
        if answer is None or threading.get_ident() != self.thread:
            raise Misuse("call wsgi.early_hints in the thread that runs the request, while it runs")
        number, calls = self.hinted
        calls = calls + 1 if number == answer.number else 1
        if calls > MAX_HINTS:
            raise Misuse("call wsgi.early_hints at most %d times for one request" % MAX_HINTS)
        self.hinted = answer.number, calls
        self.told = 0.0  # the answer is to be sent, too: in the outbox it would overtake them
        answer.hint(headers)

    def receive_file(self):
        """Return the request's body, which comes as an open file or through a pipe."""
        fds = array.array("i")
        _, ancillary, _, _ = self.requests.recvmsg(1, socket.CMSG_SPACE(fds.itemsize))
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(value[: fds.itemsize])
        if not fds:  # this process has as many open as it may
            return io.BufferedReader(Unreceived())
        os.set_inheritable(fds[0], False)
        if stat.S_ISFIFO(os.fstat(fds[0]).st_mode):
            return arriving(fds[0])
        return open(fds[0], "rb")

    def send_file(self, packet, fd):
        """Send a packet, and after it the open file that it announces."""
        self.send(packet)
        self.answers.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])

    def tell(self, packet):
        """Send a packet if that is possible at once."""
        try:
            self.answers.send(packet, socket.MSG_DONTWAIT)
        except OSError:
            pass  # the server is busy with what was sent before; it will ask again

    def is_abandoned(self, number):
        return self.cells[ABANDONED] == number

    def is_overdue(self):
        return self.answer is not None and self.cells[OVERDUE] == self.answer.number

    def request(self):
        """Return the identifier, method and path of the request that is running, or ''."""
        answer = self.answer
        if answer is None:
            return ""
        return "%s %s %s" % tuple(map(answer.environ.get, ("HTTP_X_REQUEST_ID", "REQUEST_METHOD", "PATH_INFO")))

    def is_asked(self):
        return self.cells[ASKED] or self.cells[ASKED_ALL]

    def asked_all(self):
        """Tell, once, whether the stacks of all threads are wanted."""
        wanted, self.cells[ASKED_ALL] = self.cells[ASKED_ALL], 0
        return wanted != 0

    def asked(self):
        """Return the number of the request whose stack is wanted, once, or 0."""
        number, self.cells[ASKED] = self.cells[ASKED], 0
        return number if self.answer is not None and self.answer.number == number else 0

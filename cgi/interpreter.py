"""The service of the warm runner: an interpreter that forks itself for each script.

It talks with the server over a socket of packets of its own. A packet from the
server is an order: a letter, the number of a script's run in 8 bytes, and what the
order is about. Each order is answered; what is sent to the server are words. Nobody
waits for an answer but to CHECK, but an interpreter that owes one for long is ended.
"""

import _signal
import _socket
import errno
import gc
import marshal
import os
import sys

from . import script
from .template import LIFELINE, PARENT_DEATH, RIGHTS, descriptors

RUN = ord("R")  # (path, identity, arguments, environment) in marshal's format, and the standard streams: run a script
SIGNAL = ord("S")  # its number in a byte: signal a run's process group
CHECK = ord("C")  # (path, identity, environment): may the script be run here?

PACKET = 65536

# What scripts usually import. What of it the scripts of this interpreter do
# import is imported here, so that it is there already. Other modules may do
# things on their import that belong in a script's own process.
USUAL = frozenset(
    """
    argparse ast base64 binascii bisect bz2 calendar codecs collections collections.abc configparser contextlib copy
    csv dataclasses datetime decimal difflib email email.encoders email.header email.message email.mime.multipart
    email.mime.text email.parser email.policy email.utils enum errno fcntl fnmatch fractions functools getopt glob
    gzip hashlib heapq hmac html html.entities html.parser http http.client http.cookies imaplib inspect io ipaddress
    itertools json keyword locale logging logging.handlers lzma math mimetypes numbers operator optparse os.path
    pathlib pickle platform posixpath pprint queue random re secrets select shelve shlex shutil signal smtplib socket
    sqlite3 ssl stat statistics string struct subprocess sysconfig tarfile tempfile textwrap threading time timeit
    traceback types typing unicodedata unittest urllib urllib.error urllib.parse urllib.request urllib.robotparser
    uuid warnings weakref xml.dom.minidom xml.etree.ElementTree xml.sax.saxutils zipfile zlib
    """.split()
)

# Not among them are modules that old scripts start with: Python's own warn of
# themselves on their import, and ours look for those first. This is what either
# kind uses.
USED_BY = {
    "cgi": frozenset(
        """
        codecs collections.abc email.message email.parser html importlib.machinery importlib.util io locale re
        tempfile traceback urllib.parse warnings
        """.split()
    ),
    "cgitb": frozenset(
        """
        html importlib.machinery importlib.util inspect keyword linecache pydoc re reprlib tempfile tokenize traceback
        warnings
        """.split()
    ),
}

MAX_KEPT = 256  # scripts whose code is kept; the server forgets what it has checked at the same number

startup = frozenset()  # names of the modules that each interpreter has from its start
learned = frozenset()  # names of those that others in a script's folder would come before


def load(settings):
    global startup
    if not hasattr(os, "waitid"):  # PyPy
        return {"unfit": "it is no CPython"}
    script.load(settings)
    startup = frozenset(sys.modules) - {"errno", "fcntl", "_socket"}  # those are for us
    sys.path[0] = os.path.dirname(os.__file__)  # until a script's folder stands there
    look_around()
    return {}


def look_around():
    """Take note of the modules that are there."""
    global learned
    script.present = frozenset(sys.modules) - {"__main__"}
    names = frozenset(name for name in script.present - startup if "." not in name)
    learned = names.difference(sys.builtin_module_names)


def serve(settings, number, files):
    os.close(LIFELINE)  # which kills us as soon as the server is gone: scripts have groups of their own, see abandon
    (fd,) = files
    interpreter = Interpreter(_socket.socket(fileno=fd))
    _signal.signal(_signal.SIGCHLD, interpreter.reap)
    _signal.signal(PARENT_DEATH, interpreter.abandon)
    try:
        interpreter.obey()
    finally:
        interpreter.abandon()


class Interpreter:
    def __init__(self, server):
        self.server = server
        self.runs = {}  # by process, the number of the run
        self.early = False  # a process may have ended before it was known

    def obey(self):
        """Carry out orders."""
        while True:
            data, ancillary, _, _ = self.server.recvmsg(PACKET, RIGHTS)
            if not data:  # the server has closed its end, or is gone
                self.abandon()
            order, number = data[0], int.from_bytes(data[1:9], "big")
            if order == RUN:
                self.run(number, data, ancillary[0][2])
            elif order == SIGNAL:
                self.signal(number, data[9])
                self.tell(b"signalled")
            else:
                self.tell(b"checked %s" % self.check(*marshal.loads(data[9:])))

    def run(self, number, data, rights):
        # As little as possible is done before the fork: what both processes write
        # to has to be copied for both.
        try:
            pid = os.fork()
        except OSError as error:
            pid = -1
            self.tell(b"failed %d %d" % (number, error.errno or errno.EAGAIN))
        if pid == 0:
            _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
            _signal.signal(PARENT_DEATH, _signal.SIG_DFL)
            os.setsid()
            self.runs.clear()
            # We tell, and not our parent: were it killed in between, nobody would know us.
            self.tell(b"started %d %d" % (number, os.getpid()))
            self.server.close()
            try:
                script.serve(descriptors(rights), *marshal.loads(data[9:]))  # and end
            except BaseException as error:  # of ours: its folder has gone, or a handler of its signals raises at its end
                sys.__excepthook__(type(error), error, error.__traceback__)
            finally:
                os._exit(1)
        for fd in descriptors(rights):
            os.close(fd)
        if pid > 0:
            self.runs[pid] = number
            if self.early:
                self.early = False
                self.reap()

    def check(self, path, of_file, env):
        """Return why the script would behave differently here than in an interpreter of its own, nothing if it would not.

        What is needed to run it soon is prepared. "again" at the front says that what
        was found for other scripts holds no more.
        """
        script.set_environment(env)  # that of the next request will hardly differ
        others = modules_in(os.path.dirname(path))
        again = False
        if of_file:
            known = script.codes.get(path)
            if known and known.identity == of_file:  # it is its folder that has changed
                of_file_read, code = of_file, known.code
            else:
                # A process that is none of a script's is not for reap.
                _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGCHLD])
                of_file_read, code = read_elsewhere(path)
                _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGCHLD])
            again = of_file_read == of_file and learn(path, of_file, code, others)
        hidden = min(learned & others, default="")
        reason = b"its folder has a module of its own called %s" % os.fsencode(hidden) if hidden else b""
        return b"again %s" % reason if again else b"once %s" % reason

    def signal(self, number, signal):
        # While we look for the process, reap must not make its number another's.
        _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGCHLD])
        for pid, run in self.runs.items():
            if run == number:
                kill(pid, signal)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGCHLD])

    def reap(self, *_):
        """See to the processes that have ended: called for SIGCHLD."""
        while self.runs:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return
            pid = ended.si_pid
            number = self.runs.pop(pid, None)
            if number is None:  # run does not know it yet, or a call that was interrupted is about to reap it
                self.early = True
                return
            kill(pid, _signal.SIGKILL)  # as long as it is not reaped its number means its group
            _, status = os.waitpid(pid, 0)
            self.tell(b"ended %d %d" % (number, status))
        self.early = True  # it may have: one signal can be for several processes

    def tell(self, message):
        try:
            self.server.send(message)
        except OSError:
            self.abandon()

    def abandon(self, *_):
        """End, and all scripts with us: nobody waits for them any more."""
        try:
            for pid in list(self.runs):
                kill(pid, _signal.SIGKILL)
        finally:
            os._exit(0)


def kill(pid, signal):
    """Signal the group that the process leads, or will lead: before that it is alone."""
    try:
        os.killpg(pid, signal)
    except OSError:
        try:
            os.kill(pid, signal)
        except OSError:
            pass


def modules_in(folder):
    """Return the names of the modules that may lie in the folder."""
    return frozenset(os.fsdecode(name).partition(".")[0] for name in os.listdir(folder))


def read_elsewhere(path):
    """Return what script.read does, from a process of its own.

    What compiling takes of memory would be part of each fork, and there are sources
    that end a compiler.
    """
    answer, question = os.pipe()
    try:
        pid = os.fork()
    except OSError:  # there may be no more processes: the script will not get one either
        os.close(answer)
        os.close(question)
        return None, False
    if pid == 0:
        with open(question, "wb") as file:
            marshal.dump(script.read(path), file)
        os._exit(0)
    os.close(question)
    with open(answer, "rb") as file:
        data = file.read()
    os.waitpid(pid, 0)
    return marshal.loads(data) if data else (None, False)


def learn(path, of_file, code, others):
    """Keep the script's code, and import what it imports, so that it is there in the next process.

    others are the names of modules that it would get from elsewhere. Return
    whether something was imported.
    """
    known = script.codes.get(path)
    kept = not known or known.identity != of_file
    if kept:
        if len(script.codes) >= MAX_KEPT:
            script.codes.clear()
        script.codes[path] = script.Known(path, of_file, code)
    names = names_in(code) if code else set()
    wanted = (names & USUAL).union(*(USED_BY[name] for name in names & USED_BY.keys()))
    wanted = [name for name in wanted.difference(sys.modules) if name.partition(".")[0] not in others]
    before = len(sys.modules)
    for name in sorted(wanted):
        try:
            __import__(name)
        except ImportError:  # an interpreter may come without
            pass
    imported = len(sys.modules) != before
    if imported or kept:
        look_around()
        gc.collect()
        getattr(gc, "freeze", lambda: None)()
    return imported


def names_in(code):
    """Return the names that the code uses, those of the modules that it imports among them."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            names |= names_in(constant)
    return names

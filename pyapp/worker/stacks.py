"""Tells what requests or all threads are doing, and breaks a request off, when the server asks.

The server asks by a signal; which request it means stands in the shared page.
The handlers run between two bytecodes of the main thread. They import nothing.
"""

import faulthandler
import linecache
import signal
import sys
import threading

from .frames import MAX_PART, STACKS, frame

MAX_DEPTH = 100  # frames of a stack that are told, the innermost ones
CUT = b"(and %d threads more)\n"


class Overdue(BaseException):
    """The request took longer than the server waits. Do not catch this."""


class Watch:
    """Answers the server's signals for the lanes of this process."""

    def __init__(self, lanes, dump_fd):
        self.lanes = lanes
        self.dump = open(dump_fd, "wb", 0)  # kept: faulthandler has the number only
        self.telling = False

    def listen(self, soft, hard, interrupt):
        """Install the handlers, from the main thread."""
        signal.signal(soft, self.tell)
        signal.signal(interrupt, self.interrupt)
        if hasattr(faulthandler, "register"):  # PyPy has none
            faulthandler.register(hard, self.dump, all_threads=True, chain=False)
        else:
            signal.signal(hard, signal.SIG_IGN)

    def tell(self, signum, stack):
        """Send the stacks of the requests, or of all threads, that were asked for."""
        if self.telling:
            return  # whom this signal interrupts looks once more
        while any([lane.is_asked() for lane in self.lanes]):
            self.telling = True
            try:
                stacks = sys._current_frames()
                stacks[threading.get_ident()] = stack  # not that of this handler
                for lane in self.lanes:
                    number = lane.asked()
                    if number:
                        lane.tell(frame(STACKS, 0, 0, number, b"", describe(stacks.get(lane.thread))))
                    if lane.asked_all():
                        lane.tell(frame(STACKS, 0, 0, 0, b"", self.describe_all(stacks)))
            finally:
                self.telling = False

    def describe_all(self, stacks):
        """Return what all threads are doing, those that run requests first."""
        running = {lane.thread: lane.request() for lane in self.lanes}
        # enumerate() would take a lock that the interrupted code may hold.
        names = {ident: thread.name for ident, thread in dict(getattr(threading, "_active", {})).items()}
        parts = []
        for ident in sorted(stacks, key=lambda ident: (not running.get(ident), ident)):
            head = names.get(ident) or "thread %d" % ident
            if running.get(ident):
                head += ", request " + running[ident]
            elif ident in running:
                head += ", waits for a request"
            parts.append(head.encode("utf-8", "backslashreplace") + b"\n" + describe(stacks[ident]))
        text, told = b"", 0
        for part in parts:
            if len(text) + len(part) > MAX_PART - len(CUT) - 20:
                return text + CUT % (len(parts) - told)
            text, told = text + part, told + 1
        return text

    def interrupt(self, signum, stack):
        """Break off the request of the main thread, if that is the one meant."""
        for lane in self.lanes:
            if lane.thread == threading.get_ident() and lane.is_overdue():
                raise Overdue("the request took too long and was interrupted")


def describe(stack):
    """Return the stack as text like a traceback's, innermost frame last."""
    lines = []
    while stack is not None and len(lines) < MAX_DEPTH:
        code = stack.f_code
        # The first frame of the main thread is what started the interpreter.
        is_ours = code.co_filename.startswith("<gatehouse>") or stack.f_back is None and code.co_filename == "<string>"
        if not is_ours:
            text = linecache.getline(code.co_filename, stack.f_lineno).strip()
            lines.append('  File "%s", line %d, in %s\n' % (code.co_filename, stack.f_lineno, code.co_name))
            if text:
                lines[-1] += "    %s\n" % text
        stack = stack.f_back
    return "".join(reversed(lines)).encode("utf-8", "backslashreplace")[-MAX_PART:]

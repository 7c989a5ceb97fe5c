"""Tells what a request is doing, and breaks it off, when the server asks.

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
        """Send the stacks of the requests that were asked for."""
        if self.telling:
            return
        self.telling = True
        try:
            stacks = sys._current_frames()
            for lane in self.lanes:
                number = lane.asked()
                if number:
                    here = lane.thread == threading.get_ident()
                    text = describe(stack if here else stacks.get(lane.thread))
                    lane.tell(frame(STACKS, 0, 0, number, b"", text))
        finally:
            self.telling = False

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
        if not code.co_filename.startswith("<gatehouse>"):
            text = linecache.getline(code.co_filename, stack.f_lineno).strip()
            lines.append('  File "%s", line %d, in %s\n' % (code.co_filename, stack.f_lineno, code.co_name))
            if text:
                lines[-1] += "    %s\n" % text
        stack = stack.f_back
    return "".join(reversed(lines)).encode("utf-8", "backslashreplace")[-MAX_PART:]

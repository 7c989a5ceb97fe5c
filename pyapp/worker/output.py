"""What the application prints, marked with the request it belongs to."""

import io
import threading

MARK = b"\0"  # stands before and after the request's identifier at a line's start
MORE = b"\0"  # follows the mark of a line that the next one belongs to


class Marked(io.RawIOBase):
    """Writes to a descriptor, each line marked with the request of its thread.

    Lines that are written at once, such as a traceback, are marked as one piece.
    """

    def __init__(self, raw, request_of):
        self._raw = raw
        self._request_of = request_of  # thread identifier -> text, "" for none
        self._in_line = False

    def writable(self):
        return True

    def fileno(self):
        return self._raw.fileno()

    def isatty(self):
        return False

    def write(self, data):
        data = bytes(data)
        request = self._request_of(threading.get_ident())
        marked = data
        if request and data:
            mark = MARK + request.encode("ascii", "replace") + MARK
            *lines, last = data[:-1].split(b"\n")  # a last byte that ends a line begins no other
            marked = b"".join([mark + MORE + line + b"\n" for line in lines]) + mark + last + data[-1:]
            if self._in_line:
                marked = marked[len(mark) + (len(MORE) if lines else 0) :]
        self._in_line = not data.endswith(b"\n") if data else self._in_line
        while marked:
            marked = marked[self._raw.write(marked) or 0 :]
        return len(data)


def marked(fd, request_of):
    """Return a text stream to fd that is flushed after every line."""
    raw = io.FileIO(fd, "w", closefd=False)
    buffer = io.BufferedWriter(Marked(raw, request_of))
    return io.TextIOWrapper(buffer, encoding="utf-8", errors="backslashreplace", line_buffering=True)

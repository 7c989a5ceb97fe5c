"""X-Sendfile and X-Accel-Redirect: the application names a file, the server sends it.

The file is opened here and not by the server, because here the application's
rights hold: what it may not read it cannot have sent.
"""

import errno
import os
import re
import stat
from urllib.parse import unquote_to_bytes

from .frames import END, FAILED, FILE, HEAD, HEADER, LAST, NAMED
from .wsgi import EXTENT, Answer, Misuse

# O_NONBLOCK: to open a FIFO would wait for somebody who writes to it.
FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY

pack = HEADER.pack


class Unsendable(Exception):
    """The file that the application named cannot be sent. The text says why."""

    def __init__(self, text, status=500):
        super().__init__(text)
        self.status = status  # what the client gets


class Elsewhere(Exception):
    """The body is not what the application returns but the file that it named."""


class Rules:
    """Which fields name files, and where those may lie."""

    def __init__(self, sendfile, redirects):
        """sendfile: take X-Sendfile. redirects: URL prefix -> folder, for X-Accel-Redirect."""
        self.redirects = sorted(
            ((os.fsencode(prefix), os.fsencode(folder)) for prefix, folder in redirects.items()),
            key=lambda redirect: -len(redirect[0]),  # the longest prefix that fits decides
        )
        names = [b"x-sendfile"] * sendfile + [b"x-accel-redirect"] * bool(redirects)
        # The end of the line before belongs to that line.
        self.field = re.compile(rb"(?:^|(?<=\n))(%s):[\t ]*([^\r]*?)[\t ]*\r\n" % b"|".join(names), re.IGNORECASE)
        # Fields that speak of another body than the file, which the server measures.
        self.dropped = re.compile(
            rb"(?:^|(?<=\n))(?:%s|content-length|content-range|accept-ranges):[^\r]*\r\n" % b"|".join(names), re.IGNORECASE
        )

    def open(self, field, value):
        """Return a descriptor of the regular file that a field names. Raise Unsendable."""
        if field.lower() == b"x-sendfile":
            if not os.path.isabs(value):
                raise Unsendable("X-Sendfile names %s: give the absolute path of a file" % text_of(value))
            return open_regular("X-Sendfile", value, value)
        path = unquote_to_bytes(value.partition(b"?")[0])
        for prefix, folder in self.redirects:
            if path.startswith(prefix):
                return self.open_below(path, folder, path[len(prefix) :].split(b"/"))
        raise Unsendable(
            "X-Accel-Redirect names %s, which is not below what is configured: %s"
            % (text_of(path), ", ".join("%s=%s" % (text_of(p), text_of(f)) for p, f in self.redirects))
        )

    def open_below(self, path, folder, parts):
        """Open the file that is found from a folder, step by step, following no link."""
        if b"\0" in path or not {b"", b".", b".."}.isdisjoint(parts):
            raise Unsendable("X-Accel-Redirect names %s: give a path without '..' that ends with a file's name" % text_of(path))
        at = None
        try:
            at = os.open(folder, FOLDER)
            for part in parts[:-1]:
                inner = os.open(part, FOLDER | os.O_NOFOLLOW, dir_fd=at)
                os.close(at)
                at = inner
            return open_regular("X-Accel-Redirect", path, parts[-1], os.O_NOFOLLOW, at)
        except OSError as error:
            raise explained("X-Accel-Redirect", path, error) from None
        finally:
            if at is not None:
                os.close(at)


def open_regular(field, name, path, flags=0, dir_fd=None):
    """Open a regular file. Raise Unsendable, which speaks of it as name."""
    try:
        fd = os.open(path, FLAGS | flags, dir_fd=dir_fd)
    except OSError as error:
        raise explained(field, name, error) from None
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise Unsendable("%s names %s, which is not a regular file" % (field, text_of(name)))


def explained(field, name, error):
    """Return the Unsendable for what the system said."""
    why = "a symbolic link, which is not followed" if error.errno == errno.ELOOP else os.strerror(error.errno)
    missing = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
    return Unsendable("%s names %s: %s" % (field, text_of(name), why), 404 if missing else 500)


def text_of(path):
    return os.fsdecode(path).encode("utf-8", "backslashreplace").decode("utf-8")


class NamingAnswer(Answer):
    """An answer whose head may name the file that is the body."""

    __slots__ = ("named", "fields")

    def __init__(self, lane, number, environ):
        super().__init__(lane, number, environ)
        self.named = None  # the match of the field that names a file
        self.fields = b""  # the head without it

    def start(self, status, headers, exc_info=None):
        """start_response of PEP 3333."""
        if self.named and not exc_info:
            raise Misuse("call start_response once, or pass exc_info to replace the first head")
        super().start(status, headers, exc_info)
        rules = self.lane.rules
        self.named = rules.field.search(self.head)
        if self.named:
            # Without a head nothing can be sent in the usual way.
            self.fields, self.head = rules.dropped.sub(b"", self.head), None
        return self.write

    def write(self, block):
        """The write callable of PEP 3333. What is written beside a named file is dropped."""
        if self.named:
            self.check_block(block, "pass bytes to write(), not %s")
        else:
            super().write(block)

    def head_or_misuse(self):
        if self.named:
            raise Elsewhere
        return super().head_or_misuse()

    def deliver(self, result):
        """Send what the application returned or named, and close it, whatever happens."""
        try:
            super().deliver(result)
            return
        except Elsewhere:
            pass  # the result is closed
        fd = self.lane.rules.open(*self.named.groups())
        try:
            size = os.fstat(fd).st_size
            self.begun = True
            self.lane.send(pack(HEAD, NAMED, self.status, self.number, len(self.fields), 0) + self.fields)
            self.lane.send_file(pack(FILE, 0, 0, self.number, 0, EXTENT.size) + EXTENT.pack(0, size), fd)
        finally:
            os.close(fd)
        self.lane.send(pack(END, LAST, 0, self.number, 0, 0))

    def fail(self, error):
        """Report that the application failed. Return whether anybody listens."""
        if not isinstance(error, Unsendable):
            return super().fail(error)
        text = str(error)
        if self.lane.application_place:
            text = "%s:%d: %s" % (*self.lane.application_place, text)
        return self.report(FAILED, LAST, text.encode("utf-8", "backslashreplace")[:4096], status=error.status)

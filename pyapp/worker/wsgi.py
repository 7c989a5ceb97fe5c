"""One WSGI request: calls the application and sends what it answers (PEP 3333)."""

import os
import re
import stat
import struct
import traceback

from .frames import ADVICE, BLOCK, END, FAILED, FILE, HEAD, HEADER, HINTS, LAST, MAX_PART, WHOLE

# Heads seen before, by status and headers: an application sends few different
# ones, and checking costs more than everything else done here.
MAX_CACHED = 512

FIELDS = re.compile(r"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\Z")
STATUS = re.compile(r"[1-9][0-9][0-9] [\t\x20-\x7e\x80-\xff]*\Z")
NUMBER = re.compile(r"[\t ]*[0-9]{1,18}[\t ]*\Z")  # of bytes: 64 bits hold it
HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade".split()
)
LENGTH = re.compile(rb"(?:^|\n)content-length:[\t ]*([0-9]+)[\t ]*\r", re.IGNORECASE)

MAX_HINT = 8192  # bytes of the fields of one call of wsgi.early_hints
MAX_HINTS = 16  # calls for one request; the server takes no more

EXTENT = struct.Struct("<QQ")  # of a file: offset and size

pack = HEADER.pack


class Misuse(Exception):
    """The application broke PEP 3333. The text tells its author what to do."""


class Abandoned(Exception):
    """Nobody waits for the answer any more."""


class FileWrapper:
    """wsgi.file_wrapper: a block-wise iterator that can also be sent as a file."""

    def __init__(self, filelike, block_size=MAX_PART):
        self.filelike = filelike
        self.block_size = block_size
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        block = self.filelike.read(self.block_size)
        if not block:
            raise StopIteration
        return block


class Answer:
    """What the application answers to one request, and how far that is sent."""

    __slots__ = ("lane", "number", "environ", "status", "head", "begun", "left", "in_outbox")

    def __init__(self, lane, number, environ):
        self.lane = lane
        self.number = number
        self.environ = environ
        self.head = None  # set by start: the checked field lines
        self.begun = False  # the head has been sent
        self.left = 0  # bytes of the body still due once begun; -1 if nobody said
        self.in_outbox = False  # the whole response is, and nothing of it is in the socket

    def start(self, status, headers, exc_info=None):
        """start_response of PEP 3333."""
        if exc_info:
            try:
                if self.begun:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # no circular reference through this frame
        elif self.head is not None:
            raise Misuse("call start_response once, or pass exc_info to replace the first head")
        try:
            self.status, self.head = self.lane.heads[(status, *headers)]
        except (KeyError, TypeError):  # not seen before, or of types that make no key
            self.status, self.head = checked(status, headers, self.lane.heads)
        return self.write

    def hint(self, headers):
        """Send fields ahead of the response: 103 Early Hints (RFC 8297)."""
        if self.begun:
            raise Misuse("call wsgi.early_hints before the first part of the response is sent")
        explanation = explain_types(headers) or explain_texts(headers)
        if explanation:
            raise Misuse(explanation)
        head = field_lines(headers)
        if len(head) > MAX_HINT:
            raise Misuse("pass at most %d bytes of headers to wsgi.early_hints, not %d" % (MAX_HINT, len(head)))
        self.lane.send(pack(HINTS, 0, 0, self.number, len(head), 0) + head)

    def write(self, block):
        """The write callable of PEP 3333."""
        self.check_block(block, "pass bytes to write(), not %s")
        if block or not self.begun:
            self.send(block)

    def deliver(self, result):
        """Send what the application returned, and close it, whatever happens."""
        finished = False
        try:
            if result.__class__ is list or result.__class__ is tuple:
                for block in result:
                    self.check_block(block)
                finished = self.finish(b"".join(result))
            elif isinstance(result, FileWrapper) and self.send_file(result):
                pass
            else:
                finished = self.iterate(result)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()
        if finished:
            return
        if self.left > 0 and self.environ["REQUEST_METHOD"] != "HEAD":
            raise Misuse("return as many bytes as Content-Length announces: %d are missing" % self.left)
        end = pack(END, LAST, 0, self.number, 0, 0)
        if self.in_outbox:
            self.lane.conclude(end)
        else:
            self.lane.send(end)

    def iterate(self, result):
        """Send each block as it is produced."""
        try:
            blocks = iter(result)
        except TypeError:
            raise Misuse("return an iterable of bytes, not %s" % kind_of(result)) from None
        if isinstance(result, (str, bytes)):
            raise Misuse("return [body] with body as bytes, not a bare %s" % kind_of(result))
        for block in blocks:
            self.check_block(block)
            if block:
                self.send(block)
        if not self.begun:
            return self.finish(b"", getattr(result, "close", None) is None)
        return False

    def finish(self, body, last=True):
        """Send a body that is all there. Return whether that ended the request."""
        head = self.head if self.begun else self.head_or_misuse()
        if self.begun or len(head) + len(body) > MAX_PART:
            if not self.begun and self.status not in (204, 304) and not LENGTH.search(head):
                self.head = head + b"Content-Length: %d\r\n" % len(body)
            if body or not self.begun:
                self.send(body)
            return False
        self.begun = True
        whole = pack(WHOLE, last, self.status, self.number, len(head), len(body)) + head + body
        if last:
            self.lane.conclude(whole)
        else:
            self.in_outbox = self.lane.leave(whole)
        return last

    def send(self, block):
        """Send a part of the body, the head before it if that is still due."""
        head = b""
        if not self.begun:
            head = self.head_or_misuse()
            length = LENGTH.search(head)
            self.left = int(length.group(1)) if length else -1
            kind, status = HEAD, self.status
            self.begun = True
            if len(block) == self.left and len(head) + len(block) <= MAX_PART:
                # All of it is here: the client need not wait for the
                # application's close() to see the end.
                self.left = 0
                whole = pack(WHOLE, 0, status, self.number, len(head), len(block)) + head + block
                self.in_outbox = self.lane.leave(whole)
                return
        else:
            kind, status = BLOCK, 0
            if self.lane.is_abandoned(self.number):
                raise Abandoned
        if self.left >= 0:
            if len(block) > self.left:
                block = block[: self.left]  # the client could not tell the rest from a next response
                if not block and kind == BLOCK:
                    return  # the response may lie in the outbox: its END would come before this
            self.left -= len(block)
        at = MAX_PART - len(head)
        self.lane.send(pack(kind, 0, status, self.number, len(head), min(at, len(block))) + head + block[:at])
        while at < len(block):
            part = block[at : at + MAX_PART]
            self.lane.send(pack(BLOCK, 0, 0, self.number, 0, len(part)) + part)
            at += MAX_PART

    def send_file(self, wrapper):
        """Pass the file to the server, if it is a regular one. Return whether it was."""
        try:
            fd = wrapper.filelike.fileno()
            info = os.fstat(fd)
            offset = wrapper.filelike.tell()
        except (AttributeError, OSError, ValueError):
            return False
        if not stat.S_ISREG(info.st_mode) or self.begun:
            return False
        head = self.head_or_misuse()
        length = LENGTH.search(head)
        size = max(info.st_size - offset, 0)
        if length:
            if int(length.group(1)) > size:
                return False  # let iterating find out what is wrong
            size = int(length.group(1))
        elif self.status not in (204, 304):
            head += b"Content-Length: %d\r\n" % size
        self.begun = True
        self.lane.send(pack(HEAD, 0, self.status, self.number, len(head), 0) + head)
        self.lane.send_file(pack(FILE, 0, 0, self.number, 0, EXTENT.size) + EXTENT.pack(offset, size), fd)
        return True

    def head_or_misuse(self):
        if self.head is None:
            raise Misuse("call start_response before returning the body")
        return self.head

    def check_block(self, block, advice="return bytes, not %s: encode the text first"):
        if block.__class__ is not bytes and not isinstance(block, bytes):
            raise Misuse(advice % kind_of(block))

    def fail(self, error):
        """Report that the application failed. Return whether anybody listens."""
        if isinstance(error, Abandoned):
            return self.report(END, LAST)
        flags = LAST
        where = place(error) or self.lane.application_place
        if isinstance(error, Misuse):
            flags |= ADVICE
            text, trace = str(error), calls(error)
        else:
            trace = "".join(traceback.format_exception(type(error), error, below_ours(error.__traceback__)))
            text = "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()[-1]
        if where:
            text = "%s:%d: %s" % (where[0], where[1], text)
        head = text.encode("utf-8", "backslashreplace")[:4096]
        body = trace.encode("utf-8", "backslashreplace")[-(MAX_PART - 4096) :]
        return self.report(FAILED, flags, head, body)

    def report(self, kind, flags, head=b"", body=b"", status=0):
        try:
            self.lane.send(pack(kind, flags, status, self.number, len(head), len(body)) + head + body)
        except OSError:
            return False  # the server is gone
        return True


def is_ours(filename):
    return filename.startswith("<gatehouse>")


def below_ours(trace):
    """Return the part of a traceback that begins in the application, or all of it if none does."""
    below = trace
    while below and is_ours(below.tb_frame.f_code.co_filename):
        below = below.tb_next
    return below or trace


def calls(error):
    """Return the application's part of what led to an error of ours, "" if nothing did."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not is_ours(frame.filename)]
    return "Traceback (most recent call last):\n" + "".join(traceback.format_list(frames)) if frames else ""


def place(error):
    """Return file and line of the last frame that is not ours nor the import's, or None."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return error.filename, error.lineno
    found = None
    for frame in traceback.extract_tb(error.__traceback__):
        if not is_ours(frame.filename) and not frame.filename.startswith("<frozen "):
            found = frame.filename, frame.lineno
    return found


def checked(status, headers, cache):
    """Return (status, head) for a head not seen before, or raise Misuse."""
    explanation = explain_status(status) or explain_types(headers) or explain_texts(headers)
    if explanation:
        raise Misuse(explanation)
    head = field_lines(headers)
    if len(head) > MAX_PART // 2:
        raise Misuse("return a head of at most %d bytes, not %d" % (MAX_PART // 2, len(head)))
    if len(cache) >= MAX_CACHED:
        cache.clear()
    found = cache[(status, *map(tuple, headers))] = int(status[:3]), head
    return found


def field_lines(headers):
    """Return checked headers as they stand in a frame."""
    return "".join([name + ": " + value + "\r\n" for name, value in headers]).encode("latin-1")


def explain_status(status):
    """Say what is wrong with the status given to start_response, or ''."""
    if type(status) is not str:
        return 'pass the status as str, such as "200 OK", not %s' % kind_of(status)
    if not STATUS.match(status):
        return 'pass a status of three digits, a space and a reason, such as "200 OK", not %r' % status
    if status[0] == "1":
        return "answer with a final status, not the informational %r" % status
    return ""


def explain_types(headers):
    """Say what is wrong with the types of headers, or ''."""
    if not isinstance(headers, (list, tuple)):
        return "pass the headers as a list of (name, value) tuples, not %s" % kind_of(headers)
    for item in headers:
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            return "pass each header as a (name, value) tuple, not %r" % (item,)
        name, value = item
        for what, part in (("name", name), ("value", value)):
            if type(part) is not str:
                return "pass the %s of header %r as str, not %s" % (what, name, kind_of(part))
    return ""


def explain_texts(headers):
    """Say what is wrong with the texts of headers of the right types, or ''."""
    for name, value in headers:
        line = name + ": " + value
        if "\r" in line or "\n" in line or "\0" in line:
            return "pass header %r without line breaks and NUL: they would split the response" % name
        if not FIELDS.match(line + "\r\n"):
            return "pass header %r with a name of token characters and a value that is Latin-1 text, not %r" % (name, value)
        if name.lower() in HOP_BY_HOP:
            return "leave header %r to the server (PEP 3333 forbids hop-by-hop fields)" % name
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    if lengths and not (len(lengths) == 1 and NUMBER.match(lengths[0])):
        return "pass header 'Content-Length' once, and as a number, not %s" % " and ".join(map(repr, lengths))
    return ""


def kind_of(value):
    return type(value).__name__

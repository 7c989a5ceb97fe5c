"""The frames between a worker and the server: see PROTOCOL.md.

What comes in is marshal, written by the server only. What goes out is plain
binary, because the server trusts no process that runs an application.
"""

import struct

# type, flags, status, request number, length of the head, length of the body
HEADER = struct.Struct("<BBHiII")

READY = 0  # the worker can take requests
WHOLE = 1  # status, head and the whole body
HEAD = 2  # status, head and the first part of a body that goes on
BLOCK = 3  # a part of the body
END = 4  # the request is over, nothing more will come for it
FAILED = 5  # the application failed: head is one sentence, body the traceback
FILE = 6  # the rest of the body is in a file; the next packet brings it
STACKS = 7  # body is what the worker's threads were doing when asked
UNBEGUN = 8  # the request was asked back before it was begun
HINTS = 9  # head is field lines to send ahead of the response

LAST = 1  # flag: the worker is done with the request, no END follows
ADVICE = 2  # flag of FAILED: the head tells the application's author what to return
NAMED = 4  # flag of HEAD: the body is the file that follows, all or parts of it

MAX_PACKET = 65536
MAX_PART = MAX_PACKET - HEADER.size  # head and body of a frame together


def frame(kind, flags, status, number, head=b"", body=b""):
    """Return one frame. Head and body together hold at most MAX_PART bytes."""
    return HEADER.pack(kind, flags, status, number, len(head), len(body)) + head + body


def parse(packet):
    """Yield the frames of a packet as (kind, flags, status, number, head, body).

    Workers do not receive frames of this kind. The tests, and whoever looks at
    a recorded packet, do.
    """
    at = 0
    while at < len(packet):
        kind, flags, status, number, head, body = HEADER.unpack_from(packet, at)
        at += HEADER.size
        if at + head + body > len(packet):
            raise ValueError("frame of %d bytes in a packet with %d left" % (head + body, len(packet) - at))
        yield kind, flags, status, number, packet[at : at + head], packet[at + head : at + head + body]
        at += head + body

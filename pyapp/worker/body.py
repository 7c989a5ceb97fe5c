"""wsgi.input of a request that is still coming in while the application runs."""

import errno
import io
import os
import struct

LENGTH = struct.Struct("<I")  # stands before each piece; 0 ends the body
SIZE = 65536  # of the buffers: a pipe holds no more


class Unreceived(io.RawIOBase):
    """A body whose file this process could not take: every read says so."""

    def readable(self):
        return True

    def readinto(self, room):
        raise OSError(errno.EMFILE, "this worker has too many files open to take the request's body")


class Pieces(io.RawIOBase):
    """Reads a body that comes in pieces through a pipe.

    A pipe that ends without saying that the body has ended is an error: half of
    an upload must not look like all of it.
    """

    def __init__(self, fd):
        os.set_blocking(fd, True)
        self.pipe = open(fd, "rb", SIZE)
        self.left = 0  # bytes of the current piece
        self.ended = False

    def readable(self):
        return True

    def readinto(self, room):
        """Read what is there, and wait if that is nothing."""
        if not self.left and not self.ended:
            head = self.pipe.read(LENGTH.size)
            if len(head) < LENGTH.size:
                raise self.broken()
            (self.left,) = LENGTH.unpack(head)
            self.ended = not self.left
        if self.ended:
            return 0
        n = self.pipe.readinto1(memoryview(room)[: self.left])
        if not n:
            raise self.broken()
        self.left -= n
        return n

    def broken(self):
        return ConnectionAbortedError("the client broke off in the middle of the request's body, or it was refused")

    def close(self):
        self.pipe.close()
        super().close()


def arriving(fd):
    """Return wsgi.input for a body that comes through the pipe fd, which it owns."""
    return io.BufferedReader(Pieces(fd), SIZE)

"""Bodies that come in pieces through a pipe."""

import os
import threading
import unittest

from worker import body


def pieces(*parts, end=True):
    text = b"".join(body.LENGTH.pack(len(p)) + p for p in parts)
    return text + body.LENGTH.pack(0) if end else text


class Arriving(unittest.TestCase):
    def input(self, sent, close=True):
        """Return wsgi.input for what has been sent, and the pipe's writing end."""
        r, w = os.pipe()
        stream = body.arriving(r)
        self.addCleanup(stream.close)
        os.write(w, sent)
        if close:
            os.close(w)
        else:
            self.addCleanup(os.close, w)
        return stream, w

    def test_every_way_to_read(self):
        sent = pieces(b"a\nb", b"b\n", b"c")
        ways = {
            "read": lambda s: (s.read(), b"a\nbb\nc"),
            "read in parts": lambda s: ([s.read(3), s.read(3), s.read(3)], [b"a\nb", b"b\nc", b""]),
            "read nothing": lambda s: (s.read(0), b""),
            "readline": lambda s: ([s.readline(), s.readline(1), s.readline(9), s.readline(), s.readline()], [b"a\n", b"b", b"b\n", b"c", b""]),
            "readlines": lambda s: (s.readlines(), [b"a\n", b"bb\n", b"c"]),
            "readlines with a hint": lambda s: (s.readlines(3), [b"a\n", b"bb\n"]),
            "iteration": lambda s: (list(s), [b"a\n", b"bb\n", b"c"]),
            "over-read": lambda s: ([s.read(100), s.read(100), s.read()], [b"a\nbb\nc", b"", b""]),
        }
        for name, way in ways.items():
            with self.subTest(name):
                got, want = way(self.input(sent)[0])
                self.assertEqual(got, want)

    def test_empty(self):
        stream, _ = self.input(pieces())
        self.assertEqual((stream.read(), stream.readline(), list(stream)), (b"", b"", []))

    def test_what_is_there_is_given_out_before_more_comes(self):
        stream, _ = self.input(pieces(b"line\n", b"par", end=False), close=False)
        self.assertEqual((stream.readline(), stream.read1(100)), (b"line\n", b"par"))

    def test_large_pieces(self):
        parts = [bytes([i]) * (body.SIZE - body.LENGTH.size) for i in range(20)]
        stream, w = self.input(b"", close=False)
        write = os.fdopen(os.dup(w), "wb")

        def send():
            with write:
                write.write(pieces(*parts))

        thread = threading.Thread(target=send)
        thread.start()
        self.assertEqual(stream.read(), b"".join(parts))
        thread.join()

    def test_a_body_that_breaks_off_is_an_error_each_time(self):
        whole = pieces(b"first", b"second")
        for at in range(len(whole)):
            stream, _ = self.input(whole[:at])
            for read in (stream.read, stream.read, lambda: stream.read(1), stream.readline):
                with self.assertRaises(ConnectionAbortedError, msg="cut at %d" % at):
                    while read():
                        pass

    def test_a_pipe_that_does_not_block_is_made_to(self):
        r, w = os.pipe()
        os.set_blocking(r, False)
        with body.arriving(r) as stream:
            thread = threading.Thread(target=os.write, args=(w, pieces(b"late")))
            thread.start()
            self.assertEqual(stream.read(), b"late")
            thread.join()
        os.close(w)


if __name__ == "__main__":
    unittest.main()

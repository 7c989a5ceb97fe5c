"""Files that responses name."""

import os
import tempfile
import unittest

from worker import frames, sendfile, wsgi

from .test_wsgi import Lane


class Naming(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        self.file = os.path.join(self.folder, "file")
        with open(self.file, "wb") as f:
            f.write(b"content")
        self.files = []  # what the server would get
        self.lane = Lane()
        self.lane.send_file = self.send_file
        self.lane.rules = sendfile.Rules(True, {"/a/": self.folder, "/a/b/": "/nowhere"})

    def send_file(self, packet, fd):
        self.lane.send(packet)
        with open(os.dup(fd), "rb") as f:
            self.files.append(f.read())

    def run_app(self, app):
        """Call app as the worker does, the common case left out; return the kinds of frames."""
        answer = sendfile.NamingAnswer(self.lane, 1, {"REQUEST_METHOD": "GET"})
        self.lane.sent = []
        try:
            answer.deliver(app({}, answer.start))
        except Exception as error:
            answer.fail(error)
        return [f[0] for f in self.lane.sent]

    def respond(self, *fields, body=(b"dropped",)):
        def app(environ, start):
            start("200 OK", list(fields))
            return list(body)

        return self.run_app(app)

    def test_frames(self):
        kinds = self.respond(("A", "b"), ("X-Sendfile", self.file), ("Content-Length", "7"), ("C", "d"))
        self.assertEqual(kinds, [frames.HEAD, frames.FILE, frames.END])
        self.assertEqual([f[1] for f in self.lane.sent], [frames.NAMED, 0, frames.LAST])
        self.assertEqual(self.lane.sent[0][4], b"A: b\r\nC: d\r\n")
        self.assertEqual(wsgi.EXTENT.unpack(self.lane.sent[1][5]), (0, 7))
        self.assertEqual(self.files, [b"content"])

    def test_the_field_may_stand_anywhere_and_be_spelled_anyhow(self):
        for fields in (
            [("x-sendfile", self.file), ("A", "b")],
            [("A", "b"), ("X-SENDFILE", " %s " % self.file)],
            [("X-Sendfile", self.file), ("A", "b"), ("X-Sendfile", "/none"), ("X-Accel-Redirect", "/none")],
        ):
            self.assertEqual(self.respond(*fields), [frames.HEAD, frames.FILE, frames.END], fields)
            self.assertEqual(self.lane.sent[0][4], b"A: b\r\n")

    def test_other_fields_name_nothing(self):
        for field in (("X-Sendfile-Type", self.file), ("A", "X-Sendfile: " + self.file), ("My-X-Sendfile", self.file)):
            self.assertEqual(self.respond(field), [frames.WHOLE], field)

    def test_a_head_without_a_file_is_sent_as_ever(self):
        self.assertEqual(self.respond(("A", "b")), [frames.WHOLE])
        self.assertEqual(self.lane.sent[0][4:], (b"A: b\r\n", b"dropped"))

    def test_exc_info_takes_a_file_back(self):
        def app(environ, start):
            start("200 OK", [("X-Sendfile", self.file)])
            try:
                raise ValueError
            except ValueError as error:
                start("500 No", [], (ValueError, error, error.__traceback__))
            return [b"sorry"]

        self.assertEqual(self.run_app(app), [frames.WHOLE])
        self.assertEqual(self.lane.sent[0][5], b"sorry")

    def test_the_body_is_closed_once_and_before_the_file_is_sent(self):
        order = []

        class Result(list):
            def close(inner):
                order.append([f[0] for f in self.lane.sent])

        def app(environ, start):
            start("200 OK", [("X-Sendfile", self.file)])
            return Result([b"dropped"])

        self.run_app(app)
        self.assertEqual(order, [[]])

    def test_no_descriptor_is_left(self):
        descriptors = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
        os.symlink(self.file, os.path.join(self.folder, "link"))
        os.mkfifo(os.path.join(self.folder, "fifo"))
        before = len(os.listdir(descriptors))
        for value in ("/a/file", "/a/none", "/a/x/y", "/a/file/x", "/a/link", "/a/fifo", "/a/../x", "/a/b/file", "/b", ""):
            self.respond(("X-Accel-Redirect", value))
        self.assertEqual(len(os.listdir(descriptors)), before)

    def test_what_cannot_be_sent_says_why(self):
        os.symlink(self.file, os.path.join(self.folder, "link"))
        for value, status, text in (
            ("/a/none", 404, "X-Accel-Redirect names /a/none: No such file or directory"),
            ("/a/b/file", 404, "X-Accel-Redirect names /a/b/file: No such file or directory"),
            ("/a/link", 500, "X-Accel-Redirect names /a/link: a symbolic link, which is not followed"),
            ("/a/%2e%2e/x", 500, "X-Accel-Redirect names /a/../x: give a path without '..' that ends with a file's name"),
            ("/b", 500, "X-Accel-Redirect names /b, which is not below what is configured: /a/b/=/nowhere, /a/=%s" % self.folder),
        ):
            with self.subTest(value):
                self.assertEqual(self.respond(("X-Accel-Redirect", value)), [frames.FAILED])
                _, flags, got, _, head, body = self.lane.sent[0]
                self.assertEqual((flags, got, head.decode(), body), (frames.LAST, status, "app.py:1: " + text, b""))


if __name__ == "__main__":
    unittest.main()

"""A lane at work in this process, at the other end of a real socket."""

import marshal
import os
import signal
import socket
import tempfile
import threading
import unittest
from wsgiref.validate import validator

from worker import frames, stacks, worker


class LaneAtWork(unittest.TestCase):
    def start(self, application):
        kind = getattr(socket, "SOCK_SEQPACKET", socket.SOCK_STREAM)
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        self.addCleanup(self.ours.close)
        self.addCleanup(theirs.close)
        worker.loaded["application"] = validator(application)
        self.cells = memoryview(bytearray(8 * worker.ROW)).cast("Q")
        self.lane = worker.Lane(theirs, self.cells, threaded=False)
        thread = threading.Thread(target=self.lane.run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.hang_up, self.ours)

    def hang_up(self, ours):
        try:
            ours.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the lane has ended and closed its end

    def ask(self, number, body=b"", **extra):
        environ = {
            "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "localhost",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
        }
        environ.update(extra)
        self.ours.send(marshal.dumps((number, environ, body), 2))

    def frames(self):
        return list(frames.parse(self.ours.recv(frames.MAX_PACKET)))

    def test_requests_one_after_the_other(self):
        def app(environ, start):
            body = environ["wsgi.input"].read(10)
            start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
            return [body]

        self.start(app)
        for number in (1, 2):
            self.ask(number, b"body", CONTENT_LENGTH="4")
            got = self.frames()
            self.assertEqual([(f[0], f[3], f[5]) for f in got], [(frames.WHOLE, number, b"body")])
            self.assertEqual([f[0] for f in self.frames()], [frames.END])
            self.assertEqual(self.cells[worker.RUNNING], number)

    def test_body_in_a_file(self):
        def app(environ, start):
            lines = environ["wsgi.input"].readlines()
            start("200 OK", [("Content-Type", "text/plain")])
            return [b"|".join(lines)]

        self.start(app)
        with tempfile.TemporaryFile() as f:
            f.write(b"a\nb")
            f.seek(0)
            self.ask(1, None)
            self.ours.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, f.fileno().to_bytes(4, "little"))])
            self.assertEqual(self.frames()[0][5], b"a\n|b")
            self.assertEqual(self.frames()[0][0], frames.END)

    def test_stop_ends_the_lane(self):
        self.start(lambda environ, start: None)
        self.ours.send(marshal.dumps((0, None, None), 2))

    def test_system_exit_ends_the_request_only(self):
        def app(environ, start):
            raise SystemExit(1)

        self.start(app)
        for number in (1, 2):
            self.ask(number)
            self.assertEqual([(f[0], f[3]) for f in self.frames()], [(frames.FAILED, number)])


class Stacks(unittest.TestCase):
    def test_stack_of_a_running_request_is_told_once(self):
        told = []

        class Lane:
            thread = threading.get_ident()
            wanted = [7, 0]

            def asked(self):
                return self.wanted.pop(0)

            def tell(self, packet):
                told.extend(frames.parse(packet))

            def is_overdue(self):
                return False

        with open(os.devnull, "wb") as null:
            watch = stacks.Watch([Lane()], os.dup(null.fileno()))
        self.addCleanup(watch.dump.close)
        before = signal.signal(signal.SIGUSR1, watch.tell)
        self.addCleanup(signal.signal, signal.SIGUSR1, before)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGUSR1)
        self.assertEqual([f[:4] for f in told], [(frames.STACKS, 0, 0, 7)])
        self.assertIn(b"test_stack_of_a_running_request_is_told_once", told[0][5])


if __name__ == "__main__":
    unittest.main()

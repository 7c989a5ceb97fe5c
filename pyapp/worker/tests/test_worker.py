"""A lane at work in this process, at the other end of a real socket."""

import errno
import marshal
import os
import signal
import socket
import sys
import tempfile
import threading
import unittest
from wsgiref.validate import validator

from worker import frames, stacks, worker


class LaneAtWork(unittest.TestCase):
    def start(self, application, valid=True, hold=60):
        before, worker.HOLD = worker.HOLD, hold
        self.addCleanup(setattr, worker, "HOLD", before)
        kind = getattr(socket, "SOCK_SEQPACKET", socket.SOCK_STREAM)
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        self.addCleanup(self.ours.close)
        self.addCleanup(theirs.close)
        worker.loaded["application"] = validator(application) if valid else application
        self.cells = memoryview(bytearray(8 * worker.ROW)).cast("Q")
        self.memory = bytearray(worker.OUTBOX)
        self.outbox = worker.Outbox(self.memory, 0, self.cells)
        # One socket for both directions is as good here.
        self.lane = worker.Lane(theirs, theirs, self.cells, self.outbox, threaded=False)
        thread = threading.Thread(target=self.lane.run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.hang_up, self.ours)

    def hang_up(self, ours):
        try:
            ours.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the lane has ended and closed its end

    def request(self, number, body=b"", **extra):
        environ = {
            "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "localhost",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
        }
        environ.update(extra)
        return number, environ, body

    def ask(self, number, body=b"", **extra):
        self.send([self.request(number, body, **extra)])

    def send(self, requests, epoch=0):
        self.ours.send(marshal.dumps(requests[::-1] + [epoch], 2))

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
            if worker.ORDERED:  # what the application's close() follows is left, not sent
                filled = self.cells[worker.TAKEN] = self.cells[worker.FILLED]
                got[:0] = frames.parse(bytes(self.memory[: filled % worker.LAP]))
            else:
                got += self.frames()
            self.assertEqual([(f[0], f[3], f[5]) for f in got], [(frames.WHOLE, number, b"body"), (frames.END, number, b"")])
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

    def plain(self, environ, start):
        start("200 OK", [("Content-Type", "text/plain")])
        return [environ["PATH_INFO"].encode()]

    def three(self, first):
        return [self.request(first + i, PATH_INFO="/%d" % (first + i)) for i in range(3)]

    def test_outbox_holds_the_answers_of_a_packet_but_the_last(self):
        self.start(self.plain, valid=False)
        self.outbox.size = worker.OUTBOX  # also where workers do without
        lap = end = 0
        for number, take in ((1, True), (4, False), (7, True), (10, True)):
            self.send(self.three(number))
            self.assertEqual([f[3] for f in self.frames()], [number + 2])
            filled = self.cells[worker.FILLED]
            if filled // worker.LAP != lap:
                lap, end = lap + 1, 0
            self.assertEqual(filled // worker.LAP, lap)
            left = list(frames.parse(bytes(self.memory[end : filled % worker.LAP])))
            self.assertEqual([(f[0], f[1], f[3], f[5]) for f in left], [
                (frames.WHOLE, frames.LAST, n, b"/%d" % n) for n in (number, number + 1)])
            end = filled % worker.LAP
            if take:
                self.cells[worker.TAKEN] = filled
        self.assertEqual(lap, 2)  # not begun anew while something had not been taken

    def test_answers_that_have_taken_long_are_sent(self):
        self.start(self.plain, valid=False, hold=0)
        self.send(self.three(1))
        self.assertEqual([self.frames()[0][3] for _ in range(3)], [1, 2, 3])

    def test_answers_that_do_not_fit_into_the_outbox_are_sent(self):
        def app(environ, start):
            start("200 OK", [("Content-Type", "text/plain")])
            return [b"x" * 40000]

        self.start(app, valid=False)
        self.send(self.three(1))
        sent = 3 - worker.ORDERED
        self.assertEqual([self.frames()[0][3] for _ in range(sent)], [1, 2, 3][-sent:])

    def test_requests_of_another_epoch_are_not_begun(self):
        begun = []

        def app(environ, start):
            begun.append(environ["PATH_INFO"])
            if len(begun) == 1:
                self.cells[worker.EPOCH] = 1  # asked back while this one runs
            return self.plain(environ, start)

        self.start(app, valid=False)
        self.send(self.three(1))
        self.send([self.request(4)])
        self.send([self.request(5)], epoch=1)
        got = [[(f[0], f[3]) for f in self.frames()] for _ in range(4 - worker.ORDERED)]
        self.assertEqual(got[-3:], [[(frames.UNBEGUN, 3), (frames.UNBEGUN, 2)], [(frames.UNBEGUN, 4)], [(frames.WHOLE, 5)]])
        self.assertEqual(begun, ["/1", "/"])

    def test_what_is_too_much_of_a_body_is_not_sent_behind_its_end(self):
        def app(environ, start):
            start("200 OK", [("Content-Length", "4")])
            yield b"body"
            yield b"more"

        self.start(app, valid=False)
        self.send(self.three(1))
        got = self.frames()
        self.assertEqual([(f[0], f[3]) for f in got], [(frames.END, 3)] if worker.ORDERED else [(frames.WHOLE, 1)])

    def test_request_is_not_broken_off_once_its_last_frame_is_on_its_way(self):
        def app(environ, start):
            self.cells[worker.OVERDUE] = 1
            start("200 OK", [])
            return [b"two ", b"blocks"]

        overdue, put = [], worker.Outbox.put

        def watched(outbox, frames):
            overdue.append(self.lane.is_overdue())
            return put(outbox, frames)

        self.addCleanup(setattr, worker.Outbox, "put", put)
        worker.Outbox.put = watched
        self.start(app, valid=False)
        self.send(self.three(1))
        while len(overdue) < 2:
            self.frames()
        self.assertEqual(overdue, [False, False])

    def test_body_through_a_pipe(self):
        def app(environ, start):
            lines = environ["wsgi.input"].readlines()
            start("200 OK", [("Content-Type", "text/plain")])
            return [b"|".join(lines)]

        self.start(app)
        r, w = os.pipe()
        os.write(w, b"\3\0\0\0a\nb\0\0\0\0")
        self.ask(1, None)
        self.ours.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, r.to_bytes(4, "little"))])
        self.assertEqual(self.frames()[0][5], b"a\n|b")
        self.assertEqual(self.frames()[0][0], frames.END)
        os.close(r)
        self.ask(2)
        self.frames()  # the second request has begun: the first one's body is closed
        with self.assertRaises(BrokenPipeError):  # the worker has closed its end
            os.write(w, b"more")
        os.close(w)

    def test_early_hints(self):
        def app(environ, start):
            environ["wsgi.early_hints"]([("Link", "</a>"), ("Link", "</b>")])
            environ["wsgi.early_hints"]([])
            start("200 OK", [("Content-Type", "text/plain")])
            return [b""]

        self.start(app)
        self.ask(1)
        got = self.frames() + self.frames()
        self.assertEqual([f[:5] for f in got], [(frames.HINTS, 0, 0, 1, b"Link: </a>\r\nLink: </b>\r\n"), (frames.HINTS, 0, 0, 1, b"")])

    def test_early_hints_that_are_refused(self):
        ok = [("Link", "</a>")]
        cases = {
            "too late": (lambda hint, start: (start("200 OK", [])(b"x"), hint(ok)), "before the first part of the response"),
            "types": (lambda hint, start: hint([("Link", b"</a>")]), "pass the value of header 'Link' as str, not bytes"),
            "no list": (lambda hint, start: hint("Link: </a>"), "pass the headers as a list of (name, value) tuples, not str"),
            "injection": (lambda hint, start: hint([("Link", "</a>\r\nX: y")]), "pass header 'Link' without line breaks"),
            "hop by hop": (lambda hint, start: hint([("Connection", "close")]), "leave header 'Connection' to the server"),
            "size": (lambda hint, start: hint([("A", "x" * 8188)]), "pass at most 8192 bytes of headers to wsgi.early_hints, not 8193"),
            "number": (lambda hint, start: [hint(ok) for _ in range(17)], "call wsgi.early_hints at most 16 times"),
        }

        def app(environ, start):
            cases[environ["HTTP_CASE"]][0](environ["wsgi.early_hints"], start)

        self.start(app, valid=False)
        for number, (name, (_, advice)) in enumerate(cases.items(), 1):
            with self.subTest(name):
                self.ask(number, HTTP_CASE=name)
                got = self.frames()
                while got[-1][0] != frames.FAILED:
                    got = self.frames()
                self.assertEqual(got[-1][1], frames.LAST | frames.ADVICE)
                self.assertIn(advice, got[-1][4].decode())

    def test_early_hints_are_counted_for_each_request(self):
        def app(environ, start):
            for _ in range(16):
                environ["wsgi.early_hints"]([])
            start("200 OK", [])
            return [b""]

        self.start(app, valid=False)
        for number in (1, 2):
            self.ask(number)
            self.assertEqual([self.frames()[0][0] for _ in range(17)], [frames.HINTS] * 16 + [frames.WHOLE])

    def test_early_hints_from_another_thread(self):
        errors = []

        def app(environ, start):
            def hint():
                try:
                    environ["wsgi.early_hints"]([])
                except Exception as error:
                    errors.append(str(error))

            thread = threading.Thread(target=hint)
            thread.start()
            thread.join()
            start("200 OK", [])
            return [b""]

        self.start(app, valid=False)
        self.ask(1)
        self.assertEqual([f[0] for f in self.frames()], [frames.WHOLE])
        self.assertIn("in the thread that runs the request", errors[0])

    def test_body_that_cannot_be_received_is_an_error_of_its_request(self):
        def app(environ, start):
            with self.assertRaises(OSError) as caught:
                environ["wsgi.input"].read()
            start("200 OK", [("Content-Type", "text/plain")])
            return [str(caught.exception.errno).encode()]

        self.start(app, valid=False)
        self.ask(1, None)
        self.ours.send(b"\0")  # what came with it was dropped: no descriptor was free
        self.assertEqual(self.frames()[0][5], str(errno.EMFILE).encode())

    def test_stop_ends_the_lane(self):
        self.start(lambda environ, start: None)
        self.send([(0, None, None)])

    def test_system_exit_ends_the_request_only(self):
        def app(environ, start):
            raise SystemExit(1)

        self.start(app)
        for number in (1, 2):
            self.ask(number)
            self.assertEqual([(f[0], f[3]) for f in self.frames()], [(frames.FAILED, number)])


class Find(unittest.TestCase):
    def find(self, name, file, text):
        """Return what the name finds in a folder that holds the file."""
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, file), "w") as f:
                f.write(text)
            before = set(sys.modules)
            try:
                return worker.find(name, folder)
            finally:
                for module in set(sys.modules) - before:
                    del sys.modules[module]

    def test_a_file_of_any_name(self):
        text = "import sys\ndef application(): return __name__, sys.modules[__name__].application is application\n"
        for file, module in (("page.py", "page"), ("my-page 2.py", "my-page 2"), ("a.b.py", "a_b"), ("platform.py", "file_platform")):
            with self.subTest(file):
                found = self.find(file, file, text)
                self.assertEqual(found.__module__, module)
                self.assertEqual(found.__code__.co_firstlineno, 2)

    def test_a_name_in_a_file(self):
        self.assertIs(self.find("page.py:make()", "page.py", "def make(): return print\n"), print)
        with self.assertRaises(AttributeError):
            self.find("page.py", "page.py", "app = print\n")
        with self.assertRaises(TypeError):
            self.find("page.py", "page.py", "application = 1\n")
        with self.assertRaises(ZeroDivisionError):
            self.find("page.py", "page.py", "1 / 0\n")


class Stacks(unittest.TestCase):
    def test_stack_of_a_running_request_is_told_once(self):
        told = []

        class Lane:
            thread = threading.get_ident()
            wanted = [7, 0]

            def asked(self):
                return self.wanted.pop(0)

            def is_asked(self):
                return self.wanted[0]

            def asked_all(self):
                return False

            def tell(self, packet):
                told.extend(frames.parse(packet))

        self.listen([Lane()])
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGUSR1)
        self.assertEqual([f[:4] for f in told], [(frames.STACKS, 0, 0, 7)])
        self.assertIn(b"test_stack_of_a_running_request_is_told_once", told[0][5])

    def test_question_that_comes_while_one_is_answered_is_answered_too(self):
        told, asked = [], 2

        class Lane(worker.Lane):
            def __init__(self):
                self.thread, self.answer = threading.get_ident(), None
                self.cells = [0, 0, 0, 0, 0, 0, 0, 1]

            def tell(self, packet):
                told.extend(frames.parse(packet))
                if len(told) < asked:
                    self.cells[worker.ASKED_ALL] = 1
                    os.kill(os.getpid(), signal.SIGUSR1)  # its handler runs before this one is done

        self.listen([Lane()])
        os.kill(os.getpid(), signal.SIGUSR1)
        self.assertEqual([f[:4] for f in told], [(frames.STACKS, 0, 0, 0)] * asked)

    def test_stacks_of_all_threads_are_told_once_and_fit_into_a_packet(self):
        told, end = [], threading.Event()

        class Lane(worker.Lane):
            def __init__(self, thread, answer):
                self.thread, self.answer = thread, answer
                self.cells = [0] * worker.ROW

            def tell(self, packet):
                told.extend(frames.parse(packet))

        class Answer:
            number = 3
            environ = {"HTTP_X_REQUEST_ID": "abc", "REQUEST_METHOD": "GET", "PATH_INFO": "/slow"}

        def wait_below(depth):
            return wait_below(depth - 1) if depth else end.wait()

        for count in (1, 20):
            with self.subTest(threads=count):
                told.clear()
                end.clear()
                threads = [threading.Thread(target=wait_below, args=(60,), name="other-%d" % i) for i in range(count)]
                for thread in threads:
                    thread.start()
                lanes = [Lane(threading.get_ident(), Answer()), Lane(threads[0].ident, None)]
                lanes[0].cells[worker.ASKED_ALL] = 1
                self.listen(lanes)
                for _ in range(2):
                    os.kill(os.getpid(), signal.SIGUSR1)
                end.set()
                for thread in threads:
                    thread.join()
                (got,) = told
                self.assertEqual(got[:4], (frames.STACKS, 0, 0, 0))
                self.assertTrue(got[5].startswith(b"MainThread, request abc GET /slow\n"), got[5])
                self.assertIn(b"test_stacks_of_all_threads_are_told_once", got[5])
                if count == 1:
                    self.assertIn(b"other-0, waits for a request\n", got[5])
                    self.assertIn(b"in wait_below", got[5])
                else:
                    self.assertRegex(got[5], rb"\(and \d+ threads more\)\n\Z")

    def listen(self, lanes):
        with open(os.devnull, "wb") as null:
            watch = stacks.Watch(lanes, os.dup(null.fileno()))
        self.addCleanup(watch.dump.close)
        before = signal.signal(signal.SIGUSR1, watch.tell)
        self.addCleanup(signal.signal, signal.SIGUSR1, before)


if __name__ == "__main__":
    unittest.main()

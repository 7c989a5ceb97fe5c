"""Answers of applications, without a server: a lane that keeps what is sent."""

import io
import sys
import unittest

from worker import frames, wsgi


class Lane:
    """Collects the frames that an answer sends."""

    application_place = ("app.py", 1)

    def __init__(self):
        self.heads = {}
        self.sent = []
        self.abandoned = 0

    def send(self, packet):
        if len(packet) > frames.MAX_PACKET:
            raise AssertionError("packet of %d bytes" % len(packet))
        self.sent.extend(frames.parse(packet))

    def leave(self, frame):
        self.send(frame)
        return True

    def conclude(self, frame):
        self.send(frame)

    def is_abandoned(self, number):
        return number == self.abandoned


class Case(unittest.TestCase):
    def setUp(self):
        self.lane = Lane()

    def run_app(self, app):
        """Call app as the worker does; return the frames it causes."""
        answer = wsgi.Answer(self.lane, 1, {"REQUEST_METHOD": "GET"})
        try:
            answer.deliver(app({}, answer.start))
        except Exception as error:
            answer.fail(error)
        return self.lane.sent

    def kinds(self):
        return [f[0] for f in self.lane.sent]

    def body(self):
        return b"".join(f[5] for f in self.lane.sent)


class Delivery(Case):
    def test_list_is_one_frame(self):
        def app(environ, start):
            start("200 OK", [("A", "b")])
            return [b"one", b"two"]

        self.assertEqual(self.run_app(app), [(frames.WHOLE, frames.LAST, 200, 1, b"A: b\r\n", b"onetwo")])

    def test_long_list_is_cut_and_gets_a_length(self):
        def app(environ, start):
            start("200 OK", [])
            return [b"x" * 200000]

        self.run_app(app)
        self.assertEqual(self.lane.sent[0][4], b"Content-Length: 200000\r\n")
        self.assertEqual(self.kinds(), [frames.HEAD] + [frames.BLOCK] * 3 + [frames.END])
        self.assertEqual(len(self.body()), 200000)

    def test_list_at_the_packet_limit(self):
        for extra, kinds in ((0, [frames.WHOLE]), (1, [frames.HEAD, frames.BLOCK, frames.END])):
            self.lane.sent = []

            def app(environ, start):
                start("200 OK", [])
                return [b"x" * (frames.MAX_PART + extra)]

            self.run_app(app)
            self.assertEqual(self.kinds(), kinds)

    def test_generator_sends_each_block(self):
        seen = []

        def app(environ, start):
            start("200 OK", [])
            yield b"a"
            seen.append(self.body())
            yield b""
            yield b"b"

        self.run_app(app)
        self.assertEqual(seen, [b"a"])
        self.assertEqual(self.kinds(), [frames.HEAD, frames.BLOCK, frames.END])

    def test_announced_length_that_is_reached_ends_the_response_before_close(self):
        order = []

        class Result(list):
            def close(inner):
                order.append(self.kinds())

        def app(environ, start):
            start("200 OK", [("Content-Length", "2")])
            return Result([b"ab"])

        self.run_app(app)
        self.assertEqual(order, [[frames.WHOLE]])
        self.assertEqual(self.kinds(), [frames.WHOLE, frames.END])
        self.assertEqual([f[1] for f in self.lane.sent], [0, frames.LAST])

    def test_exactly_one_frame_is_the_last(self):
        def fails(environ, start):
            start("200 OK", [])
            yield b"a"
            raise ValueError

        def fails_at_close(environ, start):
            class Result(list):
                def close(inner):
                    raise ValueError

            start("200 OK", [])
            return Result([b"a"])

        for app in (fails, fails_at_close, lambda e, s: None, lambda e, s: [b""]):
            self.lane.sent = []
            self.run_app(app)
            self.assertEqual([f[1] & frames.LAST for f in self.lane.sent].count(frames.LAST), 1, self.lane.sent)
            self.assertTrue(self.lane.sent[-1][1] & frames.LAST)

    def test_abandoned_stream_is_closed(self):
        closed = []

        def app(environ, start):
            start("200 OK", [])
            try:
                yield b"a"
                self.lane.abandoned = 1
                while True:
                    yield b"b"
            finally:
                closed.append(True)

        self.run_app(app)
        self.assertEqual(closed, [True])
        self.assertEqual(self.kinds(), [frames.HEAD, frames.END])

    def test_more_than_announced_is_cut(self):
        def app(environ, start):
            start("200 OK", [("Content-Length", "3")])
            yield b"ab"
            yield b"cd"

        self.run_app(app)
        self.assertEqual(self.body(), b"abc")

    def test_exc_info_replaces_a_head_that_was_not_sent(self):
        def app(environ, start):
            start("200 OK", [])
            try:
                raise ValueError
            except ValueError:
                start("500 No", [], sys.exc_info())
            return [b""]

        self.assertEqual(self.run_app(app)[0][2], 500)

    def test_exc_info_raises_again_when_the_head_was_sent(self):
        def app(environ, start):
            start("200 OK", [])(b"sent")
            try:
                raise ValueError("original")
            except ValueError:
                start("500 No", [], sys.exc_info())

        self.run_app(app)
        self.assertEqual(self.kinds(), [frames.HEAD, frames.FAILED])
        self.assertIn(b"ValueError: original", self.lane.sent[-1][4])

    def test_file_wrapper_without_descriptor_is_iterated(self):
        def app(environ, start):
            start("200 OK", [])
            return wsgi.FileWrapper(io.BytesIO(b"abcdef"), 4)

        self.run_app(app)
        self.assertEqual(self.body(), b"abcdef")


class Heads(Case):
    def test_a_head_seen_before_is_still_checked_for_types(self):
        for value in ("1", 1):
            self.lane.sent = []

            def app(environ, start):
                start("200 OK", [("A", value)])
                return [b""]

            self.run_app(app)
        self.assertEqual(self.kinds(), [frames.FAILED])

    def test_cache_is_bounded(self):
        for i in range(2 * wsgi.MAX_CACHED):

            def app(environ, start):
                start("200 OK", [("A", str(i))])
                return [b""]

            self.run_app(app)
        self.assertLessEqual(len(self.lane.heads), wsgi.MAX_CACHED)

    def test_status_and_headers_cannot_be_mixed_up_in_the_cache(self):
        def first(environ, start):
            start("200 OK", [("A", "b")])
            return [b""]

        def second(environ, start):
            start("200 OK\nA: b\r", [])
            return [b""]

        self.run_app(first)
        self.run_app(second)
        self.assertEqual(self.kinds(), [frames.WHOLE, frames.FAILED])


if __name__ == "__main__":
    unittest.main()

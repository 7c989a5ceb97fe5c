"""What is printed carries the mark of its request."""

import os
import unittest

from worker import output


class Marks(unittest.TestCase):
    def written(self, write, request):
        r, w = os.pipe()
        stream = output.marked(w, lambda thread: request)
        write(stream)
        stream.flush()
        os.close(w)
        with open(r, "rb") as f:
            return f.read()

    def test_every_line_is_marked(self):
        self.assertEqual(self.written(lambda s: print("a\nb", file=s), "id"), b"\0id\0\0a\n\0id\0b\n")

    def test_lines_that_continue_one(self):
        def write(stream):
            for part in ("a", "b\nc\n\nd", "\n"):
                stream.write(part)
                stream.flush()

        self.assertEqual(self.written(write, "id"), b"\0id\0ab\n\0id\0\0c\n\0id\0\0\n\0id\0d\n")

    def test_a_line_in_parts_is_marked_once(self):
        def write(stream):
            for part in ("a", "b", "\n", "c\n"):
                stream.write(part)
                stream.flush()

        self.assertEqual(self.written(write, "id"), b"\0id\0ab\n\0id\0c\n")

    def test_no_mark_without_a_request(self):
        self.assertEqual(self.written(lambda s: print("a\nb", file=s), ""), b"a\nb\n")

    def test_lone_surrogates_are_escaped(self):
        self.assertEqual(self.written(lambda s: print("\udcff", file=s), ""), b"\\udcff\n")


if __name__ == "__main__":
    unittest.main()

"""Forms: what scripts are told of them, and what a hostile client cannot do."""

import io
import os
import sys
import tempfile
import time
import unittest
from contextlib import redirect_stdout
from unittest import mock

from gatehouse_compat import cgi

FORM = "application/x-www-form-urlencoded"


def form(body=b"", kind="multipart/form-data; boundary=b", method="POST", query=None, length=None, make=cgi.FieldStorage, **more):
    environ = {"REQUEST_METHOD": method, "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body) if length is None else length)}
    if query is not None:
        environ["QUERY_STRING"] = query
    return make(io.BytesIO(body), environ=environ, **more)


def part(head, value):
    return b"--b\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + value + b"\r\n"


END = b"--b--\r\n"


class Forms(unittest.TestCase):
    def test_it_is_like_a_dict(self):
        f = form(b"a=1&b=2&a=3&c=", FORM)
        self.assertEqual(f.keys(), ["a", "b"])
        self.assertEqual(list(f), ["a", "b"])
        self.assertEqual(len(f), 2)
        self.assertTrue(f)
        self.assertIn("a", f)
        self.assertNotIn("c", f)
        self.assertEqual(repr(f["b"]), "MiniFieldStorage('b', '2')")
        self.assertEqual([x.value for x in f["a"]], ["1", "3"])
        self.assertEqual([f.getvalue("a"), f.getvalue("b"), f.getvalue("c"), f.getvalue("c", 5)], [["1", "3"], "2", None, 5])
        self.assertEqual([f.getfirst("a"), f.getfirst("c", "x"), f.getlist("a"), f.getlist("c")], ["1", "x", ["1", "3"], []])
        self.assertEqual(repr(f), "FieldStorage(None, None, %r)" % f.list)
        with self.assertRaises(KeyError):
            f["c"]
        self.assertFalse(form(b"", FORM))

    def test_the_list_may_be_changed(self):
        f = form(b"a=1", FORM)
        self.assertNotIn("b", f)
        f.list.append(cgi.MiniFieldStorage("b", "2"))
        self.assertEqual(f.getvalue("b"), "2")
        f.list[0] = cgi.MiniFieldStorage("c", "3")
        self.assertEqual(f.keys(), ["c", "b"])

    def test_query_and_arguments(self):
        self.assertEqual(form(method="GET", query="a=%C3%BC&b=1+2").getvalue("a"), "ü")
        self.assertEqual(form(b"ignored=1", FORM, method="HEAD", query="a=1").keys(), ["a"])
        self.assertEqual(form(b"a=1", FORM, query="a=2").getlist("a"), ["1", "2"])
        with mock.patch.object(sys, "argv", ["script", "x=y"]):
            self.assertEqual(cgi.FieldStorage(environ={}).getvalue("x"), "y")
            self.assertEqual(cgi.parse(io.BytesIO(), {}), {"x": ["y"]})

    def test_upload(self):
        f = form(part(b'name="file"; filename="a b.png"\r\nContent-Type: image/png; x=y', b"\x89PNG\r\n\x1a\n") + part(b"name=t", "ü".encode()) + END)
        self.assertEqual([f["file"].filename, f["file"].type, f["file"].type_options], ["a b.png", "image/png", {"x": "y"}])
        self.assertEqual(f["file"].file.read(), b"\x89PNG\r\n\x1a\n")
        self.assertEqual(f["file"].headers["CONTENT-TYPE"], "image/png; x=y")
        self.assertEqual(f.getvalue("t"), "ü")
        self.assertEqual([f["file"].done, f["t"].done], [0, 1])

    def test_large_values_go_to_files(self):
        made = []

        class Counted(cgi.FieldStorage):
            def make_file(self):
                made.append(self.name)
                return super().make_file()

        large = bytes(range(256)) * 2000
        body = part(b"name=small", b"x" * 1000) + part(b"name=up; filename=x", large) + part(b"name=text", "日本".encode() * 50000) + END
        f = form(body, make=Counted)
        self.assertEqual(made, ["up", "text"])
        self.assertEqual(f.getvalue("up"), large)
        self.assertEqual(f.getvalue("text"), "日本" * 50000)  # lines are read in parts, characters are not
        self.assertIsInstance(f.getvalue("small"), str)

    def test_text_that_its_encoding_has_not(self):
        f = form(part(b"name=t", b"\xff" * 2000) + END, encoding="gbk")
        self.assertEqual(f.getvalue("t"), "\ufffd" * 2000)
        f = form(part(b"name=t", b"\xff" * 2000) + END, errors="surrogateescape")
        self.assertEqual(f.getvalue("t"), "\udcff" * 2000)

    def test_fields_behind_a_nested_form(self):
        inner = b"--i\r\nContent-Disposition: file; filename=f\r\n\r\nF\r\n--i--\r\n"
        f = form(part(b"name=m\r\nContent-Type: multipart/mixed; boundary=i", inner) + part(b"name=after", b"A") + END)
        self.assertEqual([x.value for x in f["m"].list], [b"F"])
        self.assertEqual(f.getvalue("after"), "A")

    def test_a_part_that_says_that_it_is_a_form(self):
        f = form(part(b"name=u\r\nContent-Type: " + FORM.encode(), b"a=1") + part(b"name=v", b"V") + END)
        self.assertEqual([f.getvalue("u"), f.getvalue("v")], ["a=1", "V"])

    def test_bodies_that_are_no_forms(self):
        self.assertEqual(form(b"h\xc3\xbc", "text/plain").value, "hü")
        self.assertEqual(form(b'{"a": 1}', "application/json", method="PUT").value, b'{"a": 1}')
        f = form(b"x" * 100000, "image/png")
        self.assertEqual(f.file.read(), b"x" * 100000)
        f = form(b"short", "image/png", length=9)
        self.assertEqual([f.value, f.done, f.length], [b"short", -1, 9])
        self.assertEqual(form(b"longer", "image/png", length=4).value, b"long")
        for use in (len, list, bool, cgi.FieldStorage.keys, lambda f: "a" in f, lambda f: f["a"], lambda f: f.getvalue("a")):
            self.assertRaises(TypeError, use, f)

    def test_context(self):
        with form(part(b"name=f; filename=f", b"x" * 2000) + END) as f:
            file = f["f"].file
        self.assertTrue(file.closed)
        with form(b"a=1", FORM) as f:
            self.assertEqual(f.getvalue("a"), "1")

    def test_arguments(self):
        text = io.TextIOWrapper(io.BytesIO(b"a=1"))
        self.assertEqual(cgi.FieldStorage(text, headers={"content-type": FORM}, environ={"REQUEST_METHOD": "POST"}).keys(), ["a"])
        for bad in (dict(fp=5), dict(headers=5), dict(outerboundary="b")):
            self.assertRaises(TypeError, cgi.FieldStorage, **{"environ": {"REQUEST_METHOD": "POST"}, "fp": io.BytesIO(), **bad})
        self.assertRaises(ValueError, form, b"a", FORM, strict_parsing=True)
        self.assertEqual(form(b"a=&b=1", FORM, keep_blank_values=True).getvalue("a"), "")
        self.assertEqual(form(b"a=1;b=2", FORM, separator=";").keys(), ["a", "b"])
        self.assertRaises(ValueError, cgi.FieldStorage, io.StringIO("a"), environ={"REQUEST_METHOD": "POST"})
        self.assertRaises(AttributeError, getattr, form(b"", FORM), "nothing")


class Hostile(unittest.TestCase):
    def test_boundaries(self):
        for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 300, "multipart/form-data; boundary=ü"):
            self.assertRaises(ValueError, form, END, kind)
        self.assertTrue(cgi.valid_boundary(b"b") and cgi.valid_boundary("b b"))
        self.assertFalse(cgi.valid_boundary(b"b ") or cgi.valid_boundary("b\n"))

    def test_what_is_cut_off(self):
        whole = part(b"name=a", b"1") + part(b"name=f; filename=f", b"x" * 3000) + END
        for length in range(0, len(whole), 7):
            for announced in (length, len(whole), "unknown"):
                f = form(whole[:length], length=announced)
                self.assertLessEqual(len(f.list), 2)
                self.assertIn(f.getvalue("a"), (None, "", "1"))
                self.assertEqual((f.getvalue("f") or b"").rstrip(b"\r\n-b").strip(b"x"), b"")

    def test_number_of_fields(self):
        parts = [part(b"name=a", b"1")] * 5
        self.assertEqual(len(form(b"".join(parts) + END, max_num_fields=5).list), 5)
        for body, kind in ((b"".join(parts) + END, "multipart/form-data; boundary=b"), (b"a=1&" * 5, FORM)):
            self.assertRaises(ValueError, form, body, kind, max_num_fields=4)
            with mock.patch.object(cgi, "maxfields", 4):
                self.assertRaises(ValueError, form, body, kind)
                self.assertRaises(ValueError, cgi.parse, io.BytesIO(body), {"REQUEST_METHOD": "POST", "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body))})
        self.assertRaises(ValueError, form, parts[0] + END, query="b=1", max_num_fields=1)

    def test_length(self):
        with mock.patch.object(cgi, "maxlen", 100):
            self.assertEqual(form(b"a=" + b"x" * 98, FORM).keys(), ["a"])
            for body, kind in ((b"a=" + b"x" * 99, FORM), (part(b"name=a", b"x" * 99) + END, "multipart/form-data; boundary=b")):
                self.assertRaises(ValueError, form, body, kind)
                self.assertRaises(ValueError, form, body, kind, length="unknown")

    def test_head_of_a_part(self):
        room = cgi.MAX_HEAD - len(b"Content-Disposition: form-data; name=a; x=\r\n\r\n")
        self.assertEqual(form(part(b"name=a; x=" + b"y" * room, b"1") + END).keys(), ["a"])
        self.assertRaises(ValueError, form, part(b"name=a; x=" + b"y" * (room + 1), b"1") + END)
        self.assertRaises(ValueError, form, b"--b\r\n" + b"a: b\r\n" * 20000)

    def test_files_and_memory(self):
        value = part(b"name=a; filename=a", b"x" * 2000)
        with mock.patch.object(cgi, "MAX_FILES", 3), mock.patch.object(cgi, "MAX_MEMORY", 4000):
            f = form(value * 5 + END)
            self.assertEqual([isinstance(x.file, io.BytesIO) for x in f.list], [False] * 3 + [True] * 2)
            self.assertRaises(ValueError, form, value * 6 + END)

    def test_time_grows_with_length(self):
        bodies = (
            (b"x" * (4 << 20), "multipart/form-data; boundary=b"),
            (b"\r" * (1 << 20), "multipart/form-data; boundary=b"),
            (b"--b\r\n\r\n" + b"--\n" * (1 << 19), "multipart/form-data; boundary=b"),
            (b"", "multipart/form-data; boundary=b" + ";" * (1 << 16) + '"' + ";" * (1 << 17)),
            (b"&".join(b"f%d=" % i for i in range(9999)), FORM),
            (b"".join(part(b"name=f%d" % i, b"x") for i in range(9999)) + END, "multipart/form-data; boundary=b"),
        )
        for body, kind in bodies:
            begun = time.process_time()
            f = form(body, kind, keep_blank_values=True)
            self.assertEqual(len({name: f.getvalue(name) for name in f}), len(f))
            # Each takes a second at most; with a step for each pair it would be hours.
            self.assertLess(time.process_time() - begun, 60)


class Functions(unittest.TestCase):
    def test_header(self):
        self.assertEqual(cgi.parse_header('form-data; NAME = "a;b\\"c" ; f="x'), ("form-data", {"name": 'a;b"c', "f": '"x'}))
        self.assertEqual(cgi.parse_header(""), ("", {}))

    def test_multipart(self):
        body = part(b"name=a", b"1") + part(b"name=a", b"2") + part(b"name=f; filename=f", b"F") + END
        self.assertEqual(cgi.parse_multipart(io.BytesIO(body), {"boundary": b"b"}), {"a": ["1", "2"], "f": [b"F"]})
        pairs = {"boundary": b"b", "CONTENT-LENGTH": len(body)}
        self.assertEqual(cgi.parse_multipart(io.BytesIO(body), pairs)["a"], ["1", "2"])

    def test_parse(self):
        environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": FORM, "CONTENT_LENGTH": "3", "QUERY_STRING": "b=2"}
        self.assertEqual(cgi.parse(io.BytesIO(b"a=1&c=3"), environ), {"a": ["1"], "b": ["2"]})
        self.assertEqual(environ["QUERY_STRING"], "a=1&b=2")

    def test_escape(self):
        self.assertEqual(cgi.escape("<a href='x\"'>&"), "&lt;a href=&#x27;x&quot;&#x27;&gt;&amp;")
        self.assertEqual(cgi.escape('"', False), "&quot;")

    def test_pages_escape_what_they_show(self):
        out = io.StringIO()
        environ = {"REQUEST_METHOD": "GET", "QUERY_STRING": "<b>=<i>", "HTTP_X": "<u>"}
        with redirect_stdout(out), mock.patch.object(sys, "argv", ["<s>"]), mock.patch.object(sys, "stderr", sys.stderr):
            cgi.test(environ)
        page = out.getvalue()
        self.assertTrue(page.startswith("Content-Type: text/html\n\n"), page)
        for text in ("<b>", "<i>", "<u>", "<s>"):
            self.assertNotIn(text, page)
            self.assertIn(cgi.escape(text), page)
        self.assertIn(os.getcwd(), page)

    def test_page_of_an_exception(self):
        out = io.StringIO()
        try:
            raise ValueError("<b>")
        except ValueError:
            with redirect_stdout(out):
                cgi.print_exception()
        self.assertIn("ValueError: &lt;b&gt;", out.getvalue())
        self.assertIn("test_page_of_an_exception", out.getvalue())

    def test_log(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log")
            cgi.log("nowhere")
            with mock.patch.object(cgi, "logfile", path):
                cgi.initlog("%s", "one")
                cgi.log("100 %")
                cgi.closelog()
                cgi.log("after")
            with open(path) as file:
                self.assertEqual(file.read(), "one\n100 %\n")


if __name__ == "__main__":
    unittest.main()

"""Gatehouse's cgi beside the standard library's, where that has one: same input, same result.

Where they differ on purpose stands in docs/guide/cgi.md and is tested elsewhere.
"""

import importlib
import io
import random
import unittest
import warnings

from gatehouse_compat import cgi as ours

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        original = importlib.import_module("cgi")
except ImportError:
    original = ours  # since Python 3.13; the tests at least run

PIECES = [
    b"--b\r\n",
    b"--b\n",
    b" --b\r\n",
    b"--b--\r\n",
    b"--b--",
    b"--",
    b"\r\n",
    b"\n",
    b"\r",
    b"x",
    b"\xff\xc3",
    b"y" * 1200,
    b"z" * 30000,
    b'Content-Disposition: form-data; name="n"\r\n\r\n',
    b'Content-Disposition: form-data; name=f; filename="q"\r\n\r\n',
    b"Content-Type: text/css; charset=x\r\n",
    b"Content-Length: 3\r\n",
]
HEAD = ["a", "b;", '"', "\\", '\\"', " ", "=", ";", 'x="y"', "\t", "A=", "é"]
QUERY = [b"a", b"b", b"=", b"&", b"%C3", b"%", b"+", b";", b"\xff", b"=1&"]
FIELD = "name filename type type_options disposition disposition_options".split()


def result(function):
    try:
        return function()
    except Exception as error:
        return type(error).__name__


def in_order(fields):
    return sorted(map(repr, fields.items()))


def described(form):
    """Return all that a script may see of a form."""
    fields = [
        [getattr(field, name) for name in FIELD]
        + [list(field.headers.items()), getattr(field, "length", None), getattr(field, "done", None), getattr(field, "bytes_read", None)]
        for field in form.list
    ]
    names = sorted(form.keys(), key=str)
    values = [(repr(form[n]), form.getvalue(n), form.getfirst(n), form.getlist(n), n in form) for n in names]
    own = [getattr(form, name) for name in FIELD + ["length", "done", "limit"]]
    return repr(form), fields, names, repr(values), own, len(form), bool(form), sorted(form, key=str)


class SideBySide(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(4)
        self.addCleanup(setattr, ours, "MAX_HEAD", ours.MAX_HEAD)
        ours.MAX_HEAD = 1 << 30  # the original has no bound

    def some(self, pieces, most):
        return [self.random.choice(pieces) for _ in range(self.random.randrange(most))]

    def same(self, function, *about):
        with self.subTest(about=about):
            self.assertEqual(result(lambda: function(ours)), result(lambda: function(original)))

    def test_headers(self):
        for _ in range(3000):
            line = "".join(self.some(HEAD, 12))
            self.same(lambda module: module.parse_header(line), line)

    def environ(self, kind, body):
        environ = {"REQUEST_METHOD": self.random.choice(["POST", "POST", "POST", "PUT", "GET", "HEAD"])}
        if self.random.random() < 0.9:
            environ["CONTENT_TYPE"] = kind
        lengths = [str(len(body)), str(len(body)), str(self.random.randrange(len(body) + 3)), None]
        length = self.random.choice(lengths)
        if length is not None and "CONTENT_TYPE" in environ:
            environ["CONTENT_LENGTH"] = length
        if self.random.random() < 0.2:
            environ["QUERY_STRING"] = self.random.choice(["", "q=1&n=2", "%ff=ü"])
        return environ

    def settings(self):
        settings = {}
        if self.random.random() < 0.2:
            settings["max_num_fields"] = self.random.randrange(6)
        if self.random.random() < 0.2:
            settings["encoding"], settings["errors"] = self.random.choice([("latin-1", "strict"), ("gbk", "ignore"), ("utf-8", "strict")])
        if self.random.random() < 0.2:
            settings["keep_blank_values"] = 1
        if self.random.random() < 0.1:
            settings["strict_parsing"] = 1
        return settings

    def forms(self, kind, bodies):
        for body in bodies:
            environ, settings = self.environ(kind, body), self.settings()

            def form(module):
                storage = module.FieldStorage(io.BytesIO(body), environ=dict(environ), **settings)
                return described(storage) if storage.list is not None else repr(storage)

            self.same(form, body[:500], environ, settings)

    def test_multipart(self):
        self.forms("multipart/form-data; boundary=b", (b"--b\r\n" * (i % 2) + b"".join(self.some(PIECES, 25)) for i in range(1500)))

    def test_urlencoded(self):
        self.forms("application/x-www-form-urlencoded", (b"".join(self.some(QUERY, 15)) for _ in range(1500)))

    def test_functions(self):
        for i in range(500):
            body = b"--b\r\n" * (i % 2) + b"".join(self.some(PIECES, 25))
            self.same(lambda module: in_order(module.parse_multipart(io.BytesIO(body), {"boundary": b"b"})), body[:500])
            query = b"".join(self.some(QUERY, 15))
            environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(query))}
            self.same(lambda module: module.parse(io.BytesIO(query), dict(environ)), query)

    def test_names(self):
        self.assertLessEqual(set(original.__all__), set(ours.__all__))
        self.assertEqual(repr(ours.MiniFieldStorage("a", "b")), repr(original.MiniFieldStorage("a", "b")))


if __name__ == "__main__":
    unittest.main()

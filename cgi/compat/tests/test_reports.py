"""Reports of exceptions, and that they show no markup of others."""

import io
import os
import re
import subprocess
import sys
import tempfile
import unittest
from html.parser import HTMLParser
from unittest import mock

from gatehouse_compat import cgitb


class Odd:
    def __repr__(self):
        raise RuntimeError("no")


def fail(name="<b>"):
    odd = Odd()
    raise ValueError(name, len([odd]))


def failure():
    try:
        fail()
    except ValueError:
        return sys.exc_info()


class Reports(unittest.TestCase):
    def test_html(self):
        page = cgitb.html(failure())
        self.assertNotIn("<b>", page)
        for text in ("ValueError: (&#x27;&lt;b&gt;&#x27;, 1)", "in fail", "in failure", "<mark>", "name = &#x27;&lt;b&gt;&#x27;", "odd = &lt;Odd instance at "):
            self.assertIn(text, page)

    def test_text(self):
        page = cgitb.text(failure(), 1)
        for text in ("ValueError: ('<b>', 1)", "in fail", "name = '<b>'"):
            self.assertIn(text, page)
        self.assertNotIn("def fail", page)
        self.assertIn("in fail", cgitb.text(failure(), 0))

    def test_reset_is_a_head_and_nothing_in_a_page(self):
        head, empty, body = cgitb.reset().partition("\n\n")
        for line in head.split("\n"):
            self.assertRegex(line, r"^[A-Za-z-]+: \S")
        unseen = re.compile(r"<!--.*?-->|</\w+>", re.S)
        self.assertEqual(unseen.sub("", body).strip(), "")
        self.assertEqual(unseen.sub("", cgitb.reset()).strip(), "Python-Error:")

    def test_report_where_something_is_open(self):
        class Text(HTMLParser):
            def __init__(self, page):
                super().__init__()
                self.tags = []
                self.feed(page)
                self.close()

            def handle_starttag(self, tag, attributes):
                self.tags.append(tag)

        for page in ("<p>", "<p title=\"", "<p title='", "<p title=", "<!-- ", "<script>var a = 1;", "<script>var a = '", "<style>p {"):
            with self.subTest(page=page):
                tags = Text(page + cgitb.reset() + cgitb.html(failure())).tags
                self.assertEqual([tag for tag in ("div", "h1", "mark") if tag not in tags], [])

    def hook(self, **more):
        out = io.StringIO()
        cgitb.Hook(file=out, **more)(*failure())
        return out.getvalue()

    def test_hook(self):
        self.assertIn("<h1>ValueError", self.hook())
        self.assertTrue(self.hook(format="text").startswith("ValueError"))
        self.assertNotIn("ValueError", self.hook(display=0))

    def test_report_in_a_folder(self):
        for format, ending in (("html", ".html"), ("text", ".txt")):
            with tempfile.TemporaryDirectory() as folder:
                page = self.hook(display=0, logdir=folder, format=format)
                (name,) = os.listdir(folder)
                self.assertTrue(name.endswith(ending))
                self.assertIn(name, page)
                self.assertNotIn(folder, page)
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    self.assertIn("ValueError", file.read())
        with mock.patch.object(sys, "stderr", io.StringIO()) as err:
            self.assertIn("could not be stored", self.hook(logdir="/no/such/folder"))
        self.assertIn("/no/such/folder", err.getvalue())

    def test_enable(self):
        folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        code = "import sys; sys.path.insert(0, %r)\nfrom gatehouse_compat import cgitb\ncgitb.enable()\nraise KeyError('<i>')\n" % folder
        environ = dict(os.environ, GATEWAY_INTERFACE="CGI/1.1", PYTHONIOENCODING="ascii")
        p = subprocess.run([sys.executable, "-B", "-W", "error", "-c", code], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertIn(b"Content-Type: text/html", p.stdout)
        self.assertIn(b"KeyError: &#x27;&lt;i&gt;&#x27;", p.stdout)
        self.assertIn(b"KeyError: '<i>'", p.stderr)  # which is the server's log
        self.assertEqual(p.returncode, 1)

    def test_characters_that_the_output_has_not(self):
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, "ascii")
        try:
            raise ValueError("ü")
        except ValueError:
            cgitb.Hook(file=out).handle()
        self.assertIn(b"ValueError: \\xfc", raw.getvalue())


if __name__ == "__main__":
    unittest.main()

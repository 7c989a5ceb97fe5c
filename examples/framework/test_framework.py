import os
import tempfile
import unittest
from urllib.parse import quote
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from app import application
from tiny import Framework


def ask(app, path, **environ):
    """Status, fields and bytes of one answer, with wsgiref watching both sides."""
    environ["PATH_INFO"] = path.encode("utf-8").decode("latin-1")
    setup_testing_defaults(environ)
    for name in ("QUERY_STRING", "SCRIPT_NAME"):
        environ.setdefault(name, "")
    seen = []
    answer = validator(app)(environ, lambda *head: seen.extend(head[:2]))
    try:
        return seen[0], dict(seen[1]), b"".join(answer)
    finally:
        answer.close()


class Site(unittest.TestCase):
    def test_pages(self):
        for path, query, status, part in [
            ("/", "", "200 OK", "<h1>A tiny framework</h1>"),
            ("/hello", "", "200 OK", "<h1>Hello, world!</h1>"),
            ("/hello", "name=" + quote("<b>é"), "200 OK", "<h1>Hello, &lt;b&gt;é!</h1>"),
            ("/time", "", "200 OK", "</time> UTC"),
            ("/hello/", "", "404 Not Found", "no such page"),
            ("/static", "", "404 Not Found", "no such page"),
        ]:
            with self.subTest(path=path, query=query):
                got, fields, body = ask(application, path, QUERY_STRING=query)
                self.assertEqual(got, status)
                self.assertIn(part, body.decode())
                self.assertEqual(fields["Content-Length"], str(len(body)))

    def test_method(self):
        status, fields, _ = ask(application, "/", REQUEST_METHOD="DELETE")
        self.assertEqual((status, fields["Allow"]), ("405 Method Not Allowed", "GET, HEAD"))


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = os.path.join(folder.name, "html")
        os.makedirs(os.path.join(root, "sub"))
        for name in ["../secret.txt", "page.html", "grüße.txt", ".hidden", "data.tar.gz", "sub/index.html"]:
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(name)
        self.app = Framework([], static_dir=root)

    def test_files(self):
        for name, media in [
            ("page.html", "text/html"),
            ("grüße.txt", "text/plain"),
            ("data.tar.gz", "application/octet-stream"),
            ("sub/index.html", "text/html"),
        ]:
            with self.subTest(name):
                status, fields, body = ask(self.app, "/static/" + name)
                self.assertEqual((status, fields["Content-Type"]), ("200 OK", media))
                self.assertEqual(body.decode(), name)
        self.assertEqual(ask(self.app, "/static/sub/")[2], b"sub/index.html")

    def test_refused(self):
        for name in ["", "nothing", "sub", "page.html/", "page.html/x", "../secret.txt", "sub/../page.html"]:
            self.assertEqual(ask(self.app, "/static/" + name)[0], "404 Not Found", name)
        for name in [".hidden", "sub//index.html", "/etc/hostname", "page.html\0", "//", "x" * 5000]:
            self.assertEqual(ask(self.app, "/static/" + name)[0], "404 Not Found", name)


if __name__ == "__main__":
    unittest.main()

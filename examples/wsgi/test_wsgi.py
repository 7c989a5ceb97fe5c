import io
import unittest
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from wsgi import MAX_FORM, application


def ask(**environ):
    """Status and text of one answer, with wsgiref watching both sides."""
    setup_testing_defaults(environ)
    for name in ("QUERY_STRING", "SCRIPT_NAME"):
        environ.setdefault(name, "")
    seen = []
    answer = validator(application)(environ, lambda status, headers, exc_info=None: seen.append(status))
    try:
        return seen[0], b"".join(answer).decode()
    finally:
        answer.close()


class Mirror(unittest.TestCase):
    def test_query(self):
        status, page = ask(PATH_INFO="/caf\xc3\xa9", QUERY_STRING="a=%3Cb%3E")
        self.assertEqual(status, "200 OK")
        self.assertIn("GET /café", page)
        self.assertIn("<dt>a<dd>&lt;b&gt;", page)

    def test_form(self):
        form = {"CONTENT_LENGTH": "6", "CONTENT_TYPE": "application/x-www-form-urlencoded", "wsgi.input": io.BytesIO(b"word=x")}
        self.assertIn("<dt>word<dd>x", ask(REQUEST_METHOD="POST", **form)[1])

    def test_large_form(self):
        status, _ = ask(REQUEST_METHOD="POST", CONTENT_LENGTH=str(MAX_FORM + 1))
        self.assertEqual(status, "413 Content Too Large")


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Reads the field of a form and prints a page with it."""

import os
import sys
from html import escape
from urllib.parse import parse_qs

#: Longer forms than this are none of ours, in bytes.
MAX_FORM = 1 << 20

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The script's answer</title>
<link rel="stylesheet" href="../files/form.css">
<h1>The script's answer</h1>
<p id="name">{name}</p>
<p><a href="../">Back to the form</a></p>
</html>
"""


def answer(fields, text, status="200 OK"):
    """Print a head, an empty line, and the body: bytes, whatever the locale."""
    head = ["Status: " + status] + [name + ": " + value for name, value in fields]
    sys.stdout.buffer.write(("\n".join(head) + "\n\n" + text).encode("utf-8"))


def main():
    if os.environ["REQUEST_METHOD"] != "POST":
        answer([("Content-Type", "text/plain"), ("Allow", "POST")], "Send the form.\n", "405 Method Not Allowed")
        return
    length = int(os.environ.get("CONTENT_LENGTH") or 0)
    if length > MAX_FORM:
        answer([("Content-Type", "text/plain")], "That is too long.\n", "413 Content Too Large")
        return
    form = parse_qs(sys.stdin.buffer.read(length).decode("utf-8", "replace"))
    name = form.get("name", ["nobody"])[0]
    answer([("Content-Type", "text/html; charset=utf-8")], PAGE.format(name=escape(name)))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A guestbook: shows the entries, and takes new ones."""

import cgi
import os
import sqlite3
import sys
import time
from contextlib import closing
from html import escape

#: Where the server keeps what shall survive, else beside cgi-bin: names with a dot in front are never served.
DATA = os.environ.get("GATEHOUSE_DATA") or os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ".data")

SHOWN = 50  # entries of a page
LONGEST = {"name": 80, "message": 2000}  # characters

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Guestbook</title>
<link rel="stylesheet" href="../guestbook.css">
<h1>Guestbook</h1>
{problem}<form method="post" action="{action}">
<label>Your name <input name="name" maxlength="80" required value="{name}"></label>
<label>Your message <textarea name="message" rows="4" maxlength="2000" required>{message}</textarea></label>
<button>Sign</button>
</form>
{entries}<footer><p>Entries: {count}</p></footer>
</html>
"""

ENTRY = """<article><strong>{name}</strong> <time datetime="{time}">{time}</time>
<p>{message}</p></article>
"""


def main():
    method = os.environ.get("REQUEST_METHOD", "GET")
    if method not in ("GET", "HEAD", "POST"):
        answer("405 Method Not Allowed", {"Content-Type": "text/plain", "Allow": "GET, HEAD, POST"}, "GET and POST only\n")
        return
    with closing(open_book()) as book:
        if method == "POST":
            post(book, cgi.FieldStorage())
        else:
            show(book)


def open_book():
    os.makedirs(DATA, mode=0o700, exist_ok=True)
    book = sqlite3.connect(os.path.join(DATA, "guestbook.db"), timeout=10)
    book.execute("CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY, time INTEGER, name TEXT, message TEXT)")
    return book


def post(book, form):
    entry = {field: form.getfirst(field, "").strip() for field in LONGEST}
    for field, longest in LONGEST.items():
        if not entry[field] or len(entry[field]) > longest:
            show(book, "400 Bad Request", "The %s must have 1 to %d characters." % (field, longest), entry)
            return
    with book:
        book.execute("INSERT INTO entry (time, name, message) VALUES (?, ?, ?)", (int(time.time()), entry["name"], entry["message"]))
    answer("303 See Other", {"Location": os.environ["SCRIPT_NAME"]})


def show(book, status="200 OK", problem="", entry={}):
    rows = book.execute("SELECT time, name, message FROM entry ORDER BY id DESC LIMIT ?", (SHOWN,))
    entries = [
        ENTRY.format(name=escape(name), message=escape(message), time=time.strftime("%Y-%m-%d %H:%MZ", time.gmtime(when)))
        for when, name, message in rows
    ]
    page = PAGE.format(
        problem='<p role="alert">%s</p>\n' % escape(problem) if problem else "",
        action=escape(os.environ["SCRIPT_NAME"]),
        name=escape(entry.get("name", "")),
        message=escape(entry.get("message", "")),
        entries="".join(entries),
        count=book.execute("SELECT count(*) FROM entry").fetchone()[0],
    )
    answer(status, {"Content-Type": "text/html; charset=utf-8"}, page)


def answer(status, fields, body=""):
    """Print head and body: bytes, whatever the locale."""
    head = ["Status: " + status] + ["%s: %s" % field for field in fields.items()]
    sys.stdout.buffer.write(("\n".join(head) + "\n\n" + body).encode("utf-8", "replace"))


if __name__ == "__main__":
    main()

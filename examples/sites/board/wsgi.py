"""A board that shows where it is mounted."""

import html
import os


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    title = html.escape(os.environ["TITLE"])
    where = html.escape(environ["SCRIPT_NAME"] + " " + environ["PATH_INFO"])
    return [f"<!doctype html><title>{title}</title><p>{title}, at {where}\n".encode()]

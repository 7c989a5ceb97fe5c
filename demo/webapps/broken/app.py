"""Broken on purpose: visitors get a page that says little, the log says why."""

import no_such_module


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [no_such_module.greeting().encode("utf-8")]

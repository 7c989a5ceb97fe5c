"""What time it is here, and where "here" is."""
import time


def app(environ, start_response):
    if environ["PATH_INFO"] != "/":
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"There is only one page here.\n"]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    said = environ["wsgi.input"].read(length).decode("utf-8", "replace")
    text = "%s at %s/\n%s" % (time.strftime("%H:%M:%S"), environ["SCRIPT_NAME"], said)
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [text.encode("utf-8")]

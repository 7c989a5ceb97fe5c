"""Large bodies. POST tells how many bytes came; GET makes as many as its query says."""

BLOCK = b"0123456789abcdef" * 4096


def application(environ, start_response):
    if environ["REQUEST_METHOD"] == "POST":
        came = 0
        while data := environ["wsgi.input"].read(len(BLOCK)):
            came += len(data)
        answer = str(came).encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
        return [answer]
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return generate(int(environ["QUERY_STRING"] or 0))


def generate(left):
    while left > 0:
        yield BLOCK[:left]
        left -= len(BLOCK)

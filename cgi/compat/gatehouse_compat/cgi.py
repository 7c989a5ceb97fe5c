"""Reading of forms in CGI scripts, where the standard library has no cgi any more.

This module is Gatehouse's. It was written anew after the documentation of the
module cgi, which Python has shipped until 3.12, so that scripts go on working
unchanged. It is not meant for new scripts: those find what they need in html,
urllib.parse and email, or in a framework. What differs from the original stands
in docs/guide/cgi.md of Gatehouse.

    import cgi
    form = cgi.FieldStorage()
    name = form.getfirst("name", "nobody")
    picture = form["picture"]  # picture.filename, picture.file.read()

What a client sends is bounded: uploads go to temporary files, and a form of more
than maxfields fields, or with a longer head of a part than MAX_HEAD, is a
ValueError.
"""

import codecs
import email.message
import email.parser
import html
import io
import os
import re
import sys
import tempfile
import traceback
import urllib.parse
from collections.abc import Mapping

__all__ = [
    "FieldStorage",
    "MiniFieldStorage",
    "escape",
    "parse",
    "parse_header",
    "parse_multipart",
    "print_arguments",
    "print_directory",
    "print_environ",
    "print_environ_usage",
    "print_exception",
    "print_form",
    "test",
]

#: The longest body that is read, in bytes; 0 means that the server alone decides.
maxlen = 0

#: How many fields a form may have where max_num_fields says nothing; None for any
#: number. A field costs a hundred times as much memory as its bytes.
maxfields = 10000

LINE = 1 << 16  # bytes that are read at once
MAX_HEAD = 1 << 16  # bytes of the head of a part
SMALL = 1000  # bytes of a value that is held in memory
MAX_FILES = 256  # temporary files of a form: a process may often open 1,024
MAX_MEMORY = 16 << 20  # bytes of larger values in memory, when there are so many files

logfile = ""  # where log writes to, if logfp is None
logfp = None


def parse_header(line):
    """Return the value of a header field, and its parameters: a dict by name in lower case."""
    value, *parameters = _split_parameters(line)
    options = {}
    for parameter in parameters:
        name, equals, text = parameter.partition("=")
        if equals:
            options[name.strip().lower()] = _unquote(text.strip())
    return value, options


def _split_parameters(line):
    """Yield what stands between the semicolons that are not quoted."""
    begin, quoted = 0, False
    for mark in re.finditer(r'\\"|"|;', line):
        if mark.group() == '"':
            quoted = not quoted
        elif mark.group() == ";" and not quoted:
            yield line[begin : mark.start()].strip()
            begin = mark.end()
    yield line[begin:].strip()


def _unquote(text):
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return text[1:-1].replace("\\\\", "\\").replace('\\"', '"')


def valid_boundary(boundary):
    """Return whether a multipart boundary is one of RFC 2046, which are bounded, or longer up to 201."""
    text = boundary.decode("latin-1") if isinstance(boundary, bytes) else boundary
    return re.fullmatch("[ -~]{0,200}[!-~]", text) is not None


def parse(fp=None, environ=os.environ, keep_blank_values=0, strict_parsing=0, separator="&"):
    """Return the fields of the query, and of the body of a POST: a dict of lists.

    The query is sys.argv[1] where the environment has none, so that a script can
    be tried by hand.
    """
    if fp is None:
        fp = sys.stdin
    encoding = getattr(fp, "encoding", "latin-1")
    if isinstance(fp, io.TextIOWrapper):
        fp = fp.buffer
    queries = []
    if environ.setdefault("REQUEST_METHOD", "GET") == "POST":
        kind, options = parse_header(environ.get("CONTENT_TYPE", ""))
        if kind == "multipart/form-data":
            return parse_multipart(fp, options, separator=separator)
        if kind == "application/x-www-form-urlencoded":
            body = _Body(fp).read_all(_length(environ.get("CONTENT_LENGTH")))
            queries.append(body.decode(encoding))
    query = _query(environ)
    if query:
        queries.append(query)
    environ["QUERY_STRING"] = query = separator.join(queries)
    return urllib.parse.parse_qs(
        query,
        keep_blank_values,
        strict_parsing,
        encoding=encoding,
        separator=separator,
        max_num_fields=maxfields,
    )


def parse_multipart(fp, pdict, encoding="utf-8", errors="replace", separator="&"):
    """Return the fields of a multipart body: a dict of lists of str, or of bytes for files.

    pdict holds the boundary, as bytes, and may hold a CONTENT-LENGTH.
    """
    boundary = pdict["boundary"]
    if isinstance(boundary, bytes):
        boundary = boundary.decode("ascii")
    headers = email.message.Message()
    headers.set_type("multipart/form-data")
    headers.set_param("boundary", boundary)
    if "CONTENT-LENGTH" in pdict:
        headers["Content-Length"] = pdict["CONTENT-LENGTH"]
    environ = {"REQUEST_METHOD": "POST"}
    form = FieldStorage(fp, headers, environ=environ, encoding=encoding, errors=errors, separator=separator)
    return {name: form.getlist(name) for name in form}


def _length(text):
    """Return what a Content-Length says, -1 if it says nothing."""
    try:
        length = int(text)
    except (TypeError, ValueError):
        return -1
    if maxlen and length > maxlen:
        raise ValueError("Maximum content length exceeded")
    return length


def _query(environ):
    if "QUERY_STRING" in environ:
        return environ["QUERY_STRING"]
    return sys.argv[1] if sys.argv[1:] else ""


class _Body:
    """A form's body, and what of the machine the form has taken.

    The parts of a form read from the same one.
    """

    def __init__(self, file, fields=None):
        self.file = file
        self.bytes_read = 0
        self.fields = maxfields if fields is None else fields  # that may still come
        self.files = 0
        self.memory = 0

    def readline(self, size=LINE):
        return self._taken(self.file.readline(size))

    def read(self, size=LINE):
        return self._taken(self.file.read(size))

    def read_all(self, length):
        """Read so many bytes, or all if that is negative."""
        if length >= 0:
            return self.read(length)
        parts = []
        while True:
            part = self.read()
            if not part:
                return b"".join(parts)
            parts.append(part)

    def count(self, fields):
        if self.fields is not None:
            self.fields -= fields
            if self.fields < 0:
                raise ValueError("Max number of fields exceeded")

    def spools(self, size):
        """Return whether a value of that size, which is not small, goes to a file now."""
        if self.files < MAX_FILES:
            self.files += 1
            return True
        if self.memory + size > MAX_MEMORY:
            raise ValueError("too many large fields")
        return False

    def _taken(self, data):
        if not isinstance(data, bytes):
            raise ValueError("%r should return bytes, got %s" % (self.file, type(data).__name__))
        self.bytes_read += len(data)
        if maxlen and self.bytes_read > maxlen:
            raise ValueError("Maximum content length exceeded")
        return data


class MiniFieldStorage:
    """A field that came URL-encoded. It looks like a FieldStorage without all that such a field has not."""

    filename = None
    list = None
    type = None
    file = None
    type_options = {}
    disposition = None
    disposition_options = {}
    headers = {}

    def __init__(self, name, value):
        self.name = name
        self.value = value

    def __repr__(self):
        return "MiniFieldStorage(%r, %r)" % (self.name, self.value)


class FieldStorage:
    """The fields of a form, by name; or one field of a multipart form.

    name, filename: of the field, None if it has none
    value           str; bytes of a file or of a body that is no text; a list of
                    fields
    file            where that can be read from, None where there are fields
    type, type_options, disposition, disposition_options
                    from Content-Type and Content-Disposition
    headers         all header fields
    length          what Content-Length says, -1 if it says nothing
    done            1 after the last part of a multipart body, -1 if it ended before

    A form is like a dict: form["name"] is a field, or a list of fields of that
    name. getvalue, getfirst and getlist return what the fields hold. The
    arguments:

    fp              the body, a binary file or a text file over one; default: standard
                    input. For GET and HEAD it is not read
    headers         a mapping or email.message.Message in place of what environ says
    environ         the variables of CGI
    keep_blank_values, strict_parsing, separator, max_num_fields
                    as for urllib.parse.parse_qsl
    encoding, errors
                    of names and of values that are no files
    outerboundary, limit
                    for parts of a multipart body
    """

    FieldStorageClass = None  #: of parts, in place of the form's own class

    # What __del__ and __exit__ find after an __init__ that has failed.
    file = list = None

    def __init__(
        self,
        fp=None,
        headers=None,
        outerboundary=b"",
        environ=os.environ,
        keep_blank_values=0,
        strict_parsing=0,
        limit=None,
        encoding="utf-8",
        errors="replace",
        max_num_fields=None,
        separator="&",
    ):
        self.keep_blank_values = keep_blank_values
        self.strict_parsing = strict_parsing
        self.max_num_fields = max_num_fields
        self.separator = separator
        self.encoding = encoding
        self.errors = errors
        self.qs_on_post = None
        method = environ.get("REQUEST_METHOD", "GET").upper()
        if headers is not None and not isinstance(headers, (Mapping, email.message.Message)):
            raise TypeError("headers must be a mapping or an email.message.Message")
        if not isinstance(outerboundary, bytes):
            raise TypeError("outerboundary must be bytes, not %s" % type(outerboundary).__name__)
        if method in ("GET", "HEAD"):
            fp = io.BytesIO(os.fsencode(_query(environ)))
            if headers is None:
                headers = {"content-type": "application/x-www-form-urlencoded"}
        elif headers is None:
            headers = _headers(environ, method)
            self.qs_on_post = environ.get("QUERY_STRING")
        self.fp = _source(fp)
        self.headers = headers
        self.outerboundary = outerboundary
        self._body = self.fp if isinstance(self.fp, _Body) else _Body(self.fp, max_num_fields)
        begin = self._body.bytes_read

        self.disposition, self.disposition_options = parse_header(headers.get("content-disposition", ""))
        self.name = self.disposition_options.get("name")
        self.filename = self.disposition_options.get("filename")
        if "content-type" in headers:
            self.type, self.type_options = parse_header(headers["content-type"])
        elif outerboundary or method != "POST":
            self.type, self.type_options = "text/plain", {}
        else:
            self.type, self.type_options = "application/x-www-form-urlencoded", {}
        self.innerboundary = self.type_options.get("boundary", "").encode(encoding, errors)
        self.length = _length(headers.get("content-length"))
        self.limit = self.length if limit is None and self.length >= 0 else limit
        self.done = 0

        if self.type == "application/x-www-form-urlencoded" and not outerboundary:
            self._read_query()
        elif self.type[:10] == "multipart/":
            self._read_parts(environ)
        else:
            self._read_value()
        self.bytes_read = self._body.bytes_read - begin

    def __del__(self):
        if self.file is not None:
            self.file.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        if self.file is not None:
            self.file.close()
        for field in self.list or ():
            if isinstance(field, FieldStorage):
                field.__exit__(*args)

    def __repr__(self):
        return "FieldStorage(%r, %r, %r)" % (self.name, self.filename, self.value)

    def __getattr__(self, name):
        if name != "value":
            raise AttributeError(name)
        if self.file is None:
            return self.list
        self.file.seek(0)
        value = self.file.read()
        self.file.seek(0)
        return value

    def __iter__(self):
        return iter(self.keys())

    def __len__(self):
        return len(self._by_name())

    def __bool__(self):
        if self.list is None:
            raise TypeError("Cannot be converted to bool.")
        return bool(self.list)

    def __contains__(self, key):
        return key in self._by_name()

    def __getitem__(self, key):
        found = self._by_name()[key]
        return found[0] if len(found) == 1 else found[:]

    def keys(self):
        """Return the names of all fields."""
        return [*self._by_name()]

    def getvalue(self, key, default=None):
        """Return the value of the field, or a list where there are more of that name."""
        values = self.getlist(key)
        if not values:
            return default
        return values[0] if len(values) == 1 else values

    def getfirst(self, key, default=None):
        """Return the value of the first field of that name."""
        found = self._by_name().get(key)
        return found[0].value if found else default

    def getlist(self, key):
        """Return the values of all fields of that name."""
        return [field.value for field in self._by_name().get(key, ())]

    def make_file(self):
        """Return a new temporary file, for bytes if this is an upload and for text otherwise.

        Classes may put another one in its place.
        """
        if self._is_binary():
            return tempfile.TemporaryFile("wb+")
        # Text in any encoding has been decoded by now, with what errors makes of it.
        return tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogatepass", newline="\n")

    def _by_name(self):
        """Return the fields by name, in their order. Scripts may change the list."""
        if self.list is None:
            raise TypeError("not indexable")
        seen, names = self.__dict__.get("_index", (None, None))
        if self.list != seen:
            names = {}
            for field in self.list:
                names.setdefault(field.name, []).append(field)
            self._index = self.list[:], names
        return names

    def _is_binary(self):
        if self.outerboundary or self.filename is not None:
            return self.filename is not None
        return self.type[:5] != "text/"

    def _read_query(self):
        query = self._body.read_all(self.length).decode(self.encoding, self.errors)
        if self.qs_on_post:
            query += self.separator + self.qs_on_post
        self.list = self._fields(query)

    def _fields(self, query):
        pairs = urllib.parse.parse_qsl(
            query,
            self.keep_blank_values,
            self.strict_parsing,
            encoding=self.encoding,
            errors=self.errors,
            max_num_fields=self._body.fields,
            separator=self.separator,
        )
        self._body.count(len(pairs))
        return [MiniFieldStorage(name, value) for name, value in pairs]

    def _read_parts(self, environ):
        boundary = self.innerboundary
        if not valid_boundary(boundary):
            raise ValueError("Invalid boundary in multipart form: %r" % boundary)
        self.list = self._fields(self.qs_on_post) if self.qs_on_post else []
        make = self.FieldStorageClass or self.__class__
        begin = self._body.bytes_read
        self._skip_preamble()
        while True:
            head = self._read_head()
            if head is None:
                break
            self._body.count(1)
            limit = None if self.limit is None else self.limit - (self._body.bytes_read - begin)
            part = make(
                self._body,
                head,
                boundary,
                environ,
                self.keep_blank_values,
                self.strict_parsing,
                limit,
                self.encoding,
                self.errors,
                None,
                self.separator,
            )
            self.list.append(part)
            if part.done or 0 < self.length <= self._body.bytes_read - begin:
                break
        if self.outerboundary and not self.done:
            self.done = _Lines(self._body, self.outerboundary).skip()

    def _skip_preamble(self):
        """Read up to the first boundary, which may be indented."""
        line, fresh = b"", True
        while not fresh or line.strip() != b"--" + self.innerboundary:
            fresh = line[-1:] in (b"", b"\n")
            line = self._body.readline()
            if not line:
                return

    def _read_head(self):
        """Read the head of a part; None at the end of the body."""
        lines, size = [], 0
        while True:
            line = self._body.readline()
            size += len(line)
            if size > MAX_HEAD:
                raise ValueError("the head of a part is longer than %d bytes" % MAX_HEAD)
            lines.append(line)
            if not line.strip():
                break
        if not size:
            return None
        text = b"".join(lines).decode(self.encoding, self.errors)
        head = email.parser.HeaderParser().parsestr(text)
        del head["content-length"]  # only the boundary says where a part ends
        return head

    def _read_value(self):
        value = _Value(self)
        self.file = value.file
        if self.outerboundary:
            self.done = _Lines(self._body, self.outerboundary, self.limit).pass_on(value.write)
        else:
            self._read_all(value.write)
        value.end()
        self.file.seek(0)

    def _read_all(self, write):
        left = self.length
        while left != 0:
            data = self._body.read(min(left, LINE) if left > 0 else LINE)
            if not data:
                self.done = -1
                return
            write(data)
            left -= len(data) if left > 0 else 0


class _Lines:
    """The lines of a body up to a boundary or the end."""

    def __init__(self, body, boundary, limit=None):
        self.body = body
        self.limit = limit
        self.next = b"--" + boundary
        self.last = self.next + b"--"

    def skip(self):
        return self.pass_on(lambda data: None)

    def pass_on(self, write):
        """Write all before the boundary. Return the state that this leads to: see FieldStorage.done.

        The line end before a boundary belongs to that.
        """
        begin = self.body.bytes_read
        held, fresh = b"", True
        while self.limit is None or self.limit < 0 or self.body.bytes_read - begin < self.limit:
            line = self.body.readline()
            if not line:
                return -1
            if held == b"\r":
                line, held = held + line, b""
            if fresh and line[:2] == b"--":
                mark = line.rstrip()
                if mark == self.next:
                    return 0
                if mark == self.last:
                    return 1
            text = line[:-2] if line[-2:] == b"\r\n" else line[:-1] if line[-1:] in (b"\r", b"\n") else line
            write(held + text)
            held = line[len(text) :]
            fresh = held[-1:] == b"\n"
        return 0


class _Value:
    """The value of a field while it is read: in memory, or in a file if it is large."""

    def __init__(self, field):
        self.field = field
        self.size = 0
        self.counted = 0  # bytes that stand in the body's account of memory
        self.spooled = False
        self.decoder = None
        if not field._is_binary():
            self.decoder = codecs.getincrementaldecoder(field.encoding)(field.errors)
        self.file = io.StringIO() if self.decoder else io.BytesIO()

    def write(self, data):
        self.size += len(data)
        if self.size > SMALL and not self.spooled:
            self._make_room(self.field._body)
        self.file.write(self.decoder.decode(data) if self.decoder else data)

    def end(self):
        if self.decoder:
            self.file.write(self.decoder.decode(b"", True))

    def _make_room(self, body):
        if body.spools(self.size - self.counted):
            body.memory -= self.counted
            file = self.field.make_file()
            file.write(self.file.getvalue())
            self.file = self.field.file = file
            self.spooled = True
        else:
            body.memory += self.size - self.counted
            self.counted = self.size


def _headers(environ, method):
    headers = {}
    if method == "POST":
        headers["content-type"] = "application/x-www-form-urlencoded"
    if environ.get("CONTENT_TYPE") or method != "POST" and "CONTENT_TYPE" in environ:
        headers["content-type"] = environ["CONTENT_TYPE"]
    if "CONTENT_LENGTH" in environ:
        headers["content-length"] = environ["CONTENT_LENGTH"]
    return headers


def _source(fp):
    if fp is None:
        return sys.stdin.buffer
    if isinstance(fp, io.TextIOWrapper):
        return fp.buffer
    if hasattr(fp, "read") and hasattr(fp, "readline"):
        return fp
    raise TypeError("fp must be file pointer")


def escape(s, quote=None):
    """Return the text with all that means something in HTML replaced, quotes as well.

    Python had this until 3.7, and left quotes alone by default: that is how
    scripts came to be attacked. The argument has no meaning any more.
    """
    return html.escape(s, quote=True)


def log(form, *args):
    """Add a line to the file logfp, or the one called logfile; nothing if there is neither."""
    global logfp
    if logfp is None and logfile:
        try:
            logfp = open(logfile, "a", encoding="utf-8")
        except OSError:
            return
    if logfp is not None:
        logfp.write((form % args if args else form) + "\n")
        logfp.flush()


def initlog(*args):
    """Do what log does."""
    log(*args)


def closelog():
    """Close the file that log writes to."""
    global logfile, logfp
    logfile = ""
    if logfp is not None:
        logfp.close()
        logfp = None


def test(environ=os.environ):
    """Print a page with the form, the environment and all else that a script is given."""
    print("Content-Type: text/html\n")
    sys.stderr = sys.stdout
    try:
        print_form(FieldStorage(environ=environ))
        print_environ(environ)
        print_directory()
        print_arguments()
        print_environ_usage()
    except Exception:
        print_exception()


def _print_pairs(title, pairs):
    print("<h3>%s</h3>\n<dl>" % title)
    for name, text in pairs:
        print("<dt>%s</dt><dd>%s</dd>" % (escape(str(name)), escape(text)))
    print("</dl>")


def print_form(form):
    """Print the fields of a form in HTML."""
    _print_pairs("Form contents", [(name, "%s: %r" % (type(form[name]), form[name])) for name in sorted(form.keys(), key=str)])


def print_environ(environ=os.environ):
    """Print the environment in HTML."""
    _print_pairs("Shell environment", sorted(environ.items()))


def print_directory():
    """Print the working directory in HTML."""
    try:
        where = os.getcwd()
    except OSError as error:
        where = "unknown: %s" % error
    print("<h3>Current working directory</h3>\n<p>%s</p>" % escape(where))


def print_arguments():
    """Print the command line in HTML."""
    print("<h3>Command line arguments</h3>\n<p>%s</p>" % escape(repr(sys.argv)))


def print_environ_usage():
    """Print the variables of RFC 3875 in HTML."""
    print("<h3>Variables that a script may find</h3>\n<ul>")
    for name in (
        "AUTH_TYPE CONTENT_LENGTH CONTENT_TYPE DOCUMENT_ROOT GATEWAY_INTERFACE PATH_INFO PATH_TRANSLATED QUERY_STRING "
        "REMOTE_ADDR REMOTE_HOST REMOTE_IDENT REMOTE_USER REQUEST_METHOD SCRIPT_NAME SERVER_NAME SERVER_PORT "
        "SERVER_PROTOCOL SERVER_SOFTWARE HTTP_ACCEPT HTTP_COOKIE HTTP_HOST HTTP_REFERER HTTP_USER_AGENT"
    ).split():
        print("<li>%s</li>" % name)
    print("</ul>")


def print_exception(type=None, value=None, tb=None, limit=None):
    """Print an exception with its traceback in HTML: the one that is handled if none is given."""
    if type is None:
        type, value, tb = sys.exc_info()
    lines = traceback.format_exception(type, value, tb, limit)
    print("<h3>Traceback</h3>\n<pre>%s<strong>%s</strong></pre>" % (escape("".join(lines[:-1])), escape(lines[-1])))

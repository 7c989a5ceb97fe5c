"""Reports of uncaught exceptions, where the standard library has no cgitb any more.

This module is Gatehouse's. It was written anew after the documentation of the
module cgitb, which Python has shipped until 3.12.

    import cgitb
    cgitb.enable()  # or enable(display=0, logdir="/var/log/scripts")

shows each uncaught exception in the browser, with source and values. Everybody
who can call the script sees that: it is for development.
"""

import builtins
import inspect
import os
import re
import reprlib
import sys
import tempfile
import traceback
from html import escape

__all__ = ["Hook", "enable", "handler", "html", "reset", "text"]

STYLE = (
    "<style>.report{font:1rem/1.4 system-ui,sans-serif;color:#222;background:#fff;padding:1rem;overflow-wrap:anywhere}"
    ".report pre{overflow-x:auto;background:#f4f4f0;padding:.5rem}.report mark{background:#ffd9d0}</style>"
)

short = reprlib.Repr()
short.maxstring = short.maxother = 200


def reset():
    """Return what begins a page, wherever in its head or body the script has stopped.

    Where the head has not been printed, this is one. In the body of a page, all but
    the first word is a comment. The quotes and tags at its end close what may be
    open there and take the report for something else, such as a program.
    """
    return (
        "Python-Error: <!--\nStatus: 500 Internal Server Error\nContent-Type: text/html; charset=utf-8\n\n"
        "<!-- \"'> --></script></style></textarea></title></template></select></table>\n"
    )


def html(einfo, context=5):
    """Return the report in HTML on what sys.exc_info returned; context is the number of lines around each."""
    parts = [STYLE, '<div class="report"><h1>%s</h1>' % escape(_title(einfo)), "<p>%s</p>" % escape(_python())]
    for where, lines, values in _frames(einfo[2], context):
        parts.append("<h2>%s</h2>\n<pre>" % escape(where))
        for number, line, current in lines:
            line = escape("%5d %s" % (number, line))
            parts.append("<mark>%s</mark>\n" % line if current else line + "\n")
        parts.append("</pre>\n<ul>")
        parts.extend("<li><code>%s = %s</code></li>" % (escape(name), escape(value)) for name, value in values)
        parts.append("</ul>")
    parts.append("<details><summary>Traceback</summary><pre>%s</pre></details></div>\n" % escape(_traceback(einfo)))
    return "".join(parts)


def text(einfo, context=5):
    """Return the report as plain text."""
    parts = [_title(einfo), _python(), ""]
    for where, lines, values in _frames(einfo[2], context):
        parts.append(where)
        parts.extend("%s%5d %s" % (">" if current else " ", number, line) for number, line, current in lines)
        parts.extend("    %s = %s" % pair for pair in values)
        parts.append("")
    return "\n".join(parts) + "\n" + _traceback(einfo)


def _title(einfo):
    return "".join(traceback.format_exception_only(einfo[0], einfo[1])).strip()


def _python():
    return "Python %s: %s" % (sys.version.split()[0], sys.executable)


def _traceback(einfo):
    return "".join(traceback.format_exception(*einfo))


def _frames(trace, context):
    """Yield of each frame where it is, lines of its source, and values of names in the line."""
    for frame, path, number, function, lines, index in inspect.getinnerframes(trace, context):
        lines, index = lines or [], index or 0
        where = "%s, line %d, in %s" % (path, number, function)
        shown = [(number - index + i, line.rstrip("\n"), i == index) for i, line in enumerate(lines)]
        yield where, shown, _values(frame, lines[index] if lines else "")


def _values(frame, line):
    names = dict.fromkeys(re.findall(r"(?<![\w.])[^\W\d]\w*", line))
    scope = dict(frame.f_globals, **frame.f_locals)
    return [(name, short.repr(scope[name])) for name in names if name in scope and not hasattr(builtins, name)]


class Hook:
    """A hook for sys.excepthook.

    display: whether the report is shown; logdir: a folder for files with reports;
    context: lines around each of the source; file: in place of standard output;
    format: "html" or any other for plain text
    """

    def __init__(self, display=1, logdir=None, context=5, file=None, format="html"):
        self.display = display
        self.logdir = logdir
        self.context = context
        self.file = file or sys.stdout
        self.format = format

    def __call__(self, etype, evalue, etb):
        self.handle((etype, evalue, etb))

    def handle(self, info=None):
        """Report the exception that is given, or being handled."""
        info = info or sys.exc_info()
        in_html = self.format == "html"
        try:
            report = (html if in_html else text)(info, self.context)
        except Exception:  # in what an application has made
            report = _traceback(info)
            report = "<pre>%s</pre>\n" % escape(report) if in_html else report
        if "GATEWAY_INTERFACE" in os.environ and self.file is not sys.stderr:
            sys.stderr.write(_traceback(info))  # for the server's log
        if in_html:
            self.file.write(reset())
        self._say(report if self.display else "A problem occurred in a Python script.\n")
        if self.logdir is not None:
            self._say(self._store(report, ".html" if in_html else ".txt") + "\n")
        self.file.flush()

    def _say(self, line):
        try:
            self.file.write(line)
        except UnicodeEncodeError:
            self.file.write(line.encode("ascii", "backslashreplace").decode("ascii"))

    def _store(self, report, suffix):
        try:
            fd, path = tempfile.mkstemp(suffix=suffix, dir=self.logdir)
            with open(fd, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(report)
        except OSError as error:
            print("cgitb: store report:", error, file=sys.stderr)
            return "The report on it could not be stored."
        # Its folder is nobody's business who is not shown the report.
        return "%s contains the description of this error." % (escape(path) if self.display else os.path.basename(path))


#: Reports an exception in HTML: handler() in an except clause.
handler = Hook().handle


def enable(display=1, logdir=None, context=5, format="html"):
    """Have uncaught exceptions reported; see Hook."""
    sys.excepthook = Hook(display, logdir, context, format=format)

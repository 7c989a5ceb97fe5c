"""The template process: loads a service once, then forks processes that run it.

It talks with the Go side over a socket of packets, one order and one answer at
a time. Orders are marshal tuples, answers are JSON objects.
"""

import _signal
import _socket
import fcntl
import gc
import marshal
import os
import sys

# Whatever else is imported before a fork, the memory of each child is made of,
# which takes time: modules that hardly anybody needs are imported where they are.

CONTROL = 3  # descriptor of the control socket
LIFELINE = 4  # descriptor of a pipe whose other end only the server holds

# PyPy does not name these.
F_SETSIG = getattr(fcntl, "F_SETSIG", 10 if sys.platform == "linux" else None)
O_ASYNC = getattr(fcntl, "FASYNC", 0o20000)

PARENT_DEATH = 47  # signal that ends us before hold_on_to_lifeline; the server sets it

PACKET = 65536
INT = 4  # bytes of a descriptor in an ancillary message
RIGHTS = _socket.CMSG_SPACE(253 * INT)  # the most that one packet brings: SCM_MAX_FD of Linux


def main(boot):
    os.set_inheritable(CONTROL, False)
    os.set_inheritable(LIFELINE, False)
    hold_on_to_lifeline()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)

    control = _socket.socket(fileno=CONTROL)
    name = __package__ + "." + boot["service"]
    __import__(name)
    service = sys.modules[name]
    sys.path.insert(0, boot["dir"])
    settings = boot["settings"]
    own = os.getpid()
    try:
        info = service.load(settings)
    except BaseException as error:  # an import may also raise SystemExit
        end_if_copy(own)
        reply(control, {"failed": describe(error, settings.get("dir", ""))})
        os.killpg(0, _signal.SIGKILL)  # with us, what the import has started
    end_if_copy(own)
    text = as_json(info) if info else b"{}"
    control.sendall(b'{"ready":%s,"threads":%d}' % (text, count_threads()))

    # What the import left behind will be in every child: keep the collector
    # from touching, and so from copying, those pages.
    gc.collect()
    getattr(gc, "freeze", lambda: None)()

    task = obey(control)
    if task is not None:
        number, files = task
        service.serve(settings, number, files)


def end_if_copy(own):
    """End this process if it is not process own but a copy that the import made.

    The server knows the original only; two that answer it would confuse it.
    """
    if os.getpid() != own:
        sys.stderr.write("a process that the import forked came back from the import, and was ended: call os._exit() in it\n")
        sys.stderr.flush()
        os._exit(1)


def hold_on_to_lifeline():
    """Have the kernel end this process group when the server is gone.

    The server's death closes the only writing end of the pipe. The signal needs
    no cooperation: it works while an import or a request is stuck in C code,
    and it reaches all that the application started and left in the group.
    """
    if F_SETSIG is None:
        return
    fcntl.fcntl(LIFELINE, F_SETSIG, _signal.SIGKILL)
    fcntl.fcntl(LIFELINE, fcntl.F_SETOWN, -os.getpgrp())
    flags = fcntl.fcntl(LIFELINE, fcntl.F_GETFL)
    fcntl.fcntl(LIFELINE, fcntl.F_SETFL, flags | os.O_NONBLOCK | O_ASYNC)
    try:
        gone = not os.read(LIFELINE, 1)  # it may have died before the line above
    except BlockingIOError:
        gone = False
    if gone:
        os._exit(1)
    # Were we to die first, nobody would hold the lifeline while it is cut, and
    # what we have started would live on.
    _signal.signal(PARENT_DEATH, _signal.SIG_IGN)


def obey(control):
    """Carry out orders. In a process that is to serve, return (number, files)."""
    while True:
        order, files = receive(control)
        if order is None:  # the server closed its end or is gone
            if F_SETSIG is None:
                os.killpg(0, _signal.SIGKILL)
            os._exit(0)
        verb, number = order
        if verb == "reap":
            try:
                _, status = os.waitpid(number, 0)
            except ChildProcessError:  # the application reaps children, or has the kernel do it
                reply(control, {"error": "somebody else has reaped process %d" % number})
            else:
                reply(control, {"reaped": number, "status": status})
            continue
        if verb == "become":
            control.close()
            return number, files
        try:
            pid = os.fork()
        except OSError as error:
            reply(control, {"error": str(error)})
            pid = -1
        if pid == 0:
            control.close()
            return number, files
        for fd in files:
            os.close(fd)
        if pid > 0:
            reply(control, {"forked": pid})


def receive(control):
    """Return one order and the descriptors that came with it."""
    files = []
    data, ancillary, _, _ = control.recvmsg(PACKET, RIGHTS)
    for level, kind, value in ancillary:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            files += descriptors(value)
    return (marshal.loads(data) if data else None), files


def descriptors(rights):
    """Return the numbers in an ancillary message, those that are whole."""
    numbers = []
    for at in range(0, len(rights) - INT + 1, INT):
        numbers.append(int.from_bytes(rights[at : at + INT], sys.byteorder))  # a comprehension would make a function
    return numbers


def reply(control, message):
    control.sendall(as_json(message))


def as_json(value):
    import json

    return json.dumps(value).encode("ascii")


def count_threads():
    """Count all threads, those that extension modules started included."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return sys.modules["threading"].active_count() if "threading" in sys.modules else 1


def describe(error, directory):
    """Say what went wrong and where, as far as possible in the user's own files."""
    import traceback

    path, line, trace = "", 0, ""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not is_ours(f.filename)]
    if isinstance(error, SyntaxError) and error.filename:
        path, line = error.filename, error.lineno or 0
    else:
        own = [f for f in frames if is_inside(f.filename, directory)]
        for frame in (own or frames)[-1:]:
            path, line = frame.filename, frame.lineno
    text = "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()[-1]
    if path:  # else it tells of our own code only
        trace = "".join(traceback.format_exception(type(error), error, below_ours(error.__traceback__)))
    module = (getattr(error, "name", None) or "") if isinstance(error, ImportError) else ""
    return {"path": path, "line": line, "error": text, "module": module, "traceback": trace[-PACKET // 2 :]}


def below_ours(trace):
    """Return the part of a traceback that begins with the first frame that is not ours."""
    while trace and is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def is_ours(filename):
    """Tell whether a frame is part of how the service is loaded."""
    return filename.startswith("<") or filename == getattr(sys.modules.get("importlib"), "__file__", None)


def is_inside(filename, directory):
    """Tell whether a file is the user's own: in the folder and not installed there."""
    return filename.startswith(os.path.join(directory, "")) and "site-packages" not in filename

"""The life of a script in a process that was forked for it.

What the script sees is what it sees where an interpreter is started for it. All
that is done here is done for each request, and each page of memory that it
touches for the first time costs as much as hundreds of lines of Python.
"""

import _io
import _signal
import _weakref
import builtins
import gc
import os
import sys

MAX_SOURCE = 1 << 20  # bytes of a script whose code is kept

added = {}  # what the interpreter's environment holds beyond what the server gave it
codes = {}  # by path, what is known of a script: Known
limits = []  # pairs of a resource and its limit
ours = ()  # names of the modules that run scripts
present = frozenset()  # names of the modules that are not the script's
replaced = ()  # our own standard streams, which would take each process time to take down
streams = ()  # a script's standard streams, which nobody has used yet


class Known:
    """A script, as it was when it was read."""

    def __init__(self, path, identity, code):
        self.identity = identity
        self.code = code  # see read
        self.path = os.fsdecode(path)
        self.folder = os.path.dirname(self.path)


def load(settings):
    """Prepare in the interpreter what all scripts need."""
    global added, ours, replaced, streams
    for pair in settings["limits"].splitlines():
        import resource  # processes use it, too

        kind, value = map(int, pair.split())
        own = resource.getrlimit(kind)[1]  # no process may be given more: then that is its limit
        limits.append((kind, value if own == resource.RLIM_INFINITY else min(value, own)))
    # What starts Python may be a program that prepares the environment for it, and
    # Python itself may change the locale.
    given = set(map(os.fsencode, settings["environment"].split("\0")))
    added = {name: value for name, value in os.environb.items() if b"%s=%s" % (name, value) not in given}
    package = __name__.partition(".")[0]
    ours = tuple(name for name in sys.modules if name.partition(".")[0] == package)
    replaced = sys.stdin, sys.stdout, sys.stderr
    streams = open_streams()
    rehearse()


def rehearse():
    """Do some of what is to come, several times, so that the interpreter has adapted to it.

    Since Python 3.11 it writes into code that is new to it, which would be done,
    and so copied, in each process.
    """
    main, empty = sys.modules["__main__"], compile("", "", "exec")
    env = os.environb.copy()
    for number in range(40):
        env[b"REMOTE_PORT"] = b"%d" % number
        set_environment(env)
        run("", empty)
        flush()
        flush_files()
        made()
    sys.modules["__main__"] = main


def read(path):
    """Return the identity of a script, which is None if it is nothing to keep, and its code.

    The code is False where compiling it prints something.
    """
    import warnings

    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # not to wait for the other end of a pipe
    except OSError:
        return None, False
    with open(fd, "rb") as file:
        status = os.fstat(fd)
        if status.st_mode & 0o170000 != 0o100000 or status.st_size > MAX_SOURCE:
            return None, False
        source = file.read()
    with warnings.catch_warnings(record=True) as caught:
        try:
            code = compile(source, os.fsdecode(path), "exec", dont_inherit=True)
        except Exception:
            code = False
    return identity_of(status), False if caught else code


def identity_of(status):
    """Return what tells one state of a file from another, as the server writes it."""
    return b"%d %d %d %d" % (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def serve(files, path, identity, argv, env):
    """Run the script with the files as its standard streams, and end."""
    known = codes.get(path)
    if not known or known.identity != identity:
        known = Known(path, identity, None)
        _, known.code = read(path)
    for target, fd in enumerate(files):
        os.dup2(fd, target)
    for fd in files:
        os.close(fd)
    sys.stdin, sys.stdout, sys.stderr = streams
    if b"CONTENT_LENGTH" in env:
        sys.stdin = stream(sys.__stdin__, 0, "r")
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    for kind, value in limits:
        sys.modules["resource"].setrlimit(kind, (value, value))
    if added:
        env.update(added)
    set_environment(env)
    os.chdir(known.folder)
    sys.path[0] = known.folder
    sys.argv = [known.path, *map(os.fsdecode, argv)] if argv else [known.path]
    sys.orig_argv = [sys.executable, *sys.argv]
    forget_ourselves()
    if not known.code:  # let the interpreter itself say what is wrong with it
        os.execv(sys.executable, [sys.executable, path, *argv])
    end(run(known.path, known.code))


def set_environment(env):
    """Make env, a dict of bytes, the environment."""
    current = getattr(os.environ, "_data", None)  # as bytes; os.environb is the same in CPython and PyPy
    if type(current) is not dict or current is not getattr(os.environb, "_data", None):
        os.environb.clear()
        os.environb.update(env)
        return
    # What os.environb does for each is this, and takes three times as long.
    for name in list(current):
        if name not in env:
            os.unsetenv(name)
            del current[name]
    for name, value in env.items():
        if current.get(name) != value:
            os.putenv(name, value)
            current[name] = value


def open_streams():
    """Open the standard streams of a script that has no body to read.

    They keep what they learn of their files when they are opened, so let these be
    of the kind that the script's will be.
    """
    kept = [os.dup(fd) for fd in range(3)]
    ends = [os.open(os.devnull, os.O_RDONLY), *os.pipe()]
    try:
        for target, fd in enumerate((ends[0], ends[2], ends[2])):
            os.dup2(fd, target)
        return stream(sys.stdin, 0, "r"), stream(sys.stdout, 1, "w"), stream(sys.stderr, 2, "w")
    finally:
        for target, fd in enumerate(kept):
            os.dup2(fd, target)
        for fd in kept + ends:
            os.close(fd)


def stream(old, fd, mode):
    """Open a standard stream as the interpreter does on its start."""
    raw = _io.FileIO(fd, mode, closefd=False)
    raw.name = old.name
    through = mode == "w" and not isinstance(old.buffer, _io.BufferedWriter)  # as PYTHONUNBUFFERED says
    buffer = _io.BufferedReader(raw) if mode == "r" else raw if through else _io.BufferedWriter(raw)
    lines = fd == 2 and not through and sys.version_info >= (3, 9)
    text = _io.TextIOWrapper(buffer, old.encoding, old.errors, "\n", line_buffering=lines, write_through=through)
    text.mode = mode
    return text


def forget_ourselves():
    """Make what runs the script unknown to it."""
    del sys.meta_path[0]
    for name in ours:
        del sys.modules[name]


def run(path, code):
    """Execute the script, and return the exit status that this leads to, -SIGINT for its signal."""
    main = type(sys)("__main__")
    main.__dict__.update(
        __file__=path,
        __builtins__=builtins,
        __cached__=None,
        __loader__=sys.modules["_frozen_importlib_external"].SourceFileLoader("__main__", path),
    )
    if sys.version_info < (3, 14):
        main.__annotations__ = {}
    sys.modules["__main__"] = main
    try:
        exec(code, main.__dict__)
        return 0
    except SystemExit as error:
        return status_of(error)
    except BaseException as error:
        failure = error
    report(failure)  # outside of its handler, or it would be the context of others
    return -_signal.SIGINT if isinstance(failure, KeyboardInterrupt) else 1


def status_of(error):
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def report(error):
    """Have the exception printed, or whatever the script's hook does."""
    without_our_frames(error)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    try:
        sys.excepthook(type(error), error, error.__traceback__)
        return
    except SystemExit:
        return
    except BaseException as second:
        failure = without_our_frames(second)
    print("Error in sys.excepthook:", file=sys.stderr)
    sys.__excepthook__(type(failure), failure, failure.__traceback__)
    print("\nOriginal exception was:", file=sys.stderr)
    sys.__excepthook__(type(error), error, error.__traceback__)


def without_our_frames(error):
    """Take from an exception's traceback what stands above the script's."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return error.with_traceback(trace)


def end(status):
    """End the process as an interpreter does, without taking down what came from the template.

    That would touch all of its memory, which takes longer than most scripts.
    """
    if "threading" in sys.modules:
        threading = sys.modules["threading"]
        try:
            threading._shutdown()  # waits for threads; the interpreter calls it the same way
        except BaseException as error:  # of a signal's handler
            ignore(error, "on threading shutdown" if sys.version_info >= (3, 13) else "in: %r" % threading)
    if "atexit" in sys.modules:
        try:
            sys.modules["atexit"]._run_exitfuncs()
        except BaseException:
            pass  # before Python 3.10 the last one is raised, after all have been printed
    flushed = flush()
    destroy()
    if not (flushed and flush()):
        status = 120  # as documented for Py_FinalizeEx
    if status < 0:
        _signal.signal(-status, _signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def ignore(error, where):
    """Print an exception for which there is nobody, as the interpreter does."""
    without_our_frames(error)
    print("Exception ignored %s" % where, file=sys.stderr)
    sys.__excepthook__(type(error), error, error.__traceback__)


def flush():
    """Flush the standard streams, and report whether the output could be written."""
    good = True
    for name in ("stdout", "stderr"):
        file = getattr(sys, name, None)
        try:
            if file is not None and not getattr(file, "closed", False):
                file.flush()
        except BaseException as error:
            if name == "stdout":
                good = False
                what = "while flushing sys.stdout:"
                if sys.version_info < (3, 14):
                    what = "on flushing sys.stdout:" if sys.version_info >= (3, 13) else "in: %r" % file
                print("Exception ignored %s\n%s: %s" % (what, type(error).__name__, error), file=sys.stderr)
    return good


def destroy():
    """Destroy what the script has made: open files are written, finalizers run."""
    sys.last_type = sys.last_value = sys.last_traceback = None
    flush_files()
    alive = [_weakref.ref(sys.modules.pop(name)) for name in made() if isinstance(sys.modules[name], type(sys))]
    gc.collect()
    left = False
    for reference in reversed(alive):
        module = reference()
        if module is not None:
            clear(module.__dict__)
            left = True
    if left:
        gc.collect()
    flush_files()  # what finalizers have written


def made():
    """Return the names of the script's modules in the order in which they were imported."""
    names = []
    for name in reversed(sys.modules):  # to look at all would touch, and so copy, the memory of each name
        if name in present:
            break
        names.append(name)
    if "__main__" in sys.modules and "__main__" not in names:
        names.append("__main__")
    return names[::-1]


def flush_files():
    """Flush all files that the script has opened.

    Those in reference cycles would be closed in any order, those that something of
    the template's holds not at all.
    """
    for thing in gc.get_objects():
        if isinstance(thing, (_io.BufferedWriter, _io.BufferedRandom, _io.TextIOWrapper)):
            try:
                thing.flush()
            except (OSError, ValueError):
                pass  # closed, or as broken as it was


def clear(namespace):
    """Clear a module's names in the interpreter's order: those with one underscore first."""
    for name in sorted(namespace, key=lambda name: not (name[:1] == "_" and name[1:2] != "_")):
        if name != "__builtins__":
            namespace[name] = None

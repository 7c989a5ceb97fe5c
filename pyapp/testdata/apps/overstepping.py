"""An application that goes on until it meets a limit, and says how far it came."""

import errno
import mmap
import os
import resource

TEXT = [("Content-Type", "text/plain")]
MB = 1 << 20
MOST = 512  # beyond any limit of the tests


def memory(query):
    """Take memory piece by piece; tell after how many MB there was none."""
    kept = []
    try:
        while len(kept) < MOST:
            kept.append(mmap.mmap(-1, MB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    except (OSError, MemoryError):
        pass
    return len(kept)


def exhausted(query):
    return len(bytearray(MOST * MB))


def files(query):
    kept = []
    try:
        while len(kept) < MOST:
            kept.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
    for fd in kept:
        os.close(fd)
    return len(kept)


def processes(query):
    """Fork children that wait; tell how many there were when there could be no more."""
    read, write = os.pipe()
    kept = []
    try:
        while len(kept) < MOST:
            pid = os.fork()
            if pid == 0:
                os.close(write)
                os.read(read, 1)
                os._exit(0)
            kept.append(pid)
    except OSError as error:
        if error.errno != errno.EAGAIN:
            raise
    os.close(write)
    os.close(read)
    for pid in kept:
        os.waitpid(pid, 0)
    return len(kept)


def limits(query):
    names = "RLIMIT_DATA", "RLIMIT_NOFILE", "RLIMIT_NPROC"
    return " ".join(str(resource.getrlimit(getattr(resource, name))[1]) for name in names)


def pid(query):
    return os.getpid()


def group(query):
    with open("/proc/self/cgroup") as file:
        return [line for line in file if line.startswith("0::")][0].strip()


def daemon(query):
    """Leave a process behind that has cut every tie to this one; tell its number."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        grandchild = os.fork()
        if grandchild == 0:
            os.close(read)
            os.dup2(os.open("/dev/null", os.O_RDWR), 1)
            os.dup2(1, 2)
            os.execvp("sleep", ["sleep", "1000"])
        os.write(write, b"%d" % grandchild)
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    with open(read, "rb") as answer:
        return int(answer.read(10))


def application(environ, start_response):
    answer = globals()[environ["PATH_INFO"].strip("/")](environ["QUERY_STRING"])
    start_response("200 OK", TEXT)
    return [b"%s" % str(answer).encode()]

"""Makes the modules that arrived with the boot value importable, then starts.

No file is read: the interpreter got everything through its standard input.
Nothing is imported either that the interpreter has not loaded itself: what
stands in the template's memory costs each fork of it time.
"""

import marshal
import os
import sys

PACKAGE = "_gatehouse"
ModuleSpec = type(sys.__spec__)


class Sources:
    """A finder and loader for the package's modules, held as source text and code."""

    def __init__(self, texts):
        self._texts = texts
        self._codes = compile_elsewhere(texts)

    def find_spec(self, name, path=None, target=None):
        package, _, module = name.partition(".")
        if package != PACKAGE or (module and module not in self._texts):
            return None
        return ModuleSpec(name, self, origin=filename_of(module), is_package=not module)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__name__.partition(".")[2]
        if not name:
            return
        module.__file__ = module.__spec__.origin
        exec(self._codes.pop(name), module.__dict__)

    def get_source(self, name):
        """Return a module's text: tracebacks ask for it."""
        return self._texts.get(name.partition(".")[2])


def filename_of(module):
    return "<gatehouse>/%s.py" % module


def compile_elsewhere(texts):
    """Compile in a process of its own: here, the memory for that would be part of each fork."""
    answer, question = os.pipe()
    try:
        pid = os.fork()
    except OSError:  # there may be no more processes; it is only a matter of memory
        pid = -1
    if pid <= 0:
        codes = {name: compile(text, filename_of(name), "exec") for name, text in texts.items()}
    if pid == 0:
        with open(question, "wb") as file:
            marshal.dump(codes, file)
        os._exit(0)
    os.close(question)
    with open(answer, "rb") as file:
        data = file.read()
    if pid > 0:
        os.waitpid(pid, 0)
        codes = marshal.loads(data)
    return codes


def start(boot):
    sys.meta_path.insert(0, Sources(boot["sources"]))
    __import__(PACKAGE + ".template")
    sys.modules[PACKAGE + ".template"].main(boot)


start(boot)  # noqa: F821, the -c command that runs this text has put it there

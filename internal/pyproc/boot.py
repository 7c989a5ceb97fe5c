"""Makes the modules that arrived with the boot value importable, then starts.

No file is read: the interpreter got everything through its standard input.
"""

import importlib.machinery
import linecache
import sys

PACKAGE = "_gatehouse"


class Sources:
    """A finder and loader for the package's modules, held as source text."""

    def __init__(self, texts):
        self._texts = texts

    def find_spec(self, name, path=None, target=None):
        package, _, module = name.partition(".")
        if package != PACKAGE or (module and module not in self._texts):
            return None
        spec = importlib.machinery.ModuleSpec(name, self, origin="<gatehouse>/%s.py" % module, is_package=not module)
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__name__.partition(".")[2]
        if not name:
            return
        text, filename = self._texts[name], module.__spec__.origin
        # An entry without a modification time is never checked against a disk,
        # so tracebacks show the lines.
        linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
        module.__file__ = filename
        exec(compile(text, filename, "exec"), module.__dict__)


def start(boot):
    sys.meta_path.insert(0, Sources(boot["sources"]))
    template = importlib.import_module(PACKAGE + ".template")
    template.main(boot)


start(boot)  # noqa: F821, the -c command that runs this text has put it there

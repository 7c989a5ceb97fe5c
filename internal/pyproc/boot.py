"""Makes the modules that arrived with the boot value importable, then starts.

No file is read: the interpreter got everything through its standard input.
Nothing is imported either that the interpreter has not loaded itself: what
stands in the template's memory costs each fork of it time.
"""

import sys

PACKAGE = "_gatehouse"
ModuleSpec = type(sys.__spec__)


class Sources:
    """A finder and loader for the package's modules, held as source text."""

    def __init__(self, texts):
        self._texts = texts

    def find_spec(self, name, path=None, target=None):
        package, _, module = name.partition(".")
        if package != PACKAGE or (module and module not in self._texts):
            return None
        return ModuleSpec(name, self, origin="<gatehouse>/%s.py" % module, is_package=not module)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__name__.partition(".")[2]
        if not name:
            return
        module.__file__ = module.__spec__.origin
        exec(compile(self._texts[name], module.__file__, "exec"), module.__dict__)

    def get_source(self, name):
        """Return a module's text: tracebacks ask for it."""
        return self._texts.get(name.partition(".")[2])


def start(boot):
    sys.meta_path.insert(0, Sources(boot["sources"]))
    __import__(PACKAGE + ".template")
    sys.modules[PACKAGE + ".template"].main(boot)


start(boot)  # noqa: F821, the -c command that runs this text has put it there

"""Modules that the standard library has no more, for scripts that Gatehouse runs.

The folder above this package is in PYTHONPATH of scripts. What it has, cgi and
cgitb, is found before the standard library; so each asks here for the module that
the script shall have: one that lies elsewhere in sys.path, such as the standard
library's until Python 3.12 or one that was installed, and only then Gatehouse's.

An interpreter whose PYTHONPATH has not got that folder calls install instead.
"""

import importlib.machinery
import importlib.util
import os
import sys

NAMES = ("cgi", "cgitb")


def provide(name):
    """Put the module that a script shall have in the place of the one that is being imported."""
    # Another server's folder may be there as well. It would send us back here.
    path = [entry for entry in sys.path if not os.path.isdir(os.path.join(entry, __name__))]
    spec = importlib.machinery.PathFinder.find_spec(name, path)
    if spec is None or not spec.has_location:  # a folder without modules is no module
        spec = _spec(name, os.path.dirname(__file__))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def install(folder):
    """Have Gatehouse's modules found below that folder where there are no others of their names."""
    sys.meta_path.append(Finder(os.path.join(folder, __name__)))


class Finder:
    """A finder for the end of sys.meta_path: it is asked for what nobody else has."""

    def __init__(self, folder):
        self.folder = folder

    def find_spec(self, name, path=None, target=None):
        return _spec(name, self.folder) if name in NAMES else None


def _spec(name, folder):
    return importlib.util.spec_from_file_location(name, os.path.join(folder, name + ".py"))

"""Modules that the standard library has no more, for scripts that Gatehouse runs.

The folder above this package is in PYTHONPATH of scripts. What it has, cgi and
cgitb, is found before the standard library; so each asks here for the module that
the script shall have: one that lies elsewhere in sys.path, such as the standard
library's until Python 3.12 or one that was installed, and only then Gatehouse's.
"""

import importlib.machinery
import importlib.util
import os
import sys


def provide(name):
    """Put the module that a script shall have in the place of the one that is being imported."""
    # Another server's folder may be there as well. It would send us back here.
    path = [entry for entry in sys.path if not os.path.isdir(os.path.join(entry, __name__))]
    spec = importlib.machinery.PathFinder.find_spec(name, path)
    if spec is None or not spec.has_location:  # a folder without modules is no module
        spec = importlib.util.spec_from_file_location(name, os.path.join(os.path.dirname(__file__), name + ".py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)

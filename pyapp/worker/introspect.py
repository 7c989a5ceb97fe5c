"""What can be told about a loaded application without calling it."""

import platform
import sys


def describe(application, mount):
    """Return facts about the interpreter and the application, fit for JSON."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "framework": framework(application),
        "static": [],
        "warnings": [],
    }


def framework(application):
    """Return name and version of the web framework, or None."""
    for name, label in (("django", "Django"), ("flask", "Flask")):
        module = sys.modules.get(name)
        if module is not None and type(application).__module__.split(".")[0] == name:
            return {"name": label, "version": str(getattr(module, "__version__", ""))}
    return None


def place(application):
    """Return file and line where the application is written, or None."""
    for candidate in (application, getattr(type(application), "__call__", None)):
        code = getattr(getattr(candidate, "__func__", candidate), "__code__", None)
        if code is not None:
            return code.co_filename, code.co_firstlineno
    return None

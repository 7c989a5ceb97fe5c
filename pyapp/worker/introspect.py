"""What can be told about a loaded application without calling it."""

import os
import platform
import socket
import sys

FRAMEWORKS = {"django": "Django", "flask": "Flask", "bottle": "Bottle", "falcon": "Falcon", "pyramid": "Pyramid"}


def describe(application, mount, known_sockets=()):
    """Return facts about the interpreter and the application, fit for JSON."""
    info = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "framework": framework(application),
        "static": [],
        "debug": False,
        "warnings": open_sockets(known_sockets),
    }
    name = package(application)
    try:
        if name == "django":
            describe_django(mount, info)
        elif name == "flask":
            describe_flask(application, mount, info)
    except Exception as error:  # whatever a framework's version does differently
        info["warnings"].append("cannot tell which static files %s serves: %s: %s" % (name, type(error).__name__, error))
    info["static"].sort(key=lambda entry: -len(entry["url"]))
    return info


def package(application):
    """Return the name of the package that the application's type comes from."""
    return type(application).__module__.partition(".")[0]


def framework(application):
    """Return name and version of the web framework, or None."""
    name = package(application)
    module = sys.modules.get(name)
    if name not in FRAMEWORKS or module is None:
        return None
    try:
        from importlib.metadata import version

        found = version(name)
    except Exception:  # installed without metadata, a zip file, a checkout
        found = module.__dict__.get("__version__", "")
    return {"name": FRAMEWORKS[name], "version": str(found)}


def describe_django(mount, info):
    """Tell where Django's static files are."""
    # The raw settings: reading STATIC_URL through the lazy ones would settle its
    # prefix before the first request has said what SCRIPT_NAME is.
    settings = sys.modules["django.conf"].settings._wrapped
    info["debug"] = bool(settings.DEBUG)
    url = getattr(settings, "STATIC_URL", None)
    if "django.contrib.staticfiles" not in settings.INSTALLED_APPS or not url or "//" in url:
        return
    if not url.startswith("/"):
        url = mount + "/" + url
    root = getattr(settings, "STATIC_ROOT", None)
    collected = [os.path.abspath(str(root))] if root and os.path.isdir(str(root)) else []
    if not settings.DEBUG:
        add_static(info, url, collected)
        if not collected:
            info["warnings"].append("static files are not collected: STATIC_ROOT is %s; run manage.py collectstatic" % (
                "%s, which does not exist" % root if root else "not set"))
        return
    from django.contrib.staticfiles.finders import get_finders

    folders = []
    for finder in get_finders():
        prefixed = {prefix: [] for prefix, _ in getattr(finder, "locations", ()) if prefix}
        storages = getattr(finder, "storages", {}).values()
        for storage in storages:
            prefix = getattr(storage, "prefix", None)
            (prefixed[prefix] if prefix in prefixed else folders).append(str(storage.location))
        for prefix, found in prefixed.items():
            add_static(info, "%s/%s" % (url.rstrip("/"), prefix), found)
    add_static(info, url, folders + collected)


def describe_flask(application, mount, info):
    """Tell where the static files of a Flask application and its blueprints are."""
    info["debug"] = bool(application.debug)
    if application.has_static_folder:
        add_static(info, mount + application.static_url_path, [application.static_folder])
    for blueprint in application.blueprints.values():
        path = blueprint.static_url_path
        if blueprint.has_static_folder and path:
            add_static(info, mount + (blueprint.url_prefix or "") + path, [blueprint.static_folder])


def add_static(info, url, dirs):
    """Add folders that exist, each once."""
    dirs = [d for d in dict.fromkeys(dirs) if os.path.isdir(d)]
    if dirs:
        info["static"].append({"url": url.rstrip("/") + "/", "dirs": dirs})


def open_sockets(known):
    """Warn of sockets that the import left open: forked workers would share them."""
    found = []
    try:
        descriptors = os.listdir("/proc/self/fd")
    except OSError:
        return found
    for fd in map(int, descriptors):
        try:
            if fd in known or not os.readlink("/proc/self/fd/%d" % fd).startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(fd)) as copy:
                try:
                    where = "to %s" % (copy.getpeername(),)
                except OSError:
                    where = "at %s" % (copy.getsockname(),)
        except OSError:
            continue  # it was the listing's own
        found.append("importing the application left a socket open %s: workers share it; open it on first use instead" % where)
    return found


def place(application):
    """Return file and line where the application is written, or None."""
    for candidate in (application, getattr(type(application), "__call__", None)):
        code = getattr(getattr(candidate, "__func__", candidate), "__code__", None)
        if hasattr(code, "co_filename"):  # PyPy's built-in functions have another kind of code
            return code.co_filename, code.co_firstlineno
    return None

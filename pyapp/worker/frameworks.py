"""What frameworks leave to the first request and a server wants done before."""

import sys

from . import introspect


def prepare(application, mount):
    """Complete a loaded application. Raise what its code raises."""
    if introspect.package(application) == "django":
        prepare_django(mount)


def hand_on(application):
    """Have a framework let through what its views raise: we show it to the developer.

    What the project has decided itself stands: Flask's PROPAGATE_EXCEPTIONS, and
    the pages that Django shows with DEBUG.
    """
    name = introspect.package(application)
    if name == "django":
        settings = sys.modules["django.conf"].settings
        if not settings.DEBUG:
            settings.DEBUG_PROPAGATE_EXCEPTIONS = True
    elif name == "flask":
        if application.config.get("PROPAGATE_EXCEPTIONS") is None:
            application.config["PROPAGATE_EXCEPTIONS"] = True
    elif name == "bottle":
        application.catchall = False


def prepare_django(mount):
    """Import Django's URL configuration, and with it the views.

    Broken code is then seen before any request is sent to it, and workers share
    the memory of what is imported.
    """
    from django.db import connections
    from django.urls import get_resolver, set_script_prefix

    settings = sys.modules["django.conf"].settings._wrapped  # see introspect
    if getattr(settings, "ROOT_URLCONF", None):
        if settings.FORCE_SCRIPT_NAME is None:
            set_script_prefix(mount + "/")  # modules of the project may reverse URLs, or build on STATIC_URL
        get_resolver().url_patterns
        connections.close_all()  # a connection must not be shared by processes
    log_errors()


def log_errors():
    """Have Django's errors printed if its logging leaves that to nobody.

    Without DEBUG it only mails them to ADMINS, of whom there are none at first.
    """
    import logging

    from django.utils.log import AdminEmailHandler

    logger = logging.getLogger("django.request")
    probe = logger.makeRecord(logger.name, logging.ERROR, __file__, 0, "", (), None)
    while logger:
        for handler in logger.handlers:
            silent = isinstance(handler, (AdminEmailHandler, logging.NullHandler))
            if not silent and handler.level <= logging.ERROR and handler.filter(probe):
                return
        logger = logger.parent if logger.propagate else None
    printer = logging.StreamHandler()
    printer.setLevel(logging.ERROR)
    logging.getLogger("django").addHandler(printer)

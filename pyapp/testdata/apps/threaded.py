"""Starts a thread when it is imported, and so cannot be forked."""

import threading

from good import application  # noqa: F401

threading.Thread(target=threading.Event().wait, daemon=True).start()

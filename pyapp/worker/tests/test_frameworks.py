"""What frameworks are told; they are played by small classes."""

import sys
import types
import unittest
from unittest import mock

from worker import frameworks


def instance(module, **fields):
    """Return an object of a class that comes from a module of that name."""
    found = type("Application", (), {"__module__": module})()
    found.__dict__.update(fields)
    return found


class HandOn(unittest.TestCase):
    def test_flask(self):
        for before, after in ((None, True), (False, False), (True, True)):
            app = instance("flask.app", config={"PROPAGATE_EXCEPTIONS": before})
            frameworks.hand_on(app)
            self.assertIs(app.config["PROPAGATE_EXCEPTIONS"], after)

    def test_bottle(self):
        app = instance("bottle", catchall=True)
        frameworks.hand_on(app)
        self.assertFalse(app.catchall)

    def test_django(self):
        for debug, after in ((False, True), (True, False)):
            settings = types.SimpleNamespace(DEBUG=debug, DEBUG_PROPAGATE_EXCEPTIONS=False)
            conf = types.ModuleType("django.conf")
            conf.settings = settings
            with mock.patch.dict(sys.modules, {"django.conf": conf}):
                frameworks.hand_on(instance("django.core.handlers.wsgi"))
            self.assertIs(settings.DEBUG_PROPAGATE_EXCEPTIONS, after)

    def test_others(self):
        app = instance("falcon.app")
        frameworks.hand_on(app)
        self.assertEqual(vars(app), {})

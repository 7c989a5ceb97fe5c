"""What is told about applications; the frameworks are played by small classes."""

import os
import socket
import sys
import tempfile
import types
import unittest
from unittest import mock

from worker import introspect


def application(environ, start_response):
    """A plain WSGI application."""


class Facts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = folder.name
        for name in ("root", "one", "two"):
            os.mkdir(os.path.join(self.dir, name))

    def path(self, name):
        return os.path.join(self.dir, name)

    def describe(self, app, mount=""):
        known = [int(fd) for fd in os.listdir("/proc/self/fd")] if os.path.isdir("/proc/self/fd") else ()
        return introspect.describe(app, mount, known)

    def test_plain_application(self):
        info = self.describe(application)
        self.assertIsNone(info["framework"])
        self.assertEqual((info["static"], info["warnings"]), ([], []))

    def test_place(self):
        class Application:
            def __call__(self, environ, start_response):
                pass

            method = __call__

        for app in (application, Application(), Application().method):
            self.assertEqual(introspect.place(app)[0], __file__)
        self.assertIsNone(introspect.place(len))

    def flask(self, **fields):
        kind = type("Flask", (), {"__module__": "flask.app"})
        app = kind()
        values = {"debug": False, "has_static_folder": True, "static_url_path": "/static", "static_folder": self.path("one"), "blueprints": {}}
        app.__dict__.update(values, **fields)
        return app

    def test_flask(self):
        blueprint = types.SimpleNamespace(
            has_static_folder=True, static_url_path="/files", static_folder=self.path("two"), url_prefix="/shop"
        )
        with mock.patch.dict(sys.modules, flask=types.ModuleType("flask")):
            info = self.describe(self.flask(blueprints={"shop": blueprint}), "/m")
        self.assertEqual(info["framework"]["name"], "Flask")
        self.assertEqual(
            info["static"],
            [{"url": "/m/shop/files/", "dirs": [self.path("two")]}, {"url": "/m/static/", "dirs": [self.path("one")]}],
        )

    def test_flask_folder_that_does_not_exist(self):
        with mock.patch.dict(sys.modules, flask=types.ModuleType("flask")):
            self.assertEqual(self.describe(self.flask(static_folder=self.path("none")))["static"], [])

    def test_framework_that_has_changed(self):
        with mock.patch.dict(sys.modules, flask=types.ModuleType("flask")):
            info = self.describe(self.flask(blueprints=None))
        self.assertEqual(len(info["warnings"]), 1)
        self.assertIn("cannot tell which static files", info["warnings"][0])

    def django(self, mount="", **settings):
        values = {"DEBUG": False, "STATIC_URL": "static/", "STATIC_ROOT": self.path("root")}
        values["INSTALLED_APPS"] = ["django.contrib.staticfiles"]
        values.update(settings)
        storage = types.SimpleNamespace
        finders = types.ModuleType("django.contrib.staticfiles.finders")
        finders.get_finders = lambda: [
            types.SimpleNamespace(
                locations=[("", self.path("one")), ("docs", self.path("two"))],
                storages={1: storage(prefix="", location=self.path("one")), 2: storage(prefix="docs", location=self.path("two"))},
            ),
            types.SimpleNamespace(storages={"app": storage(location=self.path("root"))}),
        ]
        conf = types.ModuleType("django.conf")
        conf.settings = types.SimpleNamespace(_wrapped=types.SimpleNamespace(**values))
        modules = {"django": types.ModuleType("django"), "django.conf": conf}
        modules.update({"django.contrib": types.ModuleType("c"), "django.contrib.staticfiles": types.ModuleType("s")})
        modules["django.contrib.staticfiles.finders"] = finders
        handler = type("WSGIHandler", (), {"__module__": "django.core.handlers.wsgi"})()
        with mock.patch.dict(sys.modules, modules):
            return self.describe(handler, mount)

    def test_django_collected(self):
        for mount, url, want in (("", "static/", "/static/"), ("/m", "static/", "/m/static/"), ("/m", "/s/", "/s/")):
            info = self.django(mount, STATIC_URL=url)
            self.assertEqual(info["static"], [{"url": want, "dirs": [self.path("root")]}])

    def test_django_not_collected(self):
        info = self.django(STATIC_ROOT=self.path("none"))
        self.assertEqual(info["static"], [])
        self.assertIn("run manage.py collectstatic", info["warnings"][0])

    def test_django_debug(self):
        info = self.django(DEBUG=True)
        self.assertTrue(info["debug"])
        self.assertEqual(
            info["static"],
            [{"url": "/static/docs/", "dirs": [self.path("two")]}, {"url": "/static/", "dirs": [self.path("one"), self.path("root")]}],
        )

    def test_django_elsewhere(self):
        for settings in ({"STATIC_URL": "https://cdn.example/"}, {"STATIC_URL": None}, {"INSTALLED_APPS": []}):
            info = self.django(**settings)
            self.assertEqual((info["static"], info["warnings"]), ([], []))

    def test_open_socket(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            found = introspect.open_sockets(known=())
            self.assertTrue([w for w in found if str(s.getsockname()[1]) in w], found)
            self.assertFalse([w for w in introspect.open_sockets(known=(s.fileno(),)) if str(s.getsockname()[1]) in w])


if __name__ == "__main__":
    unittest.main()

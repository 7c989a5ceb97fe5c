"""Byte code of sources that were saved just now."""

import importlib
import importlib.util
import os
import sys
import tempfile
import time
import unittest
from importlib.machinery import SourceFileLoader
from unittest import mock

from worker import bytecode


class DistrustYoung(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "young_module.py")
        for patch in (
            mock.patch.object(SourceFileLoader, "set_data", SourceFileLoader.set_data),
            mock.patch.object(sys, "path", [folder.name] + sys.path),
            mock.patch.object(sys, "dont_write_bytecode", False),
            mock.patch.dict(sys.modules),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def save(self, text, age=0):
        with open(self.path, "w") as file:
            file.write(text)
        at = time.time() - age
        os.utime(self.path, (at, at))

    def load(self):
        sys.modules.pop("young_module", None)
        importlib.invalidate_caches()
        return importlib.import_module("young_module").version

    def test_two_saves_within_a_second(self):
        bytecode.distrust_young()
        for version in (1, 2, 3):
            self.save("version = %d\n" % version)
            self.assertEqual(self.load(), version)

    def test_old_sources_are_cached(self):
        bytecode.distrust_young()
        self.save("version = 1\n", age=60)
        self.assertEqual(self.load(), 1)
        self.assertTrue(os.path.exists(importlib.util.cache_from_source(self.path)))

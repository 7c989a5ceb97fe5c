"""Which module a script gets: its own, the interpreter's, an installed one, or Gatehouse's."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHIPPED = sys.version_info < (3, 13)
OURS = os.path.join("gatehouse_compat", "cgi.py")
PRINT = "import cgi, cgitb\nprint(cgi.__file__)\nprint(cgi.__name__, cgi.FieldStorage.__module__, cgitb.__name__, cgitb.enable.__module__)\n"


def lay_out(folder):
    """Do what Write does in Go."""
    for name in ("cgi", "cgitb"):
        shutil.copy(os.path.join(HERE, "shim.py"), os.path.join(folder, name + ".py"))
    shutil.copytree(os.path.join(HERE, "gatehouse_compat"), os.path.join(folder, "gatehouse_compat"), ignore=shutil.ignore_patterns("__pycache__"))


def put(folder, name, text):
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)


class Which(unittest.TestCase):
    def setUp(self):
        self.folders = []
        for _ in range(3):
            temporary = tempfile.TemporaryDirectory()
            self.addCleanup(temporary.cleanup)
            self.folders.append(os.path.realpath(temporary.name))
        self.compat, self.scripts, self.other = self.folders
        lay_out(self.compat)
        put(self.scripts, "script.py", PRINT)

    def run_script(self, *path):
        environ = dict(os.environ, PYTHONPATH=os.pathsep.join(path or [self.compat]))
        environ.pop("PYTHONWARNINGS", None)
        p = subprocess.run(
            [sys.executable, "-B", os.path.join(self.scripts, "script.py")],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        file, names = p.stdout.splitlines()
        self.assertEqual(names, "cgi cgi cgitb cgitb")
        return file

    def test_the_interpreters(self):
        # Nothing is printed: no warning that the original is deprecated, either.
        file = self.run_script()
        if SHIPPED:
            self.assertFalse(file.startswith(self.compat), file)
        else:
            self.assertEqual(file, os.path.join(self.compat, OURS))

    def test_one_beside_the_script(self):
        text = "class FieldStorage: pass\n"
        put(self.scripts, "cgi.py", text)
        self.assertEqual(self.run_script(), os.path.join(self.scripts, "cgi.py"))

    def test_one_that_is_installed(self):
        put(self.other, "cgi.py", "class FieldStorage: pass\n")
        self.assertEqual(self.run_script(self.compat, self.other), os.path.join(self.other, "cgi.py"))
        self.assertEqual(self.run_script(self.other, self.compat), os.path.join(self.other, "cgi.py"))

    def test_a_folder_is_no_module(self):
        os.mkdir(os.path.join(self.other, "cgi"))
        file = self.run_script(self.compat, self.other)
        self.assertEqual(os.path.join(self.compat, OURS) == file, not SHIPPED, file)

    def test_two_servers(self):
        lay_out(self.other)
        file = self.run_script(self.compat, self.other)
        self.assertEqual(os.path.join(self.compat, OURS) == file, not SHIPPED, file)

    def test_one_that_does_not_import(self):
        put(self.other, "cgi.py", "1 / 0\n")
        put(self.scripts, "script.py", "try:\n    import cgi\nexcept ZeroDivisionError:\n    print('x\\ncgi cgi cgitb cgitb')\n")
        self.assertEqual(self.run_script(self.compat, self.other), "x")


if __name__ == "__main__":
    unittest.main()

package detect_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/seed-07905ac1/gatehouse/internal/detect"
)

// TestFolder runs every archive in testdata/folders: a tree of files, and a file
// "want" with what Folder is to find in it. The archive's comment may hold
// "app:", "python:", "project-python:" and "settings:" (both with the file and
// line that name them), "in:" (the subfolder to look at), "env: NAME=value" and
// "venv: DIR VERSION" (a virtual environment to make).
func TestFolder(t *testing.T) {
	archives, err := filepath.Glob("testdata/folders/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, archive := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(archive), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(archive)
			if err != nil {
				t.Fatal(err)
			}
			tree := t.TempDir()
			path := filepath.Join(tree, "path") // the only PATH, with one python3
			makeExecutable(t, filepath.Join(path, "python3"))
			t.Setenv("PATH", path)
			t.Setenv("VIRTUAL_ENV", "")
			t.Setenv("DJANGO_SETTINGS_MODULE", "")

			dir := filepath.Join(tree, "shop")
			var opt detect.Options
			look := dir
			for line := range strings.Lines(string(a.Comment)) {
				key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				switch key {
				case "app":
					opt.App = detect.Named{Value: value}
				case "python":
					opt.Python = detect.Named{Value: value}
				case "project-python":
					opt.ProjectPython = named(dir, value)
				case "settings":
					opt.Settings = named(dir, value)
				case "in":
					look = filepath.Join(dir, value)
				case "env":
					name, value, _ := strings.Cut(value, "=")
					t.Setenv(name, strings.ReplaceAll(value, "$TREE", tree))
				case "venv":
					name, version, _ := strings.Cut(value, " ")
					makeVenv(t, filepath.Join(tree, name), version)
				}
			}
			want := ""
			for _, file := range a.Files {
				if file.Name == "want" {
					want = string(file.Data)
					continue
				}
				write(t, filepath.Join(dir, file.Name), string(file.Data), 0o644)
			}
			res, err := detect.Folder(look, opt)
			got := strings.ReplaceAll(report(res, err), tree, "$TREE")
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// named reads "VALUE FILE:LINE".
func named(dir, text string) detect.Named {
	value, place, _ := strings.Cut(text, " ")
	file, number, _ := strings.Cut(place, ":")
	line, err := strconv.Atoi(number)
	if err != nil {
		panic(err)
	}
	return detect.Named{Value: value, File: filepath.Join(dir, file), Line: line}
}

// report writes down a result or an error as the archives do.
func report(res *detect.Result, err error) string {
	var b strings.Builder
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
		var e *detect.Error
		if errors.As(err, &e) && e.Hint != "" {
			fmt.Fprintf(&b, "hint: %s\n", e.Hint)
		}
		return b.String()
	}
	fmt.Fprintf(&b, "%s %s: %s\n", res.Framework, res.Name, res.App)
	fmt.Fprintf(&b, "files: %s\n", strings.Join(res.Files, ", "))
	for _, row := range []struct{ key, value string }{
		{"settings", res.Settings},
		{"env", strings.Join(res.Env, " ")},
		{"requires", res.RequiresPython},
	} {
		if row.value != "" {
			fmt.Fprintf(&b, "%s: %s\n", row.key, row.value)
		}
	}
	fmt.Fprintf(&b, "python: %s from %s", res.Python.Path, res.Python.Why)
	if res.Python.Venv != "" {
		fmt.Fprintf(&b, ", %s in %s", res.Python.Version, res.Python.Venv)
	}
	b.WriteString("\n")
	for _, r := range res.Reasons {
		fmt.Fprintf(&b, "- %s\n", r)
	}
	return b.String()
}

// TestErrors holds what callers tell errors apart by.
func TestErrors(t *testing.T) {
	t.Setenv("VIRTUAL_ENV", "")
	for _, tt := range []struct {
		name, file, source, path string
		want                     error
	}{
		{"nothing", "notes.txt", "", "", detect.ErrNothing},
		{"asgi", "main.py", "from fastapi import FastAPI\napp = FastAPI()\n", "", detect.ErrASGI},
		{"no python", "wsgi.py", "def application(environ, start_response): pass\n", "", detect.ErrInterpreter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PATH", tt.path)
			dir := t.TempDir()
			write(t, filepath.Join(dir, tt.file), tt.source, 0o644)
			_, err := detect.Folder(dir, detect.Options{})
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			var e *detect.Error
			if !errors.As(err, &e) || e.Detail() == "" {
				t.Errorf("%v says nothing on what was looked for or what to do", err)
			}
		})
	}
	t.Run("no folder", func(t *testing.T) {
		if _, err := detect.Folder(filepath.Join(t.TempDir(), "absent"), detect.Options{}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v, want %v", err, os.ErrNotExist)
		}
	})
}

// TestFIFO: a pipe with the name of a source file must not block the search.
func TestFIFO(t *testing.T) {
	dir := t.TempDir()
	makeFIFO(t, filepath.Join(dir, "app.py"))
	if _, err := detect.Folder(dir, detect.Options{}); !errors.Is(err, detect.ErrNothing) {
		t.Errorf("got %v, want %v", err, detect.ErrNothing)
	}
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func makeExecutable(t *testing.T, path string) {
	t.Helper()
	write(t, path, "", 0o755)
}

func makeVenv(t *testing.T, dir, version string) {
	t.Helper()
	write(t, filepath.Join(dir, "pyvenv.cfg"), "home = /usr/bin\nversion = "+version+"\n", 0o644)
	makeExecutable(t, filepath.Join(dir, "bin", "python"))
}

// TestAlone: what the server's environment and the folders above say is not an
// application's that is one of many.
func TestAlone(t *testing.T) {
	top := t.TempDir()
	write(t, filepath.Join(top, "pyproject.toml"), "[project]\nrequires-python = \">=3.99\"\n", 0o644)
	makeVenv(t, filepath.Join(top, ".venv"), "3.12.1")
	makeVenv(t, filepath.Join(top, "active"), "3.12.1")
	write(t, filepath.Join(top, "webapps/blog/app.py"), "from flask import Flask\napp = Flask(__name__)\n", 0o644)
	t.Setenv("VIRTUAL_ENV", filepath.Join(top, "active"))
	t.Setenv("DJANGO_SETTINGS_MODULE", "of.the.server")
	bin := filepath.Join(top, "bin")
	makeExecutable(t, filepath.Join(bin, "python3"))
	t.Setenv("PATH", bin)
	found, err := detect.Folder(filepath.Join(top, "webapps/blog"), detect.Options{Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	if found.Python.Path != filepath.Join(bin, "python3") || found.Python.Venv != "" || found.RequiresPython != "" {
		t.Errorf("it runs with %+v and needs %q", found.Python, found.RequiresPython)
	}
	makeVenv(t, filepath.Join(top, "webapps/blog/.venv"), "3.9.2")
	if found, err = detect.Folder(filepath.Join(top, "webapps/blog"), detect.Options{Alone: true}); err != nil || found.Python.Version != "3.9" {
		t.Errorf("with an environment of its own: %+v, %v", found, err)
	}
}

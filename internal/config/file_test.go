package config_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/config"
)

var update = flag.Bool("update", false, "write the .want files anew")

// TestFiles runs every file in testdata/file: NAME.toml is a gatehouse.toml,
// NAME.pyproject.toml a pyproject.toml, and NAME.want is what is wrong with it or,
// if nothing is, how it is written back. A new test is a new pair (-update writes
// the second half, to be read before it is kept).
func TestFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/file/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".toml")
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			path := "/srv/shop/" + config.FileName
			if strings.HasSuffix(name, ".pyproject") {
				path = "/srv/shop/" + config.ProjectFile
			}
			l, err := config.Decode(path, src, true)
			var got string
			switch {
			case err != nil:
				got = err.Error() + "\n"
			case l == nil:
				got = "no configuration\n"
			default:
				got = config.Format(l.Lines())
			}
			got = strings.ReplaceAll(got, "/srv/shop/", "")
			golden := strings.TrimSuffix(file, ".toml") + ".want"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// project makes the current folder one that holds these files.
func project(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLoad(t *testing.T) {
	project(t, map[string]string{
		"gatehouse.toml": "listen = [':1', ':2']\n[app]\nworkers = 3\nslow = '2s'\n",
		"other.toml":     "[app]\nworkers = 5\n",
	})
	for _, tt := range []struct {
		name    string
		source  config.Source
		file    string
		workers int
		slow    time.Duration
		listen  []string
	}{
		{"no file", config.Source{Dir: "nowhere"}, "", 0, time.Second, []string{"127.0.0.1:8000"}},
		{"file", config.Source{Dir: "."}, "gatehouse.toml", 3, 2 * time.Second, []string{":1", ":2"}},
		{"flags win", config.Source{Dir: ".", Flags: []config.Assignment{{"workers", "7"}, {"listen", ":3"}, {"listen", ":4"}}}, "gatehouse.toml", 7, 2 * time.Second, []string{":3", ":4"}},
		{"named file", config.Source{Dir: ".", Path: "other.toml"}, "other.toml", 5, time.Second, []string{"127.0.0.1:8000"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := tt.source.Load()
			if err != nil {
				t.Fatal(err)
			}
			c := &l.Config
			if l.File != tt.file || c.App.Workers != tt.workers || c.App.Slow != tt.slow || !reflect.DeepEqual(c.Listen, tt.listen) {
				t.Errorf("file %q, workers %d, slow %v, listen %v; want %q, %d, %v, %v",
					l.File, c.App.Workers, c.App.Slow, c.Listen, tt.file, tt.workers, tt.slow, tt.listen)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	const ours, theirs = "[app]\nworkers = 3\n", "[project]\nname = 'shop'\n"
	for _, tt := range []struct {
		name   string
		files  map[string]string
		source config.Source
		want   string
	}{
		{
			"both files",
			map[string]string{"gatehouse.toml": ours, "pyproject.toml": theirs + "[tool.gatehouse]\n"},
			config.Source{Dir: "."},
			"gatehouse.toml and [tool.gatehouse] in pyproject.toml:3 both configure the application; keep one of them",
		},
		{"named file is not there", nil, config.Source{Path: "live.toml"}, "open live.toml: no such file or directory"},
		{"named file without our table", map[string]string{"pyproject.toml": theirs}, config.Source{Path: "pyproject.toml"}, "pyproject.toml has no table [tool.gatehouse]"},
		{"bad flag", nil, config.Source{Flags: []config.Assignment{{"workers", "0"}}}, `--workers: "0" is neither a number from 1 to 1024 nor a range such as 2..8`},
		{"too large", map[string]string{"gatehouse.toml": strings.Repeat("#", 256<<10+1)}, config.Source{Dir: "."}, "read gatehouse.toml: larger than 256KB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			project(t, tt.files)
			if _, err := tt.source.Load(); err == nil || err.Error() != tt.want {
				t.Errorf("Load = %v, want %s", err, tt.want)
			}
		})
	}
	t.Run("as large as may be", func(t *testing.T) {
		project(t, map[string]string{"gatehouse.toml": strings.Repeat("#", 256<<10)})
		if _, err := (&config.Source{Dir: "."}).Load(); err != nil {
			t.Error(err)
		}
	})
	t.Run("folder of that name", func(t *testing.T) {
		project(t, nil)
		if err := os.Mkdir("gatehouse.toml", 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := (&config.Source{Dir: "."}).Load(); err == nil || err.Error() != "read gatehouse.toml: not a regular file" {
			t.Errorf("Load = %v, want that it is no file", err)
		}
	})
	t.Run("link that leads nowhere", func(t *testing.T) {
		project(t, nil)
		if err := os.Symlink("nowhere", "gatehouse.toml"); err != nil {
			t.Fatal(err)
		}
		if _, err := (&config.Source{Dir: "."}).Load(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Load = %v, want that it is not there", err)
		}
	})
	t.Run("no configuration beside ours", func(t *testing.T) {
		project(t, map[string]string{"gatehouse.toml": ours, "pyproject.toml": theirs})
		if l, err := (&config.Source{Dir: "."}).Load(); err != nil || l.Config.App.Workers != 3 {
			t.Errorf("Load = %v, want gatehouse.toml alone", err)
		}
	})
}

// What acts with root's rights is not taken from whoever can write a folder.
func TestGuarded(t *testing.T) {
	const src = "listen = [':80']\nuser = 'root'\n[app]\nworkers = 3\n[log]\naccess_log = '/etc/passwd'\n"
	if _, err := config.Decode("gatehouse.toml", []byte(src), true); err != nil {
		t.Errorf("trusted: %v", err)
	}
	_, err := config.Decode("gatehouse.toml", []byte(src), false)
	failed, ok := errors.AsType[*config.FileError](err)
	if !ok || len(failed.Problems) != 3 {
		t.Fatalf("not trusted: %v, want a problem each for listen, user and access_log", err)
	}
	const want = "gatehouse.toml:2:1: user: started by root, it is not taken from a file that others can write or replace; use --user, or name the file with --config"
	if got := failed.Problems[1].String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Whoever can write the folder can replace the file.
func TestTrust(t *testing.T) {
	project(t, map[string]string{"gatehouse.toml": "listen = [':80']\n"})
	for _, tt := range []struct {
		name string
		// what is trusted
		file, folder bool
	}{{"both", true, true}, {"file", true, false}, {"folder", false, true}, {"neither", false, false}} {
		t.Run(tt.name, func(t *testing.T) {
			s := config.Source{Dir: ".", Trust: func(info fs.FileInfo) bool {
				return info.IsDir() && tt.folder || !info.IsDir() && tt.file
			}}
			if _, err := s.Load(); (err == nil) != (tt.file && tt.folder) {
				t.Errorf("Load = %v", err)
			}
			s.Path = "gatehouse.toml"
			if _, err := s.Load(); err != nil {
				t.Errorf("Load of a file that was named = %v, want nil", err)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	t.Setenv("SHOP_KEY", "from outside")
	project(t, map[string]string{"secret": "s3cret\n", "lines": "a\nb\r\n", "zero": "a\x00b", "large": strings.Repeat("x", 64<<10+1)})
	for _, tt := range []struct {
		name     string
		variable config.Variable
		value    string
		fails    string
	}{
		{"text", config.Variable{Name: "A", Value: "text"}, "text", ""},
		{"file", config.Variable{Name: "A", File: "secret"}, "s3cret", ""},
		{"file of lines", config.Variable{Name: "A", File: "lines"}, "a\nb", ""},
		{"other variable", config.Variable{Name: "A", From: "SHOP_KEY"}, "from outside", ""},
		{"no file", config.Variable{Name: "A", File: "nothing"}, "", "variable A: open nothing: no such file or directory"},
		{"zero byte", config.Variable{Name: "A", File: "zero"}, "", "variable A: zero holds a zero byte"},
		{"one byte too many", config.Variable{Name: "A", File: "large"}, "", "variable A: read large: larger than 64KB"},
		{"no other variable", config.Variable{Name: "A", From: "SHOP_NOTHING"}, "", "variable A: the server has no variable SHOP_NOTHING"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.variable.Resolve()
			if got != tt.value || tt.fails == "" != (err == nil) || err != nil && err.Error() != tt.fails {
				t.Errorf("Resolve = %q, %v; want %q, %s", got, err, tt.value, tt.fails)
			}
		})
	}
}

func TestChanged(t *testing.T) {
	a, b := config.Default(), config.Default()
	b.App.Workers, b.Engine.Head, b.Listen = 3, 1<<20, []string{":80"}
	b.App.Env, b.User, b.Backlog = []config.Variable{{Name: "A", Value: "b"}}, "www", 9
	reloads := config.Changed(&a, &b, (*config.Setting).Reloads)
	restarts := config.Changed(&a, &b, func(s *config.Setting) bool { return !s.Reloads() })
	if got, want := strings.Join(reloads, " ")+"; "+strings.Join(restarts, " "), "listen env workers max_head; backlog user"; got != want {
		t.Errorf("changed: %s; want %s", got, want)
	}
}

// plain is a Value that says nothing about files.
type plain string

func (p plain) String() string   { return string(p) }
func (p plain) Set(string) error { return nil }
func (p plain) Type() string     { return "N|MIN..MAX" }

// Such a Value is a number or a text, as on the command line.
func TestValueWithoutKind(t *testing.T) {
	if kinds := config.KindsOf(plain("4")); kinds != config.Text|config.Integer {
		t.Errorf("kinds %b, want text and integer", kinds)
	}
	if got := config.Expected(plain("4")); got != "a number, or a text in quotes" {
		t.Errorf("expected %s", got)
	}
	for text, want := range map[string]string{"4": "4", "2..8": `"2..8"`} {
		if got := config.TOMLOf(plain(text)); got != want {
			t.Errorf("%s is written %s, want %s", text, got, want)
		}
	}
}

// What is written is one line for each setting, whatever it is made of.
func TestFormat(t *testing.T) {
	got := config.Format([]config.Line{
		config.TextLine("app", "app", "shop:app\n\u009b", "found in a\nuser = \"root\""),
		config.TextLine("", "python", "./python", ""),
	})
	const want = "python = \"./python\"\n\n[app]\napp = \"shop:app\\u000A\\u009B\"  # found in a?user = \"root\"\n"
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// The example of the reference is a configuration.
func TestFileExample(t *testing.T) {
	if _, err := config.Decode("gatehouse.toml", []byte(config.FileExample), true); err != nil {
		t.Error(err)
	}
}

// What stands above an application's own file is written back even where it is
// the default.
func TestFileOverrideOfDefault(t *testing.T) {
	l, err := config.Decode("/srv/shop/gatehouse.toml", []byte("[apps.blog]\nthreads = 1\n[apps.empty]\n"), true)
	if err != nil {
		t.Fatal(err)
	}
	const want = "[apps.blog]\nthreads = 1  # from /srv/shop/gatehouse.toml:2\n\n[apps.empty]\n"
	if got := config.Format(l.Lines()); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// An accepted file says the same when it is written back, whatever is in it; no
// file makes the program panic.
func FuzzConfig(f *testing.F) {
	files, err := filepath.Glob("testdata/file/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src, strings.HasSuffix(file, ".pyproject.toml"))
	}
	f.Fuzz(func(t *testing.T, src []byte, ofProject bool) {
		path := "/srv/shop/gatehouse.toml"
		if ofProject {
			path = "/srv/shop/pyproject.toml"
		}
		l, err := config.Decode(path, src, true)
		if failed, ok := errors.AsType[*config.FileError](err); ok {
			for _, p := range failed.Problems {
				if p.Line < 1 || p.Line > strings.Count(string(src), "\n")+1 || p.Column < 1 || strings.Contains(p.What, "\n") {
					t.Errorf("problem %q is at no place of the file, or not one line", p)
				}
			}
		}
		if err != nil || l == nil {
			return
		}
		text := config.Format(l.Lines())
		again, err := config.Decode("/srv/shop/gatehouse.toml", []byte(text), true)
		if err != nil {
			t.Fatalf("written back: %v\n%s", err, text)
		}
		if !reflect.DeepEqual(l.Config, again.Config) {
			t.Errorf("written back it says something else:\n%s", text)
		}
	})
}

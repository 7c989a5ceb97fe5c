package daemon_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

// scripts makes a folder with these files in its cgi-bin, all of them executable,
// and a configuration that runs them.
func scripts(t *testing.T, files map[string]string) config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Static.Dir, cfg.CGI.On, cfg.Log.Access = t.TempDir(), true, "off"
	bin := filepath.Join(cfg.Static.Dir, "cgi-bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Whatever the umask: others must not write here.
	for _, path := range append([]string{cfg.Static.Dir, bin}, glob(t, bin)...) {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

func glob(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// chain opens what the configuration serves for the length of the test.
func chain(t *testing.T, cfg *config.Config) http.Handler {
	t.Helper()
	h, _, end, err := daemon.Chain(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	return h
}

const plain = "#!/bin/sh\necho 'Content-Type: text/plain'\necho\n"

// Each setting reaches the scripts.
func TestScriptSettings(t *testing.T) {
	real, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal(err)
	}
	venv := t.TempDir()
	if err := os.Mkdir(filepath.Join(venv, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(venv, "bin", "python"), []byte("#!/bin/sh\nPYTHON=mine exec "+real+" \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"auth":    plain + "echo \"$HTTP_AUTHORIZATION\"\n",
		"length":  plain + "echo \"$CONTENT_LENGTH\"\n",
		"scheme":  plain + "echo \"$REQUEST_SCHEME $REMOTE_ADDR\"\n",
		"sleeps":  "#!/bin/sh\nexec sleep 600\n",
		"stalls":  plain + "echo begun\nexec sleep 600\n",
		"python":  "#!/usr/bin/env python0\nimport os; print('Content-Type: text/plain\\n'); print(os.environ.get('PYTHON'))\n",
		"any.py":  "#!/usr/bin/python0\nimport os; print('Content-Type: text/plain\\n'); print(os.environ.get('PYTHON'))\n",
		"none.sh": "#!/bin/sh\n",
		"head":    "#!/bin/sh\nprintf 'Content-Type: text/plain\\nX-Long: %0300d\\n\\nlong\\n' 0\n",
		"stays":   "#!/bin/sh\ntrap '' TERM\nsleep 600 & wait; wait\n",
		"env":     plain + "echo \"$GREETING $HOME_OF_TEST\"\n",
		"limits":  plain + "ulimit -t; ulimit -v; ulimit -f; ulimit -n; ulimit -p\n",
		"my.odd":  "echo 'Content-Type: text/plain'; echo; echo odd\n",
	}
	t.Setenv("HOME_OF_TEST", "home")
	for _, tt := range []struct {
		name    string
		set     func(c *config.CGI)
		script  string
		body    string
		status  int // 0: the answer is broken off
		answers string
	}{
		{"authorization, by default", func(*config.CGI) {}, "auth", "", 200, "\n"},
		{"authorization, passed", func(c *config.CGI) { c.PassAuthorization = true }, "auth", "", 200, "Basic YTpi\n"},
		{"body at the limit", func(c *config.CGI) { c.MaxBody = 4 }, "length", "1234", 200, "4\n"},
		{"body beyond the limit", func(c *config.CGI) { c.MaxBody = 4 }, "length", "12345", 413, ""},
		{"time is up", func(c *config.CGI) { c.Timeout = 50 * time.Millisecond }, "sleeps", "", 504, ""},
		{"answer stands still", func(c *config.CGI) { c.StallTimeout = 50 * time.Millisecond }, "stalls", "", 0, ""},
		{"time is up and SIGTERM ignored", func(c *config.CGI) { c.Timeout, c.KillGrace = 50*time.Millisecond, 0 }, "stays", "", 504, ""},
		{"head at the limit", func(c *config.CGI) { c.MaxHead = 335 }, "head", "", 200, "long\n"},
		{"head beyond the limit", func(c *config.CGI) { c.MaxHead = 334 }, "head", "", 502, ""},
		{"output at the limit", func(c *config.CGI) { c.MaxOutput = 340 }, "head", "", 200, "long\n"},
		{"output beyond the limit", func(c *config.CGI) { c.MaxOutput = 339 }, "head", "", 502, ""},
		{"environment, by default", func(*config.CGI) {}, "env", "", 200, " \n"},
		{"environment", func(c *config.CGI) {
			c.Env = []config.Variable{{Name: "GREETING", Value: "hello"}, {Name: "HOME_OF_TEST", From: "HOME_OF_TEST"}}
		}, "env", "", 200, "hello home\n"},
		{"limits", func(c *config.CGI) {
			c.Limits = config.CGILimits{CPU: 2 * time.Second, Memory: 64 * config.MB, FileSize: 1 * config.MB, Files: 20, Processes: 4321}
		}, "limits", "", 200, "2\n65536\n2048\n20\n4321\n"},
		{"ending without a program", func(*config.CGI) {}, "my.odd", "", 403, ""},
		{"ending with a program", func(c *config.CGI) { c.Interpreters = map[string]string{".odd": "sh"} }, "my.odd", "", 200, "odd\n"},
		{"ending that Python runs", func(c *config.CGI) { c.Interpreters = map[string]string{".odd": config.AnyPython} }, "my.odd", "", 502, ""},
		{"ending taken away", func(c *config.CGI) { c.Interpreters = map[string]string{".py": config.NoProgram} }, "plain.py", "", 403, ""},
		{"no queue", func(c *config.CGI) { c.Queue, c.Scripts = 0, 1 }, "scheme", "", 200, "http 192.0.2.1\n"},
		{"Python by env", func(c *config.CGI) { c.Python = venv }, "python", "", 200, "mine\n"},
		{"Python by path", func(c *config.CGI) { c.Python = venv + "/bin/python" }, "any.py", "", 200, "mine\n"},
		{"the usual Python", func(*config.CGI) {}, "python", "", 200, "None\n"},
		{"no times", func(c *config.CGI) { c.Timeout, c.StallTimeout, c.QueueWait = 0, 0, 0 }, "length", "1", 200, "1\n"},
		{"not a script's fault", func(*config.CGI) {}, "none.sh", "", 502, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := scripts(t, files)
			// Without a first line, so that the ending decides.
			source := "print('Content-Type: text/plain\\n')\n"
			if err := os.WriteFile(filepath.Join(cfg.Static.Dir, "cgi-bin", "plain.py"), []byte(source), 0o644); err != nil {
				t.Fatal(err)
			}
			tt.set(&cfg.CGI)
			h := chain(t, &cfg)
			r := httptest.NewRequest(http.MethodPost, "/cgi-bin/"+tt.script, strings.NewReader(tt.body))
			r.Header.Set("Authorization", "Basic YTpi")
			r.Header.Set("X-Forwarded-Proto", "https") // from nobody who is trusted
			w := httptest.NewRecorder()
			aborted := func() (aborted bool) {
				defer func() { aborted = recover() == http.ErrAbortHandler }()
				h.ServeHTTP(w, r)
				return
			}()
			if tt.status == 0 {
				if !aborted {
					t.Errorf("status %d, want an answer that is broken off", w.Code)
				}
				return
			}
			if w.Code != tt.status || tt.status == 200 && w.Body.String() != tt.answers {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, tt.status, tt.answers)
			}
		})
	}
}

// Scripts do not run where somebody else could have put them, or by an interpreter
// that is none.
func TestScriptsThatCannotRun(t *testing.T) {
	for _, tt := range []struct {
		name   string
		breaks func(t *testing.T, cfg *config.Config)
		want   string
	}{
		{"group may write", func(t *testing.T, cfg *config.Config) { chmod(t, cfg.Static.Dir, 0o775) }, "can be changed by others than its owner (mode 0775)"},
		{"everybody may write", func(t *testing.T, cfg *config.Config) { chmod(t, cfg.Static.Dir, 0o1777) }, "can be changed by others than its owner (mode 0777)"},
		{"no such program", func(_ *testing.T, cfg *config.Config) { cfg.CGI.Python = "no-such-python" }, "cannot run scripts with no-such-python: "},
		{"no such path", func(_ *testing.T, cfg *config.Config) { cfg.CGI.Python = "/no/python" }, "cannot run scripts with /no/python: no such file or directory"},
		{"not a virtual environment", func(_ *testing.T, cfg *config.Config) { cfg.CGI.Python = cfg.Static.Dir }, "no such file or directory"},
		{"no such variable", func(_ *testing.T, cfg *config.Config) {
			cfg.CGI.Env = []config.Variable{{Name: "NO_SUCH", From: "NO_SUCH"}}
		}, "cannot run scripts: variable NO_SUCH: the server has no variable NO_SUCH"},
		{"not Python", func(_ *testing.T, cfg *config.Config) { cfg.CGI.Python = "false" }, "exit status 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := scripts(t, nil)
			tt.breaks(t, &cfg)
			if _, _, _, err := daemon.Chain(&cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if mode&0o1000 != 0 {
		mode = mode&0o777 | os.ModeSticky
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

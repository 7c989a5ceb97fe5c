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
	}
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
		{"no queue", func(c *config.CGI) { c.Queue, c.Scripts = 0, 1 }, "scheme", "", 200, "http 192.0.2.1\n"},
		{"Python by env", func(c *config.CGI) { c.Python = venv }, "python", "", 200, "mine\n"},
		{"Python by path", func(c *config.CGI) { c.Python = venv + "/bin/python" }, "any.py", "", 200, "mine\n"},
		{"the usual Python", func(*config.CGI) {}, "python", "", 200, "None\n"},
		{"no times", func(c *config.CGI) { c.Timeout, c.StallTimeout, c.QueueWait = 0, 0, 0 }, "length", "1", 200, "1\n"},
		{"not a script's fault", func(*config.CGI) {}, "none.sh", "", 502, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := scripts(t, files)
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

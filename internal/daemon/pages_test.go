package daemon_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

// pages makes a folder with these files and a configuration that serves them as
// pages.
func pages(t *testing.T, files map[string]string) config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Static.Dir, cfg.Pages.On, cfg.Log.Access = t.TempDir(), true, "off"
	saved := time.Now().Add(-time.Hour) // nobody waits for the file to settle
	for name, text := range files {
		path := filepath.Join(cfg.Static.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, saved, saved); err != nil {
			t.Fatal(err)
		}
		chmod(t, path, 0o644)
		chmod(t, filepath.Dir(path), 0o755)
	}
	chmod(t, cfg.Static.Dir, 0o755)
	return cfg
}

// Each setting reaches both kinds of pages.
func TestPageSettings(t *testing.T) {
	application := func(body string) string {
		return "def application(environ, start_response):\n" + body + "    start_response('200 OK', [('Content-Type', 'text/plain')])\n    return [str(answer).encode()]\n"
	}
	files := map[string]string{
		"length.py":       application("    answer = len(environ['wsgi.input'].read())\n"),
		"scheme.py":       application("    answer = environ['wsgi.url_scheme'] + ' ' + environ['REMOTE_ADDR']\n"),
		"sleeps.py":       application("    import time; time.sleep(600)\n"),
		"args.py":         "import sys; print(sys.argv[1:], end='')\n",
		"length_print.py": "import sys; print(len(sys.stdin.read()), end='')\n",
		"sleep_print.py":  "import time; time.sleep(600)\n",
		"go.py":           "print('Location: /page.txt\\n')\n",
		"page.txt":        "a page",
		"html/page.txt":   "another page",
	}
	for _, tt := range []struct {
		name    string
		set     func(c *config.Config)
		target  string
		body    string
		status  int
		answers string
	}{
		{"no arguments", func(*config.Config) {}, "args.py?a=b", "", 200, "[]"},
		{"the query", func(c *config.Config) { c.Pages.Args = config.Query }, "args.py?a=b", "", 200, "['a=b']"},
		{"body at the limit", func(c *config.Config) { c.CGI.MaxBody = 4 }, "length.py", "1234", 200, "4"},
		{"body beyond the limit", func(c *config.Config) { c.CGI.MaxBody = 4 }, "length.py", "12345", 413, ""},
		{"printed, body at the limit", func(c *config.Config) { c.CGI.MaxBody = 4 }, "length_print.py", "1234", 200, "4"},
		{"printed, body beyond the limit", func(c *config.Config) { c.CGI.MaxBody = 4 }, "length_print.py", "12345", 413, ""},
		{"time is up", func(c *config.Config) { c.CGI.Timeout = 300 * time.Millisecond }, "sleeps.py", "", 504, ""},
		{"printed, time is up", func(c *config.Config) { c.CGI.Timeout = 50 * time.Millisecond }, "sleep_print.py", "", 504, ""},
		{"nobody's word about the scheme", func(*config.Config) {}, "scheme.py", "", 200, "http 192.0.2.1"},
		{"a trusted proxy's word", func(c *config.Config) { c.TrustedProxies = []string{"192.0.2.1"} }, "scheme.py", "", 200, "https 192.0.2.1"},
		{"local redirect", func(*config.Config) {}, "go.py", "", 200, "a page"},
		{"files of another folder", func(c *config.Config) { c.Pages.HTML = filepath.Join(c.Static.Dir, "html") }, "go.py", "", 200, "another page"},
		{"no times", func(c *config.Config) { c.CGI.Timeout, c.CGI.QueueWait, c.Pages.Idle = 0, 0, 0 }, "length.py", "1", 200, "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := pages(t, files)
			tt.set(&cfg)
			h := chain(t, &cfg)
			r := httptest.NewRequest(http.MethodPost, "/"+tt.target, strings.NewReader(tt.body))
			r.Header.Set("X-Forwarded-Proto", "https")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status || tt.status == 200 && w.Body.String() != tt.answers {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, tt.status, tt.answers)
			}
		})
	}
}

// Pages do not run where somebody else could have put them.
func TestPagesThatCannotRun(t *testing.T) {
	for _, tt := range []struct {
		name   string
		breaks func(cfg *config.Config)
		want   string
	}{
		{"group may write", func(cfg *config.Config) { chmod(t, cfg.Static.Dir, 0o775) }, "cannot run pages: "},
		{"no such folder of files", func(cfg *config.Config) { cfg.Pages.HTML = "nowhere" }, "cannot serve nowhere: no such folder"},
		{"a file in its place", func(cfg *config.Config) { cfg.Pages.HTML = filepath.Join(cfg.Static.Dir, "a.py") }, "it is not a folder"},
		{"no such program", func(cfg *config.Config) { cfg.CGI.Python = "no-such-python" }, "no-such-python"},
		{"scripts that cannot run", func(cfg *config.Config) { cfg.CGI.On = true; chmod(t, cfg.Static.Dir, 0o777) }, "can be changed by others"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := pages(t, map[string]string{"a.py": "print(1)\n"})
			tt.breaks(&cfg)
			if _, _, _, err := daemon.Chain(&cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

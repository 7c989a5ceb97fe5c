package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// A Django project in two modules. Django imports the second one for its first
// request, and its own logging prints nothing while DEBUG is off.
const (
	faultyProject = `from django.conf import settings
settings.configure(ROOT_URLCONF="urls", ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="not secret", DEBUG=False)
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
`
	faultyURLs = `from django.http import HttpResponse
from django.urls import path
def good(request):
    return HttpResponse("good")
def bad(request):
    return HttpResponse(undefined)
urlpatterns = [path("good", good), path("bad", bad)]
`
)

// TestDjangoFaults: a view that fails leaves its traceback in the log, once and
// under the response's identifier; code that does not import changes nothing.
func TestDjangoFaults(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "project.py"), faultyProject)
	write(t, filepath.Join(dir, "urls.py"), faultyURLs)
	var log bytes.Buffer
	pool, err := pyapp.Open(pyapp.Config{
		Dir: dir, App: "project:application", Python: python(t, "django"), Workers: 1,
		Env: append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1"), Log: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(pool)
	defer func() {
		server.Close()
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}()

	resp := fetch(t, server.URL+"/bad")
	if resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("a view that fails: status %d", resp.StatusCode)
	}
	write(t, filepath.Join(dir, "urls.py"), strings.Replace(faultyURLs, "def good(", "def good((", 1))
	err = pool.Reload(t.Context())
	if e, ok := errors.AsType[*pyapp.StartError](err); !ok || e.Path != "urls.py" || e.Line != 3 {
		t.Errorf("reload of broken code: %v", err)
	}
	if resp := fetch(t, server.URL+"/good"); resp.StatusCode != http.StatusOK {
		t.Errorf("after a reload that failed: status %d", resp.StatusCode)
	}
	if err := pool.Close(); err != nil { // all that was printed is in the log now
		t.Error(err)
	}
	id, found := resp.Header.Get("X-Request-Id"), 0
	for line := range strings.Lines(log.String()) {
		var record struct{ Request, Output string }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if record.Request == id && strings.HasSuffix(record.Output, "NameError: name 'undefined' is not defined") {
			found++
		}
	}
	if id == "" || found != 1 {
		t.Errorf("%d records with the traceback of request %q:\n%s", found, id, &log)
	}
}

// fetch gets url; the body is closed.
func fetch(t *testing.T, url string) *http.Response {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

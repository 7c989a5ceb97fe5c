package control_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/internal/unixsocket"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// house is a running server with its socket and a client.
type house struct {
	*webapps.Deployer
	*control.Client
	t     testing.TB
	dir   string // of the applications
	book  *logbook.Book
	log   *slog.Logger
	alone atomic.Bool           // it runs one application
	fails atomic.Pointer[error] // of a reload
}

// write makes a file.
func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// socket is a path that is short enough for one.
func socket(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gh")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "1.sock")
}

// open runs the applications in a folder that holds a page at /site.
func open(t testing.TB) *house { return openLimited(t, 0) }

// openLimited is open with archives of so many bytes at most.
func openLimited(t testing.TB, maxUpload int64) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), book: logbook.New()}
	write(t, filepath.Join(h.dir, "site", "index.html"), "welcome")
	h.log = slog.New(h.book.Handler(slog.NewTextHandler(io.Discard, nil)))
	var err error
	if h.Deployer, err = webapps.Open(webapps.Config{Dir: h.dir, Quiet: 50 * time.Millisecond, Interval: 20 * time.Millisecond, MaxUpload: maxUpload, Log: h.log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Deployer.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	testserver.Receive(t, "the first deployments", h.Deployed())
	path := socket(t)
	l, err := unixsocket.Listen(path, control.Mode)
	if err != nil {
		t.Fatal(err)
	}
	testserver.StartConfig(t, testserver.H1Unix, testserver.Config{Handler: control.New(h, h.book, h.log), Listener: control.Guard(l, h.log)})
	h.Client = control.Dial(path)
	t.Cleanup(func() {
		h.book.Close()
		h.Client.Close()
	})
	return h
}

// Server implements control.Backend.
func (h *house) Server() control.Server {
	return control.Server{Version: "1", PID: os.Getpid(), Dir: filepath.Dir(h.dir), Webapps: h.dir}
}

// Link implements control.Backend.
func (h *house) Link() (string, error) {
	if h.alone.Load() {
		return "", &control.Error{Code: control.Failure, Message: "this server shows no manager page"}
	}
	return "http://manager.localhost:8001/link/SECRET", nil
}

// LogName implements control.Backend.
func (h *house) LogName(name webapps.ContextName) string {
	if h.alone.Load() {
		return logbook.All
	}
	return name.String()
}

// Manager implements control.Backend.
func (h *house) Manager() control.Manager {
	if h.alone.Load() {
		return nil
	}
	return h.Deployer
}

// Reload implements control.Backend.
func (h *house) Reload(context.Context) ([]string, error) {
	if err := h.fails.Load(); err != nil {
		return nil, *err
	}
	return []string{"listen"}, nil
}

// Close hides that there are two things to close.
func (h *house) Close() {}

// do asks for a change and returns the steps.
func (h *house) do(what string, query url.Values, body io.Reader) (steps []string, e control.Event, err error) {
	h.t.Helper()
	e, err = h.Client.Do(h.t.Context(), what, query, body, func(s string) { steps = append(steps, s) })
	return steps, e, err
}

// about names an application.
func about(name string, more ...string) url.Values {
	v := url.Values{"app": {name}}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

// app is what is told of one application.
func (h *house) app(name string) control.App {
	h.t.Helper()
	var apps []control.App
	if err := h.Get(h.t.Context(), "apps", about(name), &apps); err != nil || len(apps) != 1 {
		h.t.Fatalf("%s: %d applications, %v", name, len(apps), err)
	}
	return apps[0]
}

// refused tests that err is of that code.
func refused(t testing.TB, err error, code control.Code) *control.Error {
	t.Helper()
	e, ok := errors.AsType[*control.Error](err)
	if !ok || e.Code != code || e.Message == "" {
		t.Fatalf("%v (%T), want %s", err, err, code)
	}
	return e
}

// accept has a server say something to whoever connects to a socket, and die.
func accept(t testing.TB, say string) *control.Client {
	t.Helper()
	path := socket(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = c.Read(make([]byte, 1<<16)) // the request, which is short
		_, _ = io.WriteString(c, say)
	}()
	c := control.Dial(path)
	t.Cleanup(func() {
		c.Close()
		l.Close()
		<-done
	})
	return c
}

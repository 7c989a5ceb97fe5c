package pyapp_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// site is a pool behind net/http's server.
type site struct {
	*pyapp.Pool
	url string
	log *testserver.Log
}

// serve opens the application of testdata/apps that config names and serves it
// until the test ends.
func serve(t *testing.T, config pyapp.Config) *site {
	t.Helper()
	return serveOpened(t, config, pyapp.Open)
}

// serveOpened is serve with another way to open the pool.
func serveOpened(t *testing.T, config pyapp.Config, open func(pyapp.Config) (*pyapp.Pool, error)) *site {
	t.Helper()
	s := openSite(t, config, open)
	server := httptest.NewUnstartedServer(s.Pool)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	server.Start()
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// openSite opens an application without a server before it.
func openSite(t *testing.T, config pyapp.Config, open func(pyapp.Config) (*pyapp.Pool, error)) *site {
	t.Helper()
	s := &site{log: &testserver.Log{}}
	config.Log = slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if config.Dir == "" {
		config.Dir = "testdata/apps"
	}
	if config.Workers == 0 {
		config.Workers = 1
	}
	pool, err := open(config)
	if err != nil {
		t.Fatal(err)
	}
	s.Pool = pool
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", s.log)
		}
	})
	return s
}

// onBoth runs f with the application behind the engine and behind net/http, in
// a pool of its own each time.
func onBoth(t *testing.T, config pyapp.Config, f func(t *testing.T, s *site, server *testserver.Server)) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := openSite(t, config, pyapp.Open)
		f(t, s, testserver.Start(t, m, s.ServeHTTP))
	}, testserver.H1, testserver.NetHTTP)
}

// reply is a response that has been read.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// get sends a request and reads the whole response.
func (s *site) get(t *testing.T, path string) reply {
	t.Helper()
	r := request(t, http.MethodGet, s.url+path, nil)
	// On a kept connection the transport would send a GET again where the server
	// breaks off, and the application would be called twice.
	r.Close = true
	return s.do(t, r)
}

func (s *site) do(t *testing.T, r *http.Request) reply {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(body), err}
}

func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// eventually polls for something that no channel tells.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

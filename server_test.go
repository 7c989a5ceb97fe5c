package gatehouse_test

import (
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/seed-07905ac1/gatehouse"
)

// serve starts s on a free port of the loopback address and ends it with the
// test.
func serve(t *testing.T, s *gatehouse.Server) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-served; err != http.ErrServerClosed {
			t.Errorf("Serve returned %v, want http.ErrServerClosed", err)
		}
		if err := s.Shutdown(t.Context()); err != nil {
			// The test's context has ended: all that counts is whether
			// connections were left.
			t.Logf("Shutdown: %v", err)
		}
	})
	return l.Addr().String()
}

func TestServeAnswers(t *testing.T) {
	addr := serve(t, &gatehouse.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read body: %v", err)
		}
		io.WriteString(w, r.Method+" "+r.URL.Path+" "+string(body))
	})})
	resp, err := http.Get("http://" + addr + "/path")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || string(got) != "GET /path " {
		t.Errorf("got %q, %v", got, err)
	}
}

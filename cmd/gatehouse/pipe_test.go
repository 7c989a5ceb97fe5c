package main

import (
	"net/http"
	"os"
	"regexp"
	"syscall"
	"testing"
)

// Nobody who reads the access log any more is no reason to stop serving:
// gatehouse | head.
func TestClosedPipe(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	s := newServer(t.TempDir(), os.Environ(), []string{"--listen", "127.0.0.1:0"})
	s.cmd.Stdout = writer
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	defer s.kill()
	address := regexp.MustCompile(`http://[^ ]+/`)
	text, err := s.await(address, s.errOut)
	if err != nil {
		t.Fatalf("%v; it wrote:\n%s", err, text)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	get := func() {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address.FindString(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("status %d, want 200", resp.StatusCode)
		}
	}
	get()
	if text, err := s.await(regexp.MustCompile(`access log cannot be written`), s.errOut); err != nil {
		t.Errorf("%v; it wrote:\n%s", err, text)
	}
	get()
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if status, err := s.end(); err != nil || status != 0 {
		t.Errorf("exit status %d, %v; want 0", status, err)
	}
}

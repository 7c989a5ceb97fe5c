package testserver

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// NewRequest returns a request that ends with the test; body "" means none.
func NewRequest(t testing.TB, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Do makes a request as a stranger does, on a connection of its own, and returns
// the answer, be it a redirect, with its body. Unlike Server.Ask it is for servers
// in processes of their own.
func Do(t testing.TB, r *http.Request) (*http.Response, string) {
	t.Helper()
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       Patience,
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

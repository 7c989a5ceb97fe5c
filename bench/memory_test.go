//go:build linux

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A transfer that comes out short or is refused is an error, not a measurement.
func TestTransfers(t *testing.T) {
	const size = 3 << 20
	loss, status := int64(0), http.StatusOK
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
		if r.Method == http.MethodPost {
			fmt.Fprint(w, n-loss)
			return
		}
		_, _ = fmt.Sscan(r.URL.RawQuery, &n)
		_, _ = io.CopyN(w, zeros{}, n-loss)
	}))
	defer srv.Close()
	addr := strings.TrimPrefix(srv.URL, "http://")
	for _, tr := range []transfer{{"upload", fast, upload}, {"download", fast, download}} {
		loss, status = 0, http.StatusOK
		if err := tr.over(addr, size, tr.pace); err != nil {
			t.Errorf("%s: %v", tr.name, err)
		}
		loss = 1
		if err := tr.over(addr, size, tr.pace); err == nil {
			t.Errorf("%s: a byte was lost and nobody noticed", tr.name)
		}
		loss, status = 0, http.StatusInternalServerError
		if err := tr.over(addr, size, tr.pace); err == nil {
			t.Errorf("%s: took status 500 for success", tr.name)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

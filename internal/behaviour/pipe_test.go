package behaviour_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"strconv"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// A body that comes out of a pipe, as what a program prints does, arrives as it
// went in, with its length known or not, mixed with what the handler writes.
func TestPipe(t *testing.T) {
	body := make([]byte, 1<<20)
	for i := range body {
		body[i] = byte(i * i >> 8)
	}
	for _, length := range []bool{false, true} {
		t.Run("length="+strconv.FormatBool(length), func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, func(w http.ResponseWriter, _ *http.Request) {
					r, pipe, err := os.Pipe()
					if err != nil {
						t.Error(err)
						return
					}
					defer r.Close()
					go func() {
						defer pipe.Close()
						_, _ = pipe.Write(body) // what is missing shows
					}()
					w.Header().Set("Content-Type", "application/octet-stream")
					if length {
						w.Header().Set("Content-Length", strconv.Itoa(len(body)+len("<>")))
					}
					_, _ = io.WriteString(w, "<")
					for left := int64(len(body)); left > 0; {
						n, err := io.Copy(w, io.LimitReader(r, min(left, 100_000)))
						if left -= n; n == 0 || err != nil {
							t.Errorf("%d bytes, %v; %d are left", n, err, left)
							return
						}
					}
					_, _ = io.WriteString(w, ">")
				})
				c := s.Dial()
				for _, method := range []string{"GET", "HEAD", "GET"} {
					res := c.Roundtrip(method + " / HTTP/1.1\r\nHost: x\r\n\r\n")
					want := "<" + string(body) + ">"
					if method == "HEAD" {
						want = ""
					}
					if !bytes.Equal(res.Body, []byte(want)) {
						t.Errorf("%s: %d bytes, want %d", method, len(res.Body), len(want))
					}
				}
			})
		})
	}
}

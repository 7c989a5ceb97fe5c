package pyapp_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// uploads is the configuration of the application that works on requests while
// they come in.
func uploads() pyapp.Config { return pyapp.Config{App: "uploads", StreamRequests: true} }

const chunkedHead = "POST %s HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"

func chunk(data string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(data), data) }

func TestRequestIsStreamed(t *testing.T) {
	onBoth(t, uploads(), func(t *testing.T, s *site, server *testserver.Server) {
		c := server.Dial()
		c.Send(fmt.Sprintf(chunkedHead, "/echoes"))
		for i, line := range []string{"one\n", "two\n", "three\n"} {
			c.Send(chunk(line))
			if i == 0 {
				if head := c.Head("POST"); head.Status != 200 {
					t.Fatalf("status %d", head.Status)
				}
			}
			if got := c.Chunk(); got != "got "+line {
				t.Fatalf("%q came back for %q", got, line)
			}
		}
		c.Send("0\r\n\r\n")
		c.Expect("0\r\n\r\n")
		// The body was read to its end: the connection goes on.
		if got := c.Roundtrip("GET /pid HTTP/1.1\r\nHost: test\r\n\r\n"); got.Status != 200 {
			t.Errorf("status %d for the next request", got.Status)
		}
	})
}

func TestStreamedBodyThatIsWaitedFor(t *testing.T) {
	onBoth(t, uploads(), func(t *testing.T, s *site, server *testserver.Server) {
		c := server.Dial()
		c.Send("POST /digest HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
		if early := c.Head(""); early.Status != http.StatusContinue {
			t.Fatalf("status %d, want 100", early.Status)
		}
		c.Send(chunk("body") + "0\r\n\r\n")
		if got, want := c.Response("POST"), fmt.Sprintf("4 %x", sha256.Sum256([]byte("body"))); got.Status != 200 || got.Text() != want {
			t.Errorf("status %d, %q; want %q", got.Status, got.Body, want)
		}
	})
}

func TestStreamedBodies(t *testing.T) {
	config := uploads()
	config.MaxBody = 3 << 20
	onBoth(t, config, func(t *testing.T, s *site, server *testserver.Server) {
		client := server.Client()
		for _, size := range []int{0, 1, 32 << 10, 32<<10 + 1, 64 << 10, 64<<10 + 1, 3 << 20, 3<<20 + 1} {
			for _, chunked := range []bool{false, true} {
				content := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
				var body io.Reader = bytes.NewReader(content)
				length := fmt.Sprint(size)
				if chunked && size > 0 {
					body, length = io.MultiReader(body), "none" // hides its length
				}
				resp, err := client.Do(request(t, http.MethodPost, server.URL()+"/digest", body))
				if err != nil {
					t.Errorf("%d bytes, chunked %t: %v", size, chunked, err)
					continue
				}
				got, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if size > 3<<20 {
					if resp.StatusCode != http.StatusRequestEntityTooLarge {
						t.Errorf("%d bytes, chunked %t: status %d, want 413", size, chunked, resp.StatusCode)
					}
					continue
				}
				want := fmt.Sprintf("%d %x", size, sha256.Sum256(content))
				if err != nil || resp.StatusCode != 200 || string(got) != want {
					t.Errorf("%d bytes, chunked %t: status %d, body %q, %v; want %q", size, chunked, resp.StatusCode, got, err, want)
				}
				if size > 0 && (resp.Header.Get("X-Length") != length || resp.Header.Get("X-Over-Read") != "0") {
					t.Errorf("%d bytes, chunked %t: header %v", size, chunked, resp.Header)
				}
			}
		}
	})
}

// Half of a body must never look like all of it.
func TestStreamedBodyThatBreaksOff(t *testing.T) {
	const fixedHead = "POST /tells_errors HTTP/1.1\r\nHost: test\r\nContent-Length: 40000\r\n\r\n"
	head, some := fmt.Sprintf(chunkedHead, "/tells_errors"), strings.Repeat("x", 3000)
	tests := []struct {
		name, first, then string // then is sent when the application has read some
		ends              bool   // the client sends no more
		status            int
	}{
		{"shorter than its length", fixedHead + some, "", true, 400},
		{"within a chunk", head + chunk(some), "fff\r\nxxx", true, 400},
		{"between chunks", head + chunk(some), "", true, 400},
		{"within a chunk's length", head + chunk(some), "ff", true, 400},
		{"before the last line end", head + chunk(some), "0\r\n", true, 400},
		{"no chunk", head + chunk(some), "nonsense\r\n\r\n", false, 400},
		{"longer than may be", head + chunk(some), chunk(strings.Repeat("x", 50001)) + "0\r\n\r\n", false, 413},
	}
	config := uploads()
	config.MaxBody = 50000
	onBoth(t, config, func(t *testing.T, s *site, server *testserver.Server) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				before := len(s.log.String())
				c := server.Dial()
				c.Send(tt.first)
				eventually(t, "the application to read", func() bool { return strings.Contains(s.log.String()[before:], "3000 bytes so far") })
				c.Send(tt.then)
				if tt.ends {
					c.CloseWrite()
				}
				for _, want := range []string{"ConnectionAbortedError after ", "then ConnectionAbortedError"} {
					eventually(t, want, func() bool { return strings.Contains(s.log.String()[before:], want) })
				}
				if got := c.Response("POST"); got.Status != tt.status {
					t.Errorf("status %d, want %d", got.Status, tt.status)
				}
			})
		}
		if got := server.Get("/pid"); got.Status != 200 {
			t.Errorf("status %d after that", got.Status)
		}
	})
}

func TestExceptionOverABrokenBodyIsTheClients(t *testing.T) {
	onBoth(t, uploads(), func(t *testing.T, s *site, server *testserver.Server) {
		c := server.Dial()
		c.Send("POST /raises HTTP/1.1\r\nHost: test\r\nContent-Length: 40000\r\n\r\nx")
		s.log.Line(t, "about to read")
		c.Reset()
		s.log.Line(t, `"level":"INFO"`, "the application did not get the whole body of a request", "ConnectionAbortedError")
		if log := s.log.String(); strings.Contains(log, `"level":"ERROR"`) {
			t.Errorf("log: %s", log)
		}
	})
}

func TestStreamedBodyThatNobodyReads(t *testing.T) {
	onBoth(t, uploads(), func(t *testing.T, s *site, server *testserver.Server) {
		for path, body := range map[string]string{"/ignores": "ignored", "/ignores_in_stream": "ignored"} {
			// One client has sent all, one as much as nobody will ever read, one
			// says nothing more.
			for _, sent := range []string{chunk("all") + "0\r\n\r\n", chunk(strings.Repeat("x", 1<<20)), ""} {
				c := server.Dial()
				if err := c.TrySend(fmt.Sprintf(chunkedHead, path) + sent); err != nil && sent == "" {
					t.Fatal(err)
				}
				if got := c.Response("POST"); got.Status != 200 || got.Text() != body {
					t.Errorf("%s with %d bytes: status %d, body %q", path, len(sent), got.Status, got.Body)
				}
			}
		}
		if n := pyapp.InFlight(s.Pool); n != 0 {
			eventually(t, "the workers to be free", func() bool { return pyapp.InFlight(s.Pool) == 0 })
		}
	})
}

// Time in which the client is slow to send is not the application's.
func TestSlowUploadIsNotOverdue(t *testing.T) {
	config := uploads()
	config.Timeout, config.StallTimeout, config.Slow = 400*time.Millisecond, 400*time.Millisecond, 400*time.Millisecond
	onBoth(t, config, func(t *testing.T, s *site, server *testserver.Server) {
		for _, path := range []string{"/digest", "/echoes"} {
			c := server.Dial()
			c.Send(fmt.Sprintf(chunkedHead, path) + chunk("begun\n"))
			pause := time.NewTimer(3 * config.Timeout)
			<-pause.C
			c.Send(chunk("done\n") + "0\r\n\r\n")
			if got := c.Response("POST"); got.Status != 200 {
				t.Errorf("%s: status %d, want 200", path, got.Status)
			}
		}
		if log := s.log.String(); strings.Contains(log, "slow") || strings.Contains(log, "took too long") {
			t.Errorf("log: %s", log)
		}
	})
}

func TestApplicationThatHangsOverAStreamedBody(t *testing.T) {
	config := uploads()
	config.Timeout = 200 * time.Millisecond
	onBoth(t, config, func(t *testing.T, s *site, server *testserver.Server) {
		got := server.Ask(fmt.Sprintf(chunkedHead, "/hangs") + chunk("all\n") + "0\r\n\r\n")
		if got.Status != http.StatusGatewayTimeout {
			t.Errorf("status %d, want 504", got.Status)
		}
	})
}

func TestShortBodyIsTakenInFirst(t *testing.T) {
	s := serve(t, uploads())
	c, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/digest", strings.NewReader("short"))
	if err != nil {
		t.Fatal(err)
	}
	got := s.do(t, c)
	if want := fmt.Sprintf("5 %x", sha256.Sum256([]byte("short"))); got.body != want || got.header.Get("X-Length") != "5" {
		t.Errorf("body %q, header %v", got.body, got.header)
	}
}

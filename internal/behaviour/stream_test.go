package behaviour_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// Flushed bytes reach the client while the handler still runs.
func TestFlushReachesClient(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		proceed := make(chan struct{})
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			for i := range 3 {
				<-proceed
				fmt.Fprintf(w, "part %d", i)
				w.(http.Flusher).Flush()
			}
			<-proceed
		})
		c := s.Dial()
		c.Send(get("/"))
		if head := c.Head(""); head.Framing != testserver.Chunked {
			t.Fatalf("framing %s", head.Framing)
		}
		for i := range 3 {
			proceed <- struct{}{}
			if got, want := c.Chunk(), fmt.Sprintf("part %d", i); got != want {
				t.Fatalf("chunk %q, want %q", got, want)
			}
		}
		proceed <- struct{}{}
		if got := c.Chunk(); got != "" {
			t.Errorf("one chunk too many: %q", got)
		}
		c.Expect("\r\n")
		c.Send(get("/x"))
		if head := c.Head(""); head.Status != 200 {
			t.Errorf("status %d on the reused connection", head.Status)
		}
		close(proceed)
	})
}

// Server-sent events: each event comes as it is written, and the handler learns
// that the reader has gone.
func TestServerSentEvents(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		next, gone := make(chan string), make(chan struct{})
		s := watchful(t, m, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			rc := http.NewResponseController(w)
			if err := rc.Flush(); err != nil {
				t.Error(err)
			}
			for {
				select {
				case event := <-next:
					fmt.Fprintf(w, "data: %s\n\n", event)
					if err := rc.Flush(); err != nil {
						t.Error(err)
					}
				case <-r.Context().Done():
					close(gone)
					return
				}
			}
		})
		c := s.Dial()
		c.Send(get("/"))
		if got := c.Head("").Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("Content-Type %q", got)
		}
		for _, event := range []string{"one", "two", "three"} {
			next <- event
			if got, want := c.Chunk(), "data: "+event+"\n\n"; got != want {
				t.Fatalf("event %q, want %q", got, want)
			}
		}
		c.Close()
		testserver.Receive(t, "the handler to see the client go", gone)
	})
}

// Without a length, what fits the buffer waits in it; no byte of a long body is
// lost, whatever the sizes of the writes.
func TestWriteSizes(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			var size, count int
			fmt.Sscanf(r.URL.RawQuery, "%dx%d", &size, &count)
			for i := range count {
				w.Write(bytes.Repeat([]byte{'a' + byte(i%26)}, size))
			}
		})
		c := s.Dial()
		for _, size := range []int{1, 511, 512, 2047, 2048, 2049, 4095, 4096, 4097, 65536} {
			for _, count := range []int{1, 2, 7} {
				var want strings.Builder
				for i := range count {
					want.WriteString(strings.Repeat(string(rune('a'+i%26)), size))
				}
				if got := c.Open(fmt.Sprintf("/?%dx%d", size, count)).Text(); got != want.String() {
					t.Fatalf("%d writes of %d bytes: %d bytes came, want %d", count, size, len(got), want.Len())
				}
			}
		}
	})
}

func TestReadFrom(t *testing.T) {
	const size = 1 << 20
	content := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	withFile := func(f func(w http.ResponseWriter, f *os.File)) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			file, err := os.Open(name)
			if err != nil {
				t.Error(err)
				return
			}
			defer file.Close()
			f(w, file)
		}
	}
	copied := func(t *testing.T, w http.ResponseWriter, src io.Reader, want int64) {
		if n, err := io.Copy(w, src); n != want || err != nil {
			t.Errorf("copied %d, %v; want %d", n, err, want)
		}
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		framing testserver.Framing
		want    []byte
	}{
		{"file with a length", withFile(func(w http.ResponseWriter, f *os.File) {
			w.Header().Set("Content-Length", fmt.Sprint(size))
			copied(t, w, f, size)
		}), testserver.Length, content},
		{"file without a length", withFile(func(w http.ResponseWriter, f *os.File) {
			copied(t, w, f, size)
		}), testserver.Chunked, content},
		{"part of a file", withFile(func(w http.ResponseWriter, f *os.File) {
			w.Header().Set("Content-Length", "100000")
			f.Seek(5, io.SeekStart)
			copied(t, w, io.LimitReader(f, 100_000), 100_000)
		}), testserver.Length, content[5:100_005]},
		{"part of a file, rest stays", withFile(func(w http.ResponseWriter, f *os.File) {
			w.Header().Set("Content-Length", "10")
			copied(t, w, io.LimitReader(f, 10), 10)
			if at, err := f.Seek(0, io.SeekCurrent); at != 10 || err != nil {
				t.Errorf("file is at %d, %v; want 10", at, err)
			}
		}), testserver.Length, content[:10]},
		{"limit beyond the file", withFile(func(w http.ResponseWriter, f *os.File) {
			w.Header().Set("Content-Length", "16")
			f.Seek(-16, io.SeekEnd)
			copied(t, w, io.LimitReader(f, 1<<40), 16)
		}), testserver.Length, content[size-16:]},
		{"write, file, write", withFile(func(w http.ResponseWriter, f *os.File) {
			w.Header().Set("Content-Length", fmt.Sprint(size+8))
			io.WriteString(w, "head")
			copied(t, w, f, size)
			io.WriteString(w, "tail")
		}), testserver.Length, slicesOf("head", string(content), "tail")},
		{"two files", withFile(func(w http.ResponseWriter, f *os.File) {
			w.Header().Set("Content-Length", fmt.Sprint(2*size))
			copied(t, w, f, size)
			f.Seek(0, io.SeekStart)
			copied(t, w, f, size)
		}), testserver.Length, slicesOf(string(content), string(content))},
		{"plain reader", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(size))
			copied(t, w, struct{ io.Reader }{bytes.NewReader(content)}, size)
		}, testserver.Length, content},
		{"empty reader", func(w http.ResponseWriter, _ *http.Request) {
			copied(t, w, struct{ io.Reader }{strings.NewReader("")}, 0)
		}, testserver.Length, nil},
		{"small reader", func(w http.ResponseWriter, _ *http.Request) {
			copied(t, w, struct{ io.Reader }{strings.NewReader("hello")}, 5)
		}, testserver.Length, []byte("hello")},
		{"reader that fails", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			failure := errors.New("failure")
			n, err := io.Copy(w, io.MultiReader(strings.NewReader("abc"), failingReader{failure}))
			if n != 3 || !errors.Is(err, failure) {
				t.Errorf("copied %d, %v", n, err)
			}
		}, testserver.Length, []byte("abc")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, tt.handler)
				c := s.Dial()
				for range 2 { // the second time on a reused connection
					res := c.Open("/")
					if res.Framing != tt.framing || !bytes.Equal(res.Body, tt.want) {
						t.Fatalf("%s, %d bytes; want %s, %d", res.Framing, len(res.Body), tt.framing, len(tt.want))
					}
				}
				if res := c.Roundtrip(request("HEAD", "/", "")); res.Status != 200 {
					t.Errorf("HEAD: %d", res.Status)
				}
				c.Open("/")
			})
		})
	}
}

func slicesOf(parts ...string) []byte { return []byte(strings.Join(parts, "")) }

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// What copies from itself must end: a reader that is longer than the announced
// length is cut there.
func TestReadFromBeyondLength(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		got := make(chan error, 1)
		s := testserver.Start(t, m, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, err := io.Copy(w, io.MultiReader(strings.NewReader("hello"), strings.NewReader(" world")))
			got <- err
		})
		c := s.Dial()
		c.Send(get("/"))
		if res := c.Response(""); res.Text() != "hello" {
			t.Errorf("body %q", res.Body)
		}
		if err := testserver.Receive(t, "the handler", got); !errors.Is(err, http.ErrContentLength) {
			t.Errorf("error %v", err)
		}
	})
}

// Full duplex: the handler answers while it reads, line by line.
func TestFullDuplex(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			if err := rc.EnableFullDuplex(); err != nil {
				t.Error(err)
			}
			rc.Flush()
			lines := bufio.NewScanner(r.Body)
			for lines.Scan() {
				fmt.Fprintf(w, "got %s", lines.Text())
				rc.Flush()
			}
			if err := lines.Err(); err != nil {
				t.Error(err)
			}
		})
		c := s.Dial()
		c.Send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
		if head := c.Head(""); head.Status != 200 {
			t.Fatalf("status %d", head.Status)
		}
		for _, line := range []string{"one", "two"} {
			c.Send(fmt.Sprintf("%x\r\n%s\n\r\n", len(line)+1, line))
			if got := c.Chunk(); got != "got "+line {
				t.Fatalf("chunk %q", got)
			}
		}
		c.Send("0\r\n\r\n")
		if got := c.Chunk(); got != "" {
			t.Errorf("chunk %q", got)
		}
		c.Expect("\r\n")
	})
}

// What a handler leaves unread of a body in full duplex is never taken for the
// next request.
func TestFullDuplexUnread(t *testing.T) {
	unread := func(flush bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/smuggled" {
				t.Error("a body was taken for a request")
			}
			rc := http.NewResponseController(w)
			rc.EnableFullDuplex()
			if flush {
				rc.Flush()
			}
			sayHello(w, r)
		}
	}
	run(t, []dialogue{
		{"full duplex, unread body", unread(false), request("POST", "/", get("/smuggled")), `200 content-length "hello", open`, nil},
		{"full duplex, flushed, unread body", unread(true), request("POST", "/", get("/smuggled")), `200 chunked "hello", close`, nil},
		{"full duplex, little of the body", unread(true), "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000000\r\n\r\nhalf", `200 chunked "hello", close`, nil},
		{"full duplex, finished, unread body", func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).EnableFullDuplex()
			unread := unread(false)
			if finished, ok := w.(finishedWriter); ok && r.URL.Path != "/smuggled" {
				finished.WriteFinished(200, nil, []byte("hello"))
				return
			}
			unread(w, r)
		}, request("POST", "/", get("/smuggled")), `200 content-length "hello", close`, nil},
	})
}

// A handler that ends while a goroutine of its own still waits for the body is
// answered at once, not when the client sends the rest.
func TestReturnWhileReading(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"written", sayHello, `200 content-length "hello", close`},
		{"nothing written", nothing, `200 content-length "", close`},
		{"panic", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "closed unanswered"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				read := make(chan error, 1)
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					keepReading(r, read)
					tt.handler(w, r)
				})
				for range 10 {
					c := s.Dial()
					c.Send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\nhalf")
					res, err := c.Next("")
					if got := describe(res, err, c); got != tt.want {
						t.Errorf("\n got %s\nwant %s", got, tt.want)
					}
					if err := testserver.Receive(t, "the reader", read); err == nil {
						t.Error("the reader got no error")
					}
					c.Close()
				}
			}, modesOf("return while the body is read", testserver.All())...)
		})
	}
}

// A handler that answers before it has read a body finds the rest of a small
// body there still: it is read into memory before the answer begins to leave.
func TestReadAfterWrite(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			rc.EnableFullDuplex()
			io.WriteString(w, "answer ")
			rc.Flush()
			io.Copy(w, r.Body)
		})
		c := s.Dial()
		if got := c.Roundtrip(request("POST", "/", "body")).Text(); got != "answer body" {
			t.Errorf("got %q", got)
		}
		c.Open("/")
	})
}

func TestResponseControllerDeadlines(t *testing.T) {
	t.Run("read", func(t *testing.T) {
		testserver.Run(t, func(t *testing.T, m testserver.Mode) {
			got := make(chan error, 1)
			s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
				if err := http.NewResponseController(w).SetReadDeadline(past()); err != nil {
					t.Error(err)
				}
				_, err := r.Body.Read(make([]byte, 1))
				got <- err
			})
			c := s.Dial()
			c.Send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n")
			if err := testserver.Receive(t, "the handler", got); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("error %v", err)
			}
		})
	})
	t.Run("write", func(t *testing.T) {
		testserver.Run(t, func(t *testing.T, m testserver.Mode) {
			got := make(chan error, 1)
			s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
				rc := http.NewResponseController(w)
				if err := rc.SetWriteDeadline(past()); err != nil {
					t.Error(err)
				}
				io.WriteString(w, "hello")
				got <- rc.Flush()
			})
			c := s.Dial()
			c.Send(get("/"))
			if err := testserver.Receive(t, "the handler", got); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("error %v", err)
			}
			c.Closed()
		})
	})
	for name, set := range map[string]func(rc *http.ResponseController, at time.Time) error{
		"read for one request":  (*http.ResponseController).SetReadDeadline,
		"write for one request": (*http.ResponseController).SetWriteDeadline,
	} {
		t.Run(name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/set" {
						if err := set(http.NewResponseController(w), time.Now().Add(50*time.Millisecond)); err != nil {
							t.Error(err)
						}
					}
					echo(w, r)
				})
				c := s.Dial()
				for range 2 {
					if got := c.Roundtrip(request("POST", "/set", "hello")).Text(); got != "hello" {
						t.Fatalf("got %q", got)
					}
					<-time.After(80 * time.Millisecond) // the deadline passes between requests
					if got := c.Roundtrip(request("POST", "/", "hello")).Text(); got != "hello" {
						t.Fatalf("after the deadline: %q", got)
					}
				}
			})
		})
	}
}

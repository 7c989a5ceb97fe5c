package behaviour_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// A body that breaks off or breaks the grammar fails Read, with what came
// before it read, and ends the connection.
func TestBrokenBodies(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
	tests := []struct {
		name, raw string
		leave     bool // the client ends its direction after raw
		body      string
	}{
		{"cut in the length", "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhello", true, "hello"},
		{"cut before the first byte", "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n", true, ""},
		{"cut in a chunk", head + "a\r\nhello", true, "hello"},
		{"cut before the last chunk", head + "5\r\nhello\r\n", true, "hello"},
		{"cut in the trailer", head + "5\r\nhello\r\n0\r\nA: b", true, "hello"},
		{"size is no number", head + "5\r\nhello\r\nxyz\r\n", false, "hello"},
		{"size has a sign", head + "5\r\nhello\r\n+5\r\nhello\r\n", false, "hello"},
		{"size overflows", head + "5\r\nhello\r\nfffffffffffffffff\r\n", false, "hello"},
		{"size is empty", head + "5\r\nhello\r\n\r\n", false, "hello"},
		{"chunk longer than its size", head + "5\r\nhello!\r\n0\r\n\r\n", false, "hello"},
		{"chunk ends in LF", head + "5\r\nhello\n0\r\n\r\n", false, "hello"},
		{"malformed trailer", head + "5\r\nhello\r\n0\r\nA : b\r\n\r\n", false, "hello"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				type result struct {
					body string
					err  error
				}
				read := make(chan result, 1)
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					read <- result{string(body), err}
					if _, again := r.Body.Read(make([]byte, 1)); err != nil && again == nil {
						t.Error("Read went on after an error")
					}
				})
				c := s.Dial()
				c.Send(tt.raw)
				if tt.leave {
					c.CloseWrite()
				}
				got := testserver.Receive(t, "the handler", read)
				ending := "broke off"
				if got.err == nil {
					ending = "ended well"
				}
				want := expected(m, tt.name, fmt.Sprintf("%q broke off", tt.body))
				if got := fmt.Sprintf("%q %s", got.body, ending); got != want {
					t.Errorf("body %s, want %s", got, want)
				}
				if ending == "broke off" {
					if rest, err := c.Rest(); err != nil && !testserver.Ended(err) {
						t.Errorf("connection not ended after %q: %v", rest, err)
					}
				}
			}, testserver.Plain()...)
		})
	}
}

func TestBodyReads(t *testing.T) {
	tests := []struct {
		name, raw string
		read      func(r *http.Request) string
		want      string
	}{
		{"never nil", get("/"), func(r *http.Request) string { return fmt.Sprint(r.Body != nil) }, "true"},
		{"byte by byte", request("POST", "/", "hello"), func(r *http.Request) string {
			b, err := io.ReadAll(iotest.OneByteReader(r.Body))
			return fmt.Sprint(string(b), err)
		}, "hello<nil>"},
		{"chunked byte by byte", chunked("/", "\r\n", "he", "l", "lo"), func(r *http.Request) string {
			b, err := io.ReadAll(iotest.OneByteReader(r.Body))
			return fmt.Sprint(string(b), err)
		}, "hello<nil>"},
		{"EOF again and again", request("POST", "/", "x"), func(r *http.Request) string {
			io.ReadAll(r.Body)
			_, first := r.Body.Read(make([]byte, 1))
			n, second := r.Body.Read(make([]byte, 1))
			return fmt.Sprint(first, n, second)
		}, "EOF 0 EOF"},
		{"read of nothing", request("POST", "/", "x"), func(r *http.Request) string {
			n, err := r.Body.Read(nil)
			return fmt.Sprint(n, err)
		}, "0 <nil>"},
		{"after Close", request("POST", "/", "hello"), func(r *http.Request) string {
			r.Body.Close()
			_, err := r.Body.Read(make([]byte, 1))
			return fmt.Sprint(err)
		}, "http: invalid Read on closed Body"},
		{"Close twice", request("POST", "/", "hello"), func(r *http.Request) string {
			return fmt.Sprint(r.Body.Close(), r.Body.Close())
		}, "<nil> <nil>"},
		{"form", request("POST", "/?q=1&a=url", "a=body&b=%26", "Content-Type: application/x-www-form-urlencoded"), func(r *http.Request) string {
			return fmt.Sprint(r.ParseForm(), r.Form, r.PostForm)
		}, "<nil> map[a:[body url] b:[&] q:[1]] map[a:[body] b:[&]]"},
		{"multipart form", request("POST", "/", "--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n\"\r\n\r\ndata\r\n--X--\r\n",
			"Content-Type: multipart/form-data; boundary=X"), func(r *http.Request) string {
			f, head, err := r.FormFile("f")
			if err != nil {
				return err.Error()
			}
			defer f.Close()
			b, _ := io.ReadAll(f)
			return head.Filename + " " + string(b)
		}, "n data"},
		{"trailer appears with EOF", chunked("/", "Sum: 5\r\n\r\n", "hello"), func(r *http.Request) string {
			before := r.Trailer.Get("Sum")
			io.ReadAll(r.Body)
			return before + "," + r.Trailer.Get("Sum")
		}, ",5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					io.WriteString(w, tt.read(r))
				})
				c := s.Dial()
				want := expected(m, tt.name, tt.want)
				if got := c.Roundtrip(tt.raw).Text(); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				c.Open("/")
			})
		})
	}
}

func TestLargeBodies(t *testing.T) {
	const size = 3 << 20
	tests := []struct {
		name string
		head string
		body func(c *testserver.Client) error
	}{
		{"length", fmt.Sprintf("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n", size), func(c *testserver.Client) error {
			return c.TrySend(strings.Repeat("x", size))
		}},
		{"chunked", "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n", func(c *testserver.Client) error {
			chunk := "10000\r\n" + strings.Repeat("x", 1<<16) + "\r\n"
			return c.TrySend(strings.Repeat(chunk, size>>16) + "0\r\n\r\n")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					n, err := io.Copy(io.Discard, r.Body)
					fmt.Fprint(w, n, err)
				})
				c := s.Dial()
				sent := make(chan error, 1)
				go func() { sent <- errors.Join(c.TrySend(tt.head), tt.body(c)) }()
				if got, want := c.Response("").Text(), fmt.Sprint(size, nil); got != want {
					t.Errorf("handler read %s, want %s", got, want)
				}
				if err := testserver.Receive(t, "the body to be sent", sent); err != nil {
					t.Error(err)
				}
				c.Open("/")
			})
		})
	}
}

// A body that the handler leaves unread is read away while that is cheap, so
// that the connection can be used again; a longer one ends the connection.
func TestUnreadBodies(t *testing.T) {
	small, large := strings.Repeat("x", 10_000), strings.Repeat("x", 300<<10)
	run(t, []dialogue{
		{"small", sayHello, request("POST", "/", small), `200 content-length "hello", open`, []string{"!Connection"}},
		{"large", sayHello, request("POST", "/", large), `200 content-length "hello", close`, []string{"Connection: close"}},
		{"small chunked", sayHello, chunked("/", "\r\n", small), `200 content-length "hello", open`, []string{"!Connection"}},
		{"small with a trailer", sayHello, chunked("/", "A: b\r\n\r\n", small), `200 content-length "hello", open`, nil},
		{"half read", func(w http.ResponseWriter, r *http.Request) {
			io.ReadFull(r.Body, make([]byte, 5000))
			sayHello(w, r)
		}, request("POST", "/", small), `200 content-length "hello", open`, nil},
		{"closed unread", func(w http.ResponseWriter, r *http.Request) {
			r.Body.Close()
			sayHello(w, r)
		}, request("POST", "/", small), `200 content-length "hello", open`, nil},
		{"answered, then unread and broken", sayHello, "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", `200 content-length "hello", close`, nil},
	})
}

// An answer that refuses a body reaches the client although the client still
// sends: closing at once with unread bytes would reset the connection and could
// take the answer with it.
func TestRefusalReachesSendingClient(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		})
		for range 10 {
			c := s.Dial()
			sent := make(chan error, 1)
			go func() {
				c.TrySend("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000000\r\n\r\n")
				sent <- c.TrySend(strings.Repeat("x", 2<<20))
			}()
			res := c.Response("")
			if res.Status != http.StatusRequestEntityTooLarge || res.Text() != "too large\n" || res.Get("Connection") != "close" {
				t.Fatalf("%d %q, Connection %q", res.Status, res.Body, res.Get("Connection"))
			}
			c.Close()
			testserver.Receive(t, "the sender to stop", sent)
		}
	})
}

func TestMaxBytes(t *testing.T) {
	limited := http.MaxBytesHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			http.Error(w, fmt.Sprint("limit ", tooLarge.Limit), http.StatusRequestEntityTooLarge)
			return
		}
		w.Write(body)
	}), 5).ServeHTTP
	run(t, []dialogue{
		{"at the limit", limited, request("POST", "/", "hello"), `200 content-length "hello", open`, nil},
		{"chunked at the limit", limited, chunked("/", "\r\n", "he", "llo"), `200 content-length "hello", open`, nil},
		{"one byte above", limited, request("POST", "/", "hello!"), `413 content-length "limit 5\n", open`, nil},
		{"chunked above", limited, chunked("/", "\r\n", "hello", "!"), `413 content-length "limit 5\n", open`, nil},
	})
}

// A client may end its direction with the last byte of the body, and still gets
// its answer.
func TestBodyAndEndTogether(t *testing.T) {
	for _, tt := range []struct{ name, head, body string }{
		{"length", "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n", "hello"},
		{"chunked", "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"},
	} {
		for _, size := range []int{1, 16, 1 << 16} {
			t.Run(fmt.Sprint(tt.name, " read by ", size), func(t *testing.T) {
				testserver.Run(t, func(t *testing.T, m testserver.Mode) {
					reached, sent := make(chan struct{}), make(chan struct{})
					s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
						close(reached)
						<-sent
						if _, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r.Body}, make([]byte, size)); err != nil {
							t.Error(err)
						}
					})
					c := s.Dial()
					c.Send(tt.head)
					testserver.Receive(t, "the handler", reached)
					c.Send(tt.body)
					c.CloseWrite()
					close(sent)
					if got := c.Response("").Text(); got != "hello" {
						t.Errorf("got %q", got)
					}
					c.Closed()
				})
			})
		}
	}
}

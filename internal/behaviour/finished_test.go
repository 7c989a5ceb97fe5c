package behaviour_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/recorder"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// finishedWriter is how a handler sees that a response can be handed over whole.
type finishedWriter interface {
	WriteFinished(status int, head, body []byte) (int, error)
}

// whole answers with a finished response.
func whole(status int, head, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.(finishedWriter).WriteFinished(status, []byte(head), []byte(body))
	}
}

func TestWriteFinished(t *testing.T) {
	const head = "Content-Type: text/plain\r\nContent-Length: 5\r\n"
	const open = `200 content-length "hello", open`
	ok := whole(200, head, "hello")
	big := strings.Repeat("x", 1<<20)
	modes := modesOf("WriteFinished", testserver.All())
	run(t, []dialogue{
		{"whole GET", ok, get("/"), open, []string{"Content-Type: text/plain", "Content-Length: 5", "Server: Gatehouse", "!Connection"}},
		{"whole HEAD", ok, request("HEAD", "/", ""), `200 no body, open`, []string{"Content-Length: 5"}},
		{"whole, closed by the client", ok, get("/", "Connection: close"), `200 content-length "hello", close`, []string{"Connection: close"}},
		{"whole for 1.0", ok, "GET / HTTP/1.0\r\n\r\n", `200 content-length "hello", close`, nil},
		{"whole for 1.0 keep-alive", ok, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", open, []string{"Connection: keep-alive"}},
		{"whole HEAD for 1.0", ok, "HEAD / HTTP/1.0\r\n\r\n", `200 no body, close`, []string{"Content-Length: 5"}},
		{"whole 304", whole(304, "Etag: \"x\"\r\n", "hello"), get("/"), `304 no body, open`, []string{"Etag: \"x\"", "!Content-Length"}},
		{"whole 204", whole(204, "", ""), get("/"), `204 no body, open`, nil},
		{"whole 404", whole(404, head, "hello"), get("/"), `404 content-length "hello", open`, nil},
		{"whole without body", whole(200, "Content-Length: 0\r\n", ""), get("/"), `200 content-length "", open`, nil},
		{"whole and large", whole(200, "Content-Length: 1048576\r\n", big), get("/"), `200 content-length "` + big + `", open`, nil},
		{"whole with fields of a middleware", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Request-Id", "17")
			w.Header().Set("X-Injected", "a\r\nb")
			ok(w, r)
		}, get("/"), open, []string{"X-Request-Id: 17", "X-Injected: a  b", "Content-Type: text/plain"}},
		{"whole with a Server of a middleware", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Server", "other")
			w.Header().Set("Date", "today")
			ok(w, r)
		}, get("/"), open, []string{"Server: other", "Date: today"}},
		{"whole with a Server in the head", whole(200, "Server: other\r\nDate: today\r\n"+head, "hello"), get("/"), open, []string{"Server: other", "Date: today"}},
		{"whole, closed by a middleware", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			ok(w, r)
		}, get("/"), `200 content-length "hello", close`, []string{"Connection: close"}},
		{"whole beside a length in Header", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "3")
			whole(200, "Content-Type: text/plain\r\n", "hello")(w, r)
		}, get("/"), open, nil},
		{"whole through the recorder", func(w http.ResponseWriter, r *http.Request) {
			ok(recorder.New(w), r)
		}, get("/"), open, nil},
		{"whole, body of the request unread", ok, request("POST", "/", "unread"), open, nil},
		{"whole, long body unread", ok, request("POST", "/", strings.Repeat("x", 300<<10)), `200 content-length "hello", close`, nil},
		{"whole after early hints", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			ok(w, r)
		}, get("/"), open, nil},
	}, modes...)
}

// After a finished response there is nothing more to write, and after a write
// nothing can be finished; neither disturbs what was sent.
func TestWriteFinishedMisuse(t *testing.T) {
	const head = "Content-Length: 5\r\n"
	finish := func(w http.ResponseWriter) (int, error) {
		return w.(finishedWriter).WriteFinished(200, []byte(head), []byte("hello"))
	}
	tests := []struct {
		name   string
		before func(w http.ResponseWriter) (int, error)
		misuse func(w http.ResponseWriter) (int, error)
		want   string
	}{
		{"twice", finish, finish, `200 content-length "hello", open`},
		{"Write after", finish, func(w http.ResponseWriter) (int, error) { return w.Write([]byte("more")) }, `200 content-length "hello", open`},
		{"WriteString after", finish, func(w http.ResponseWriter) (int, error) { return io.WriteString(w, "more") }, `200 content-length "hello", open`},
		{"ReadFrom after", finish, func(w http.ResponseWriter) (int, error) {
			n, err := io.Copy(w, struct{ io.Reader }{strings.NewReader("more")})
			return int(n), err
		}, `200 content-length "hello", open`},
		{"after Write", func(w http.ResponseWriter) (int, error) { return w.Write([]byte("first")) }, finish, `200 content-length "first", open`},
		{"after WriteHeader", func(w http.ResponseWriter) (int, error) { w.WriteHeader(404); return 5, nil }, finish, `404 content-length "", open`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == alive {
						w.WriteHeader(http.StatusNoContent)
						return
					}
					if n, err := tt.before(w); n != 5 || err != nil {
						t.Errorf("first: %d, %v", n, err)
					}
					if n, err := tt.misuse(w); n != 0 || err == nil {
						t.Errorf("second: %d, %v; want an error", n, err)
					}
				})
				c := s.Dial()
				c.Send(get("/"))
				res, err := c.Next("")
				if got := describe(res, err, c); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			}, modesOf("WriteFinished", testserver.All())...)
		})
	}
}

// The slices are the handler's again when WriteFinished has returned.
func TestWriteFinishedKeepsNothing(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		head, body := []byte("Content-Length: 5\r\n"), []byte("hello")
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			h, b := append([]byte(nil), head...), append([]byte(nil), body...)
			if n, err := w.(finishedWriter).WriteFinished(200, h, b); n != 5 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
			clear(h)
			clear(b)
		})
		c := s.Dial()
		c.Send(strings.Repeat(get("/"), 50))
		for range 50 {
			if res := c.Response(""); res.Text() != "hello" {
				t.Fatalf("body %q", res.Body)
			}
		}
	}, modesOf("WriteFinished", testserver.All())...)
}

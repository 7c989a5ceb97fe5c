package behaviour_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func closeByHandler(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	sayHello(w, r)
}

func TestKeepAlive(t *testing.T) {
	const open, closed = `200 content-length "hello", open`, `200 content-length "hello", close`
	run(t, []dialogue{
		{"1.1 stays open", sayHello, get("/"), open, []string{"!Connection"}},
		{"1.1 keep-alive asked for needlessly", sayHello, get("/", "Connection: keep-alive"), open, []string{"!Connection"}},
		{"1.1 close asked for", sayHello, get("/", "Connection: close"), closed, []string{"Connection: close"}},
		{"1.1 close in capitals", sayHello, get("/", "Connection: CLOSE"), closed, []string{"Connection: close"}},
		{"1.1 close among options", sayHello, get("/", "Connection: foo,close ,bar"), closed, []string{"Connection: close"}},
		{"1.1 close in the second field line", sayHello, get("/", "Connection: keep-alive", "Connection: close"), closed, []string{"Connection: close"}},
		{"1.1 close as part of a word", sayHello, get("/", "Connection: enclose"), open, []string{"!Connection"}},
		{"1.1 close and keep-alive", sayHello, get("/", "Connection: keep-alive, close"), closed, []string{"Connection: close"}},
		{"1.1 upgrade that is not taken", sayHello, get("/", "Connection: Upgrade", "Upgrade: websocket"), open, []string{"!Upgrade"}},
		{"1.1 Proxy-Connection means nothing", sayHello, get("/", "Proxy-Connection: close"), open, nil},
		{"1.1 closed by the handler", closeByHandler, get("/"), closed, []string{"Connection: close"}},
		{"1.0 closes", sayHello, "GET / HTTP/1.0\r\n\r\n", closed, nil},
		{"1.0 keep-alive", sayHello, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", open, []string{"Connection: keep-alive"}},
		{"1.0 keep-alive with Host", sayHello, "GET / HTTP/1.0\r\nHost: test\r\nConnection: Keep-Alive\r\n\r\n", open, []string{"Connection: keep-alive"}},
		{"1.0 keep-alive closed by the handler", closeByHandler, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", closed, []string{"Connection: close"}},
		{"1.0 keep-alive of unknown length", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "hel")
			w.(http.Flusher).Flush()
			io.WriteString(w, "lo")
		}, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", `200 until close "hello", close`, []string{"!Transfer-Encoding"}},
		{"1.0 keep-alive of announced length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "hel")
			w.(http.Flusher).Flush()
			io.WriteString(w, "lo")
		}, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", open, []string{"Connection: keep-alive"}},
		{"1.0 keep-alive without content", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
		}, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", `204 no body, open`, []string{"Connection: keep-alive"}},
		{"1.0 HEAD keep-alive", sayHello, "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", `200 no body, open`, []string{"Content-Length: 5", "Connection: keep-alive"}},
		{"handler's keep-alive adds nothing", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "keep-alive")
			sayHello(w, r)
		}, get("/"), open, nil},
		{"error answers keep the connection", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no", http.StatusInternalServerError)
		}, get("/"), `500 content-length "no\n", open`, nil},
	})
}

func TestStatusLine(t *testing.T) {
	tests := []struct {
		name, request string
		status        int
		want          string
	}{
		{"1.1", get("/"), 200, "HTTP/1.1 200 OK"},
		{"status line for 1.0", "GET / HTTP/1.0\r\n\r\n", 200, "HTTP/1.1 200 OK"},
		{"not found", get("/"), 404, "HTTP/1.1 404 Not Found"},
		{"registered late", get("/"), 451, "HTTP/1.1 451 Unavailable For Legal Reasons"},
		{"unregistered", get("/"), 999, "HTTP/1.1 999 "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tt.status) })
				res := s.Ask(tt.request)
				want := expected(m, tt.name, tt.want)
				if got := fmt.Sprintf("%s %d %s", res.Proto, res.Status, res.Reason); got != want {
					t.Errorf("status line %q, want %q", got, want)
				}
			})
		})
	}
}

func TestMethods(t *testing.T) {
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "M-SEARCH", "get", "!#$%&'*+-.^_`|~"} {
		t.Run(method, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, echo)
				c := s.Dial()
				res := c.Roundtrip(request(method, "/", "body"))
				if res.Status != 200 || res.Get("Method") != method || res.Text() != "body" {
					t.Errorf("%d, method %q, body %q", res.Status, res.Get("Method"), res.Body)
				}
				c.Open("/")
			})
		})
	}
}

func TestManyRequestsOnOneConnection(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, echo)
		c := s.Dial()
		for i := range 200 {
			body := strings.Repeat("x", i*37%4096)
			raw := request("POST", "/", body)
			if i%3 == 0 {
				raw = chunked("/", "\r\n", strings.Repeat("y", 1+i))
				body = strings.Repeat("y", 1+i)
			}
			if res := c.Roundtrip(raw); res.Status != 200 || res.Text() != body {
				t.Fatalf("request %d: status %d, %d bytes, want %d", i, res.Status, len(res.Body), len(body))
			}
		}
	})
}

package cgi_test

import (
	"log"
	"net/http"
	stdcgi "net/http/cgi"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// sh makes a shell script that prints what printf makes of the text.
func sh(printed string) string { return "#!/bin/sh\nprintf '" + printed + "'\n" }

// TestAnswers holds what becomes of the answer of a script (RFC 3875, section 6).
func TestAnswers(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		tests := []struct {
			name   string
			script string
			file   string // of the script; "" means script
			method string // "" means GET
			status int
			fields map[string]string // "" means that there is none
			body   string            // "*" means any
			log    string            // that must be in the log
			oracle bool              // net/http/cgi answers the same
		}{
			{
				name: "document", script: sh(`Content-Type: text/plain\n\nhello`), status: 200, body: "hello",
				fields: map[string]string{"Content-Type": "text/plain"}, oracle: true,
			},
			{name: "document with CRLF", script: sh(`Content-Type: text/plain\r\n\r\nhello`), status: 200, body: "hello", oracle: true},
			{name: "lines with either end", script: sh(`Content-Type: text/plain\nX-A: b\r\n\nhello`), status: 200, body: "hello", fields: map[string]string{"X-A": "b"}, oracle: true},
			{name: "field without space", script: sh(`content-type:text/plain\n\nhello`), status: 200, body: "hello", fields: map[string]string{"Content-Type": "text/plain"}, oracle: true},
			{name: "empty document", script: sh(`Content-Type: text/plain\n\n`), status: 200, oracle: true},
			{name: "status", script: sh(`Status: 404 Gone Fishing\nContent-Type: text/plain\n\nnone`), status: 404, body: "none", fields: map[string]string{"Status": ""}, oracle: true},
			{name: "status without reason", script: sh(`Status: 403\nContent-Type: text/plain\n\nno`), status: 403, body: "no", oracle: true},
			{name: "status without document", script: sh(`Status: 204 No Content\n\n`), status: 204, oracle: true},
			{name: "no body with 304", script: sh(`Status: 304\nETag: "x"\n\nignored`), status: 304, fields: map[string]string{"Etag": `"x"`}},
			{
				name: "fields are passed on", script: sh(`Content-Type: text/plain\nSet-Cookie: a=1\nSet-Cookie: b=2\nX-Y: z\n\n`), status: 200,
				fields: map[string]string{"Set-Cookie": "a=1|b=2", "X-Y": "z"}, oracle: true,
			},
			{name: "length is kept", script: sh(`Content-Type: text/plain\nContent-Length: 5\n\nhello`), status: 200, body: "hello", fields: map[string]string{"Content-Length": "5"}, oracle: true},
			{name: "client redirect", script: sh(`Location: http://example.com/x\n\n`), status: 302, fields: map[string]string{"Location": "http://example.com/x"}, oracle: true},
			{
				name: "client redirect with document", script: sh(`Status: 301 Moved\nLocation: http://example.com/x\nContent-Type: text/plain\n\nthere`), status: 301, body: "there",
				fields: map[string]string{"Location": "http://example.com/x"}, oracle: true,
			},
			{name: "client redirect with untyped document", script: sh(`Location: http://example.com/x\n\nthere`), status: 302},
			{name: "path with status", script: sh(`Status: 303\nLocation: /local\n\n`), status: 303, fields: map[string]string{"Location": "/local"}},
			{name: "path with cookie", script: sh(`Location: /local\nSet-Cookie: a=1\n\n`), status: 302, fields: map[string]string{"Location": "/local", "Set-Cookie": "a=1"}},
			{name: "path with document", script: sh(`Location: /local\nContent-Type: text/plain\n\nthere`), status: 302, body: "there", fields: map[string]string{"Location": "/local"}},
			{name: "path of another host", script: sh(`Location: //example.com/x\n\n`), status: 302, fields: map[string]string{"Location": "//example.com/x"}},
			{name: "local redirect", script: sh(`Location: /local?a=b\n\n`), status: 200, body: "local GET /local a=b", fields: map[string]string{"Location": ""}, oracle: true},
			{name: "local redirect with type", script: sh(`Content-Type: text/html\nLocation: /local?a=b\n\n`), status: 200, body: "local GET /local a=b", oracle: true},
			{name: "local redirect of a POST", script: sh(`Location: /local\n\n`), method: "POST", status: 200, body: "local GET /local ", oracle: true},
			{name: "local redirects without end", script: sh(`Location: /cgi-bin/script\n\n`), status: 502, body: "*", log: "without end"},

			{name: "HEAD has no body", script: sh(`Content-Type: text/plain\nContent-Length: 5\n\nhello`), method: "HEAD", status: 200, fields: map[string]string{"Content-Length": "5"}, oracle: true},
			{name: "HEAD without length", script: sh(`Content-Type: text/plain\n\nhello`), method: "HEAD", status: 200, oracle: true},
			{name: "fields of the connection are dropped", script: sh(`Content-Type: text/plain\nConnection: close\nKeep-Alive: 5\nUpgrade: x\n\nhello`), status: 200, body: "hello", fields: map[string]string{"Connection": "", "Keep-Alive": "", "Upgrade": ""}},
			{name: "request identifier is ours", script: sh(`Content-Type: text/plain\nX-Request-Id: mine\n\nhello`), status: 200, body: "hello"},

			{name: "nothing", script: "#!/bin/sh\n", status: 502, body: "*", log: "printed nothing"},
			{name: "nothing and a status", script: "#!/bin/sh\nexit 3\n", status: 502, body: "*", log: "printed nothing and ended with status 3"},
			{name: "nothing and a signal", script: "#!/bin/sh\nkill -SEGV $$\n", status: 502, body: "*", log: "ended with signal 11"},
			{name: "no head", script: sh(`hello, world\n`), status: 502, body: "*", log: "malformed"},
			{name: "head without end", script: sh(`Content-Type: text/plain\n`), status: 502, body: "*", log: "inside of the head"},
			{name: "empty head", script: sh(`\nhello`), status: 502, body: "*", log: "neither Content-Type"},
			{name: "only other fields", script: sh(`X-A: b\n\nhello`), status: 502, body: "*", log: "neither Content-Type"},
			{name: "body without type", script: sh(`Status: 200\n\nhello`), status: 502, body: "*", log: "a body without a Content-Type"},
			{name: "space before the colon", script: sh(`Content-Type : text/plain\n\n`), status: 502, body: "*", log: "field's name"},
			{name: "folded field", script: sh(`Content-Type: text/plain\n charset=x\n\n`), status: 502, body: "*", log: "malformed"},
			{name: "CR in a value", script: sh(`Content-Type: a\rX: b\n\n`), status: 502, body: "*", log: "field's value"},
			{name: "two types", script: sh(`Content-Type: a/b\nContent-Type: c/d\n\n`), status: 502, body: "*", log: "Content-Type is empty, or there twice"},
			{name: "two lengths", script: sh(`Content-Type: a/b\nContent-Length: 1\nContent-Length: 1\n\nx`), status: 502, body: "*", log: "Content-Length"},
			{name: "length is no number", script: sh(`Content-Type: a/b\nContent-Length: +1\n\nx`), status: 502, body: "*", log: "Content-Length"},
			{name: "transfer coding", script: sh(`Content-Type: a/b\nTransfer-Encoding: chunked\n\n0\r\n\r\n`), status: 502, body: "*", log: "Transfer-Encoding"},
			{name: "status is no number", script: sh(`Status: OK\n\n`), status: 502, body: "*", log: "none from 200 to 599"},
			{name: "status is informational", script: sh(`Status: 101\n\n`), status: 502, body: "*", log: "none from 200 to 599"},
			{name: "head too long", script: "#!/bin/sh\necho Content-Type: text/plain\nprintf 'X-Long: %040000d\\n\\n' 0\n", status: 502, body: "*", log: "the head is too long"},
			{name: "bad exit after the answer", script: sh(`Content-Type: text/plain\n\nhello`) + "exit 3\n", status: 200, body: "hello", log: "status 3 after its answer", oracle: true},

			{name: "NPH", file: "nph-script", script: sh(`HTTP/1.1 299 Fine\r\nContent-Type: text/plain\r\nX-A: b\r\n\r\nhello`), status: 299, body: "hello", fields: map[string]string{"X-A": "b"}},
			{name: "NPH of HTTP/1.0", file: "nph-script", script: sh(`HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello`), status: 200, body: "hello", fields: map[string]string{"Content-Type": "", "Connection": ""}},
			{name: "NPH with length", file: "nph-script", script: sh(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello`), status: 200, body: "hello", fields: map[string]string{"Content-Length": "5"}},
			{name: "NPH in chunks", file: "nph-script", script: sh(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`), status: 200, body: "hello"},
			{name: "NPH and HEAD", file: "nph-script", script: sh(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello`), method: "HEAD", status: 200, fields: map[string]string{"Content-Length": "5"}},
			{name: "NPH without status line", file: "nph-script", script: sh(`Content-Type: text/plain\n\nhello`), status: 502, body: "*", log: "not with a status line"},
		}
		local := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte("local " + r.Method + " " + r.URL.Path + " " + r.URL.RawQuery))
		})
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				file := tt.file
				if file == "" {
					file = "script"
				}
				dir := w.folder(t, files{file: tt.script})
				check := func(t *testing.T, s *testserver.Server) {
					method := tt.method
					if method == "" {
						method = "GET"
					}
					c := s.Dial()
					res := c.Roundtrip(ask(method, "/cgi-bin/"+file, ""))
					if res.Status != tt.status || tt.body != "*" && res.Text() != tt.body {
						t.Errorf("%d %q, want %d %q", res.Status, res.Text(), tt.status, tt.body)
					}
					for name, want := range tt.fields {
						if got := strings.Join(res.Header[name], "|"); got != want {
							t.Errorf("%s: %q, want %q", name, got, want)
						}
					}
					if id := res.Get("X-Request-Id"); id == "mine" {
						t.Error("the script's request identifier came through")
					}
					if again := c.Roundtrip(ask(method, "/cgi-bin/"+file, "")); again.Status != tt.status {
						t.Errorf("second answer on the connection: %d", again.Status)
					}
				}
				mux := http.NewServeMux()
				mux.Handle("/local", local)
				site := w.open(t, dir, cgi.Config{Redirect: mux})
				mux.Handle("/cgi-bin/", site)
				for _, m := range modes {
					t.Run(m.String(), func(t *testing.T) { check(t, site.serve(t, m)) })
				}
				if tt.log != "" {
					site.log.Line(t, tt.log, "request=")
				}
				if tt.oracle {
					t.Run("oracle", func(t *testing.T) {
						oracle := &stdcgi.Handler{
							Path: filepath.Join(dir, file), PathLocationHandler: mux,
							Logger: log.New(&testserver.Log{}, "", 0), Stderr: os.Stderr,
						}
						check(t, testserver.Start(t, testserver.NetHTTP, oracle.ServeHTTP))
					})
				}
			})
		}
	})
}

// An answer that ends too early, or with a crash, must not look complete.
func TestAnswerIsBrokenOff(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		tests := []struct{ name, script, log string }{
			{"crash", sh(`Content-Type: text/plain\n\nhello`) + "sleep 0.05; kill -KILL $$\n", "signal 9"},
			{"shorter than announced", sh(`Content-Type: text/plain\nContent-Length: 9\n\nhello`), "less than its Content-Length"},
			{"NPH chunks without end", sh(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel`), "broken off"},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				name := "script"
				if strings.HasPrefix(tt.name, "NPH") {
					name = "nph-script"
				}
				site := w.open(t, w.folder(t, files{name: tt.script}), cgi.Config{})
				testserver.Run(t, func(t *testing.T, m testserver.Mode) {
					c := site.serve(t, m).Dial()
					c.Send(get("/cgi-bin/" + name))
					if res, err := c.Next("GET"); err == nil {
						t.Errorf("complete: %d %q", res.Status, res.Text())
					}
				}, modes...)
				site.log.Line(t, tt.log)
			})
		}
	})
}

// What is longer than announced is cut, and the connection lives on.
func TestLongerThanAnnounced(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		site := w.open(t, w.folder(t, files{"script": sh(`Content-Type: text/plain\nContent-Length: 3\n\nhello`)}), cgi.Config{})
		testserver.Run(t, func(t *testing.T, m testserver.Mode) {
			c := site.serve(t, m).Dial()
			for range 2 {
				if res := c.Roundtrip(get("/cgi-bin/script")); res.Status != 200 || res.Text() != "hel" {
					t.Errorf("%d %q", res.Status, res.Text())
				}
			}
		}, modes...)
		site.log.Line(t, "more than its Content-Length")
	})
}

package behaviour_test

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// seen is what a handler can tell about its request.
func seen(r *http.Request) map[string]string {
	body, err := io.ReadAll(r.Body)
	fields := map[string]string{
		"Method": r.Method, "RequestURI": r.RequestURI, "Host": r.Host, "Proto": r.Proto,
		"URL.Scheme": r.URL.Scheme, "URL.Host": r.URL.Host, "URL.Path": r.URL.Path, "URL.RawPath": r.URL.RawPath,
		"URL.RawQuery": r.URL.RawQuery, "URL.String": r.URL.String(),
		"ContentLength": fmt.Sprint(r.ContentLength), "TransferEncoding": fmt.Sprint(r.TransferEncoding),
		"Close": fmt.Sprint(r.Close), "Body": string(body), "Trailer": fmt.Sprint(r.Trailer),
		"Form": fmt.Sprint(r.Form), "NoBody": fmt.Sprint(r.Body == http.NoBody), "TLS": fmt.Sprint(r.TLS != nil),
		"Header": fmt.Sprint(r.Header),
	}
	if err != nil {
		fields["Body"] = err.Error()
	}
	return fields
}

func TestRequestFields(t *testing.T) {
	tests := []struct {
		name, raw string
		want      map[string]string
	}{
		{"plain", get("/a/b?c=d&e"), map[string]string{
			"Method": "GET", "RequestURI": "/a/b?c=d&e", "Host": "test", "Proto": "HTTP/1.1", "URL.Path": "/a/b",
			"URL.RawQuery": "c=d&e", "URL.String": "/a/b?c=d&e", "ContentLength": "0", "TransferEncoding": "[]",
			"Close": "false", "NoBody": "true", "Trailer": "map[]", "Form": "map[]", "Header": "map[]",
		}},
		{"1.0 without Host", "GET / HTTP/1.0\r\n\r\n", map[string]string{"Host": "", "Proto": "HTTP/1.0", "Close": "true"}},
		{"1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", map[string]string{"Close": "false"}},
		{"close", get("/", "Connection: close"), map[string]string{"Close": "true", "Header": "map[Connection:[close]]"}},
		{"escaped path", get("/a%2Fb/%C3%A9"), map[string]string{"URL.Path": "/a/b/é", "URL.RawPath": "/a%2Fb/%C3%A9", "RequestURI": "/a%2Fb/%C3%A9"}},
		{"escaped where needless", get("/%41"), map[string]string{"URL.Path": "/A", "URL.RawPath": "/%41"}},
		{"dots are kept", get("/a/../b/./c"), map[string]string{"URL.Path": "/a/../b/./c"}},
		{"double slash", get("//a//b"), map[string]string{"URL.Path": "//a//b", "URL.Host": "", "RequestURI": "//a//b"}},
		{"empty query", get("/?"), map[string]string{"URL.Path": "/", "URL.RawQuery": "", "RequestURI": "/?"}},
		{"question mark in query", get("/?a?b"), map[string]string{"URL.RawQuery": "a?b"}},
		{"absolute form", "GET http://other:81/x?y HTTP/1.1\r\nHost: test\r\n\r\n", map[string]string{
			"RequestURI": "http://other:81/x?y", "Host": "other:81", "URL.Scheme": "http", "URL.Host": "other:81", "URL.Path": "/x", "URL.RawQuery": "y",
		}},
		{"absolute form without path", "GET http://other HTTP/1.1\r\nHost: test\r\n\r\n", map[string]string{"Host": "other", "URL.Path": "", "RequestURI": "http://other"}},
		{"Host with port", "GET / HTTP/1.1\r\nHost: example.com:8080\r\n\r\n", map[string]string{"Host": "example.com:8080"}},
		{"Host with IPv6", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", map[string]string{"Host": "[::1]:80"}},
		{"field names are canonical", get("/", "x-lower: a", "X-UPPER: b", "x-lower: c"), map[string]string{"Header": "map[X-Lower:[a c] X-Upper:[b]]"}},
		{"values are trimmed", get("/", "A: \t b c \t "), map[string]string{"Header": "map[A:[b c]]"}},
		{"empty value", get("/", "A:"), map[string]string{"Header": "map[A:[]]"}},
		{"value with high bytes", get("/", "A: caf\xe9"), map[string]string{"Header": "map[A:[caf\xe9]]"}},
		{"length", request("POST", "/", "hello"), map[string]string{"ContentLength": "5", "Body": "hello", "NoBody": "false", "Header": "map[Content-Length:[5]]"}},
		{"length zero", request("POST", "/", "", "Content-Length: 0"), map[string]string{"ContentLength": "0", "NoBody": "true"}},
		{"POST without length", request("POST", "/", ""), map[string]string{"ContentLength": "0", "NoBody": "true"}},
		{"chunked", chunked("/", "\r\n", "he", "llo"), map[string]string{
			"ContentLength": "-1", "TransferEncoding": "[chunked]", "Body": "hello", "Header": "map[]", "Trailer": "map[]",
		}},
		{"chunked with extensions", "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n", map[string]string{"Body": "hello"}},
		{"chunked in capitals", "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", map[string]string{"Body": "hello"}},
		{"chunk size in capitals and zeros", "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n00A\r\n0123456789\r\n000\r\n\r\n", map[string]string{"Body": "0123456789"}},
		{"announced trailer", "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nTrailer: A, B\r\n\r\n5\r\nhello\r\n0\r\nA: 1\r\nB: 2\r\n\r\n", map[string]string{
			"Body": "hello", "Trailer": "map[A:[1] B:[2]]",
		}},
		{"announced trailer that does not come", "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n0\r\n\r\n", map[string]string{"Trailer": "map[A:[]]"}},
		{"trailer without announcement", chunked("/", "A: 1\r\n\r\n", "hello"), map[string]string{"Trailer": "map[A:[1]]"}},
		{"body of GET", request("GET", "/", "hello"), map[string]string{"Body": "hello", "Method": "GET"}},
		{"body of DELETE", request("DELETE", "/", "hello"), map[string]string{"Body": "hello"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				got := make(chan map[string]string, 1)
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) { got <- seen(r) })
				if res := s.Ask(tt.raw); res.Status != 200 {
					t.Fatalf("status %d: %s", res.Status, res.Body)
				}
				fields := testserver.Receive(t, "the handler", got)
				for _, field := range slices.Sorted(maps.Keys(tt.want)) {
					if want := expected(m, tt.name+"/"+field, tt.want[field]); fields[field] != want {
						t.Errorf("%s: %q, want %q", field, fields[field], want)
					}
				}
				if fields["TLS"] != fmt.Sprint(m.TLS()) {
					t.Errorf("TLS: %s", fields["TLS"])
				}
			})
		})
	}
}

// What the engine answers by itself never reaches the handler.
func TestRequestsWithoutHandler(t *testing.T) {
	tests := []struct{ name, raw, want string }{
		{"OPTIONS of the server", "OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n", `200 content-length "", open, handler unreached`},
		{"asterisk with GET", "GET * HTTP/1.1\r\nHost: test\r\n\r\n", `400, handler unreached`},
		{"CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", `501, handler unreached`},
		{"no Host in 1.1", "GET / HTTP/1.1\r\n\r\n", `400, handler unreached`},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", `400, handler unreached`},
		{"bad Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", `400, handler unreached`},
		{"HTTP/2.0", "GET / HTTP/2.0\r\nHost: test\r\n\r\n", `505, handler unreached`},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", `505, handler unreached`},
		{"no version", "GET /\r\n\r\n", `400, handler unreached`},
		{"garbage", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", `400, handler unreached`},
		{"unknown transfer coding", "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: gzip\r\n\r\n", `501, handler unreached`},
		{"length and chunked", "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", `400, handler unreached`},
		{"bad length", "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: +3\r\n\r\nabc", `400, handler unreached`},
		{"differing lengths", "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", `400, handler unreached`},
		{"space before the colon", "GET / HTTP/1.1\r\nHost: test\r\nA : b\r\n\r\n", `400, handler unreached`},
		{"folded field", "GET / HTTP/1.1\r\nHost: test\r\nA: b\r\n c\r\n\r\n", `400, handler unreached`},
		{"bare LF", "GET / HTTP/1.1\nHost: test\n\n", `400, handler unreached`},
		{"unknown expectation", request("POST", "/", "x", "Expect: 200-ok"), `417, handler unreached`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				reached := make(chan struct{}, 2)
				s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path != alive {
						reached <- struct{}{}
					}
					w.WriteHeader(http.StatusNoContent)
				})
				c := s.Dial()
				c.Send(tt.raw)
				res, err := c.Next(methodOf(tt.raw))
				got := describe(res, err, c)
				if res != nil && res.Status >= 400 {
					// The wording of an error is the server's own, the rest is not.
					if !strings.HasSuffix(got, "close") {
						t.Errorf("connection left open after %s", got)
					}
					got = fmt.Sprint(res.Status)
				}
				if len(reached) > 0 {
					got += ", handler reached"
				} else {
					got += ", handler unreached"
				}
				if want := expected(m, tt.name, tt.want); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		})
	}
}

// Empty lines before a request line are skipped (RFC 9112 section 2.2).
func TestEmptyLinesBeforeRequest(t *testing.T) {
	run(t, []dialogue{
		{"one empty line first", sayHello, "\r\n" + get("/"), `200 content-length "hello", open`, nil},
		{"empty line after a body", echo, request("POST", "/", "hello") + "\r\n", `200 content-length "hello", open`, nil},
	})
}

func TestRequestAddresses(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
			fmt.Fprintf(w, "%s %s", r.RemoteAddr, local)
		})
		c := s.Dial()
		want := c.LocalAddr().String() + " " + s.Addr.String()
		if got := c.Open("/").Text(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}, testserver.TCP()...)
}

func TestContextHoldsServer(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			_, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
			fmt.Fprint(w, ok)
		})
		if got := s.Get("/").Text(); got != "true" {
			t.Errorf("http.ServerContextKey holds an *http.Server: %s", got)
		}
	})
}

// A handler may keep its request after it returned: nothing of it is used
// again for the requests that follow on the connection.
func TestRequestIsKept(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		kept := make(chan *http.Request, 10)
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			kept <- r
		})
		c := s.Dial()
		for i := range cap(kept) {
			c.Roundtrip(request("POST", fmt.Sprintf("/%d?q=%d", i, i), strings.Repeat("b", i), fmt.Sprintf("X-Number: %d", i)))
		}
		for i := range cap(kept) {
			r := testserver.Receive(t, "a request", kept)
			want := fmt.Sprintf("/%d?q=%d %d %d", i, i, i, i)
			if got := fmt.Sprintf("%s %s %d", r.URL, r.Header.Get("X-Number"), r.ContentLength); got != want {
				t.Errorf("request %d became %q, want %q", i, got, want)
			}
			if _, err := r.Body.Read(make([]byte, 1)); err == nil {
				t.Errorf("body of request %d can still be read", i)
			}
		}
	})
}

// A handler may change the header of its request.
func TestRequestHeaderIsTheHandlers(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s", r.Header["A"], r.Header["B"])
			r.Header["A"] = append(r.Header["A"], "appended")
			r.Header.Set("B", "changed")
			r.Header.Set("Connection", "close")
		})
		c := s.Dial()
		for range 3 {
			if got := c.Roundtrip(get("/", "A: 1", "B: 2")).Text(); got != "[1] [2]" {
				t.Fatalf("header %s", got)
			}
		}
	})
}

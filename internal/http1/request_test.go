package http1_test

import (
	"io"
	"reflect"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

func TestParseRequest(t *testing.T) {
	type header = map[string][]string
	tests := []struct {
		name string
		raw  string
		want http1.RequestHead
	}{
		{
			"origin-form",
			"GET /a%20b?q=%zz&r=|{} HTTP/1.1\r\nHost: example.org:8000\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/a%20b?q=%zz&r=|{}", Minor: 1, Host: "example.org:8000", Header: header{}},
		},
		{
			"absolute-form goes before Host",
			"GET HTTP://Example.org:80?q HTTP/1.1\r\nHost: other\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "HTTP://Example.org:80?q", Form: http1.AbsoluteForm, Minor: 1, Host: "Example.org:80", Header: header{}},
		},
		{
			"authority-form",
			"CONNECT [::1]:443 HTTP/1.1\r\nHost: other\r\n\r\n",
			http1.RequestHead{Method: "CONNECT", Target: "[::1]:443", Form: http1.AuthorityForm, Minor: 1, Host: "[::1]:443", Header: header{}},
		},
		{
			"asterisk-form",
			"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
			http1.RequestHead{Method: "OPTIONS", Target: "*", Form: http1.AsteriskForm, Minor: 1, Header: header{}},
		},
		{
			"path that looks like an authority",
			"GET //example.org/x HTTP/1.1\r\nHost: a\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "//example.org/x", Minor: 1, Host: "a", Header: header{}},
		},
		{
			"raw UTF-8 in the target, as curl sends it",
			"GET /\xc3\xbc HTTP/1.1\r\nHost: a\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/\xc3\xbc", Minor: 1, Host: "a", Header: header{}},
		},
		{
			"unknown method",
			"B-RE_W /pot HTTP/1.1\r\nHost: a\r\n\r\n",
			http1.RequestHead{Method: "B-RE_W", Target: "/pot", Minor: 1, Host: "a", Header: header{}},
		},
		{
			"empty lines first",
			"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Minor: 1, Host: "a", Header: header{}},
		},
		{
			"higher minor version",
			"GET / HTTP/1.7\r\nHost: a\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Minor: 1, Host: "a", Header: header{}},
		},
		{
			"HTTP/1.0 without Host",
			"GET / HTTP/1.0\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Close: true, Header: header{}},
		},
		{
			"HTTP/1.0 with keep-alive",
			"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", KeepAlive: true, Header: header{"Connection": {"Keep-Alive"}}},
		},
		{
			"HTTP/1.0 with keep-alive and close",
			"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Close: true, Header: header{"Connection": {"keep-alive, close"}}},
		},
		{
			"HTTP/1.1 with close among other options",
			"GET / HTTP/1.1\r\nHost: a\r\nConnection: te,, CLOSE\r\nTE: trailers\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Minor: 1, Host: "a", Close: true, Header: header{"Connection": {"te,, CLOSE"}, "Te": {"trailers"}}},
		},
		{
			"names made canonical, values stripped and kept in order",
			"GET / HTTP/1.1\r\nhost: a\r\nx-ONE:\t 1 \t\r\nX-Two:2\r\nX-One: \r\nx_y: \xe9\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Minor: 1, Host: "a", Header: header{"X-One": {"1", ""}, "X-Two": {"2"}, "X_y": {"\xe9"}}},
		},
		{
			"Content-Length",
			"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 007\r\n\r\n",
			http1.RequestHead{Method: "PUT", Target: "/", Minor: 1, Host: "a", ContentLength: 7, Header: header{"Content-Length": {"007"}}},
		},
		{
			"largest Content-Length",
			"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n",
			http1.RequestHead{Method: "PUT", Target: "/", Minor: 1, Host: "a", ContentLength: 1<<63 - 1, Header: header{"Content-Length": {"9223372036854775807"}}},
		},
		{
			"chunked with announced trailers",
			"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nTrailer: x-sum, Host, x-sum\r\nTrailer: b c, Y\r\n\r\n",
			http1.RequestHead{Method: "PUT", Target: "/", Minor: 1, Host: "a", ContentLength: -1, Chunked: true, Trailer: []string{"X-Sum", "Y"}, Header: header{}},
		},
		{
			"Trailer without chunked stays a field",
			"PUT / HTTP/1.1\r\nHost: a\r\nTrailer: X\r\n\r\n",
			http1.RequestHead{Method: "PUT", Target: "/", Minor: 1, Host: "a", Header: header{"Trailer": {"X"}}},
		},
		{
			"expectation",
			"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
			http1.RequestHead{Method: "PUT", Target: "/", Minor: 1, Host: "a", ContentLength: 1, ExpectContinue: true, Header: header{"Expect": {"100-Continue"}, "Content-Length": {"1"}}},
		},
		{
			"expectation without a body",
			"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
			http1.RequestHead{Method: "PUT", Target: "/", Minor: 1, Host: "a", Header: header{"Expect": {"100-continue"}}},
		},
		{
			"expectation in HTTP/1.0",
			"PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
			http1.RequestHead{Method: "PUT", Target: "/", ContentLength: 1, Close: true, Header: header{"Expect": {"100-continue"}, "Content-Length": {"1"}}},
		},
		{
			"upgrade",
			"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Minor: 1, Host: "a", Upgrade: true, Header: header{"Connection": {"keep-alive, Upgrade"}, "Upgrade": {"websocket"}}},
		},
		{
			"Upgrade that Connection does not name",
			"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Minor: 1, Host: "a", Header: header{"Upgrade": {"websocket"}}},
		},
		{
			"upgrade in HTTP/1.0",
			"GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
			http1.RequestHead{Method: "GET", Target: "/", Close: true, Header: header{"Connection": {"upgrade"}, "Upgrade": {"websocket"}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := read([]byte(tt.raw), 1, nil)
			if m.err != nil && m.err != io.ErrUnexpectedEOF {
				t.Fatal(m.err)
			}
			if !reflect.DeepEqual(m.head, tt.want) {
				t.Errorf("got  %+v\nwant %+v", m.head, tt.want)
			}
		})
	}
}

func TestHosts(t *testing.T) {
	for _, host := range []string{
		"", "a", "a.b", "a_b", "a:", "a:0", "a:65535", ":80", "127.0.0.1", "[::1]", "[::ffff:1.2.3.4]:80",
		"xn--bcher-kva.example", "a!$&'()*+;=~,b",
	} {
		m := read([]byte("GET / HTTP/1.1\r\nHost: "+host+"\r\n\r\n"), 100, nil)
		if m.err != nil || m.head.Host != host {
			t.Errorf("Host %q: got %q, %v", host, m.head.Host, m.err)
		}
	}
}

// TestNothingAliases overwrites the buffer, as a connection does with the next
// request.
func TestNothingAliases(t *testing.T) {
	buf := []byte(browserHead)
	var h, want http1.RequestHead
	if err := http1.ParseRequest(buf, &h); err != nil {
		t.Fatal(err)
	}
	clear(buf)
	if err := http1.ParseRequest([]byte(browserHead), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("got  %+v\nwant %+v", h, want)
	}
}

// TestValuesDoNotShareRoom appends to one field, which must not reach into the
// next one's value.
func TestValuesDoNotShareRoom(t *testing.T) {
	m := read([]byte("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n"), 1000, nil)
	if m.err != nil {
		t.Fatal(m.err)
	}
	for _, name := range []string{"A", "B"} {
		m.head.Header[name] = append(m.head.Header[name], "x")
	}
	want := map[string][]string{"A": {"1", "x"}, "B": {"2", "x"}, "C": {"3"}}
	if !reflect.DeepEqual(m.head.Header, want) {
		t.Errorf("got %q, want %q", m.head.Header, want)
	}
}

func TestTargetFormString(t *testing.T) {
	for form, want := range map[http1.TargetForm]string{
		http1.OriginForm: "origin-form", http1.AbsoluteForm: "absolute-form",
		http1.AuthorityForm: "authority-form", http1.AsteriskForm: "asterisk-form", 9: "TargetForm(9)",
	} {
		if got := form.String(); got != want {
			t.Errorf("%d: %q, want %q", form, got, want)
		}
	}
}

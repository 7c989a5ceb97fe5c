package http1_test

import (
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

func TestFrameResponse(t *testing.T) {
	type header = map[string][]string
	tests := []struct {
		name string
		in   http1.Response
		want http1.Framing
	}{
		// Whole bodies and streams.
		{
			"whole body",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Length: 5},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: 5},
		},
		{
			"empty body",
			http1.Response{Method: "GET", Minor: 1, Status: 200},
			http1.Framing{BodyAllowed: true, BodySent: true},
		},
		{
			"stream",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Length: -1},
			http1.Framing{BodyAllowed: true, BodySent: true, Chunked: true, ContentLength: -1},
		},
		{
			"stream of announced length",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Length: -1, Header: header{"Content-Length": {"9"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: 9},
		},
		{
			"trailers need chunks, even for a whole body",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Length: 5, Header: header{"Trailer": {"X"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, Chunked: true, ContentLength: -1, Trailer: true},
		},
		{
			"a length goes before trailers",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Length: 5, Header: header{"Trailer": {"X"}, "Content-Length": {"5"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: 5},
		},

		// What handlers set.
		{
			"length that is no number",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Length: 5, Header: header{"Content-Length": {"5x"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: 5, BadLength: true},
		},
		{
			"negative length",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Length: -1, Header: header{"Content-Length": {"-1"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, Chunked: true, ContentLength: -1, BadLength: true},
		},
		{
			"two lengths",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Length: 5, Header: header{"Content-Length": {"5", "6"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: 5, BadLength: true},
		},
		{
			"chunked set by the handler",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Length: -1, Header: header{"Transfer-Encoding": {"chunked"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, Chunked: true, ContentLength: -1},
		},
		{
			"chunked beside a length",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Length: -1, Header: header{"Transfer-Encoding": {"chunked"}, "Content-Length": {"5"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: 5},
		},
		{
			"identity",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Length: -1, Header: header{"Transfer-Encoding": {"identity"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: -1, Close: true, Connection: "close"},
		},
		{
			"close",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Header: header{"Connection": {"Close"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, Close: true, Connection: "close"},
		},
		{
			"keep-alive, which HTTP/1.1 need not say",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Header: header{"Connection": {"keep-alive"}}},
			http1.Framing{BodyAllowed: true, BodySent: true},
		},
		{
			"keep-alive that cannot be",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Close: true, Header: header{"Connection": {"keep-alive"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, Close: true, Connection: "close"},
		},
		{
			"other options",
			http1.Response{Method: "GET", Minor: 1, Status: 426, Close: true, Header: header{"Connection": {"Upgrade, x y", "Foo"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, Close: true, Connection: "close, Upgrade, Foo"},
		},
		{
			"one other option",
			http1.Response{Method: "GET", Minor: 1, Status: 426, Header: header{"Connection": {"Upgrade"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, Connection: "Upgrade"},
		},

		// Persistence.
		{
			"request asked to close",
			http1.Response{Method: "GET", Minor: 1, Status: 200, Length: 5, Close: true},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: 5, Close: true, Connection: "close"},
		},
		{
			"HTTP/1.0",
			http1.Response{Method: "GET", Status: 200, Length: 5},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: 5, Close: true, Connection: "close"},
		},
		{
			"HTTP/1.0 with keep-alive",
			http1.Response{Method: "GET", Status: 200, Length: 5, KeepAlive: true},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: 5, Connection: "keep-alive"},
		},
		{
			"HTTP/1.0 with keep-alive, handler's options",
			http1.Response{Method: "GET", Status: 200, Length: 5, KeepAlive: true, Header: header{"Connection": {"foo"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: 5, Connection: "keep-alive, foo"},
		},
		{
			"HTTP/1.0 has no chunks",
			http1.Response{Method: "GET", Status: 200, Length: -1, KeepAlive: true, Header: header{"Transfer-Encoding": {"chunked"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: -1, Close: true, Connection: "close"},
		},
		{
			"HTTP/1.0 has no trailers",
			http1.Response{Method: "GET", Status: 200, Length: 5, KeepAlive: true, Header: header{"Trailer": {"X"}}},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: 5, Connection: "keep-alive"},
		},

		// Responses without content.
		{
			"HEAD, handler wrote",
			http1.Response{Method: "HEAD", Minor: 1, Status: 200, Length: 5},
			http1.Framing{BodyAllowed: true, ContentLength: 5},
		},
		{
			"HEAD, handler wrote nothing",
			http1.Response{Method: "HEAD", Minor: 1, Status: 200},
			http1.Framing{BodyAllowed: true, ContentLength: -1},
		},
		{
			"HEAD, handler set a length",
			http1.Response{Method: "HEAD", Minor: 1, Status: 200, Header: header{"Content-Length": {"5"}}},
			http1.Framing{BodyAllowed: true, ContentLength: 5},
		},
		{
			"HEAD, flushed",
			http1.Response{Method: "HEAD", Minor: 1, Status: 200, Length: -1},
			http1.Framing{BodyAllowed: true, ContentLength: -1},
		},
		{
			"HEAD in HTTP/1.0 with keep-alive",
			http1.Response{Method: "HEAD", Status: 200, Length: -1, KeepAlive: true},
			http1.Framing{BodyAllowed: true, ContentLength: -1, Connection: "keep-alive"},
		},
		{
			"204 with a length",
			http1.Response{Method: "GET", Minor: 1, Status: 204, Header: header{"Content-Length": {"0"}}},
			http1.Framing{ContentLength: -1},
		},
		{
			"304 with a length",
			http1.Response{Method: "GET", Minor: 1, Status: 304, Header: header{"Content-Length": {"5"}}},
			http1.Framing{ContentLength: -1},
		},
		{
			"204 with chunked",
			http1.Response{Method: "GET", Minor: 1, Status: 204, Length: -1, Header: header{"Transfer-Encoding": {"chunked"}}},
			http1.Framing{ContentLength: -1},
		},
		{
			"101",
			http1.Response{Method: "GET", Minor: 1, Status: 101, Length: -1, Header: header{"Connection": {"upgrade"}}},
			http1.Framing{ContentLength: -1, Connection: "upgrade"},
		},
		{
			"CONNECT accepted",
			http1.Response{Method: "CONNECT", Minor: 1, Status: 200, Header: header{"Content-Length": {"5"}}},
			http1.Framing{ContentLength: -1, Close: true, Connection: "close"},
		},
		{
			"CONNECT refused",
			http1.Response{Method: "CONNECT", Minor: 1, Status: 405, Length: 5},
			http1.Framing{BodyAllowed: true, BodySent: true, ContentLength: 5},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := http1.FrameResponse(&tt.in); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestFramingAppend(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    http1.Framing
		want string
	}{
		{"length", http1.Framing{ContentLength: 0}, "Content-Length: 0\r\n"},
		{"chunked", http1.Framing{Chunked: true, ContentLength: -1, Connection: "close"}, "Connection: close\r\nTransfer-Encoding: chunked\r\n"},
		{"neither", http1.Framing{ContentLength: -1}, ""},
	} {
		if got := string(tt.f.Append(nil)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

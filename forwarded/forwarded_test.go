package forwarded_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/forwarded"
)

// seen is what a handler sees of a request's origin.
type seen struct {
	remote string
	fields string // names and values that are left, sorted
	id     string // the response's identifier
}

// serve sends r through the middleware of a list.
func serve(t *testing.T, trust []string, r *http.Request) seen {
	t.Helper()
	list, err := forwarded.ParseTrust(trust)
	if err != nil {
		t.Fatal(err)
	}
	var got seen
	h := list.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got.remote = r.RemoteAddr
		got.id = w.Header().Get("X-Request-Id")
		var fields []string
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			fields = append(fields, fmt.Sprintf("%s: %s", name, strings.Join(r.Header[name], " | ")))
		}
		got.fields = strings.Join(fields, "\n")
	}))
	h.ServeHTTP(httptest.NewRecorder(), r)
	return got
}

func TestMiddleware(t *testing.T) {
	const peer = "192.0.2.1:4711"
	tests := []struct {
		name   string
		trust  string
		remote string
		fields []string // name, value, name, value …
		want   seen
	}{
		{"nothing told", "192.0.2.1", peer, []string{"Accept", "*/*"}, seen{peer, "Accept: */*", ""}},
		{"stranger", "", peer, []string{
			"X-Forwarded-For", "10.0.0.1", "X-Forwarded-Proto", "https", "X-Forwarded-Anything", "x", "Forwarded", "for=10.0.0.1",
			"X-Real-IP", "10.0.0.1", "X-Request-ID", "abc", "Accept", "*/*",
		}, seen{peer, "Accept: */*", ""}},
		{"other prefix", "10.0.0.0/8", peer, []string{"X-Forwarded-For", "10.0.0.1"}, seen{peer, "", ""}},
		{"trusted address", "192.0.2.1", peer, []string{"X-Forwarded-For", "203.0.113.9"}, seen{"203.0.113.9:0", "X-Forwarded-For: 203.0.113.9", ""}},
		{"trusted prefix", "192.0.2.0/24", peer, []string{"X-Forwarded-For", "203.0.113.9"}, seen{"203.0.113.9:0", "X-Forwarded-For: 203.0.113.9", ""}},
		{"mapped peer", "192.0.2.0/24", "[::ffff:192.0.2.1]:1", []string{"X-Forwarded-For", "203.0.113.9"}, seen{"203.0.113.9:0", "X-Forwarded-For: 203.0.113.9", ""}},
		{"visitor wrote the left part", "192.0.2.1", peer, []string{"X-Forwarded-For", "6.6.6.6, 203.0.113.9"}, seen{"203.0.113.9:0", "X-Forwarded-For: 6.6.6.6, 203.0.113.9", ""}},
		{"chain of trusted hops", "192.0.2.1 10.0.0.0/8", peer, []string{"X-Forwarded-For", "6.6.6.6, 203.0.113.9 ,10.1.1.1,\t10.2.2.2"}, seen{"203.0.113.9:0", "X-Forwarded-For: 6.6.6.6, 203.0.113.9 ,10.1.1.1,\t10.2.2.2", ""}},
		{"chain over two lines", "192.0.2.1 10.0.0.0/8", peer, []string{"X-Forwarded-For", "203.0.113.9", "X-Forwarded-For", "10.1.1.1"}, seen{"203.0.113.9:0", "X-Forwarded-For: 203.0.113.9 | 10.1.1.1", ""}},
		{"all hops trusted", "192.0.2.1 10.0.0.0/8", peer, []string{"X-Forwarded-For", "10.3.3.3, 10.1.1.1"}, seen{"10.3.3.3:0", "X-Forwarded-For: 10.3.3.3, 10.1.1.1", ""}},
		{"not an address", "192.0.2.1", peer, []string{"X-Forwarded-For", "203.0.113.9, unknown"}, seen{peer, "X-Forwarded-For: 203.0.113.9, unknown", ""}},
		{"not an address behind a hop", "192.0.2.1 10.0.0.0/8", peer, []string{"X-Forwarded-For", "6.6.6.6, , 10.1.1.1"}, seen{"10.1.1.1:0", "X-Forwarded-For: 6.6.6.6, , 10.1.1.1", ""}},
		{"ports and brackets", "192.0.2.1 2001:db8::/32", peer, []string{"X-Forwarded-For", "203.0.113.9:80, [2001:db8::1]:443, [2001:db8::2]"}, seen{"203.0.113.9:0", "X-Forwarded-For: 203.0.113.9:80, [2001:db8::1]:443, [2001:db8::2]", ""}},
		{"IPv6 client", "192.0.2.1", peer, []string{"X-Forwarded-For", "2001:db8::7"}, seen{"[2001:db8::7]:0", "X-Forwarded-For: 2001:db8::7", ""}},
		{"scheme", "192.0.2.1", peer, []string{"X-Forwarded-Proto", "HTTPS"}, seen{peer, "X-Forwarded-Proto: https", ""}},
		{"scheme of the nearest", "192.0.2.1", peer, []string{"X-Forwarded-Proto", "https", "X-Forwarded-Proto", "https, http"}, seen{peer, "X-Forwarded-Proto: http", ""}},
		{"no scheme", "192.0.2.1", peer, []string{"X-Forwarded-Proto", "javascript"}, seen{peer, "", ""}},
		{"RFC 7239 never", "192.0.2.1", peer, []string{"Forwarded", "for=10.0.0.1;proto=https"}, seen{peer, "", ""}},
		{"identifier", "192.0.2.1", peer, []string{"X-Request-ID", "8f3a-1:b"}, seen{peer, "X-Request-Id: 8f3a-1:b", "8f3a-1:b"}},
		{"identifier with a space", "192.0.2.1", peer, []string{"X-Request-ID", "a b"}, seen{peer, "", ""}},
		{"identifier of 128 bytes", "192.0.2.1", peer, []string{"X-Request-ID", strings.Repeat("a", 128)}, seen{peer, "X-Request-Id: " + strings.Repeat("a", 128), strings.Repeat("a", 128)}},
		{"identifier of 129 bytes", "192.0.2.1", peer, []string{"X-Request-ID", strings.Repeat("a", 129)}, seen{peer, "", ""}},
		{"two identifiers", "192.0.2.1", peer, []string{"X-Request-ID", "a", "X-Request-ID", "b"}, seen{peer, "", ""}},
		{"peer without an address", "192.0.2.1 unix", "@", []string{"X-Forwarded-For", "203.0.113.9"}, seen{"@", "", ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = tt.remote
			for pair := range slices.Chunk(tt.fields, 2) {
				r.Header.Add(pair[0], pair[1])
			}
			if got := serve(t, strings.Fields(tt.trust), r); got != tt.want {
				t.Errorf("handler saw %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestUnixPeer(t *testing.T) {
	for _, tt := range []struct {
		name, trust, want string
	}{
		{"trusted", "unix", "203.0.113.9:0"},
		{"not trusted", "127.0.0.1", "@"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			local := &net.UnixAddr{Name: "/run/site.sock", Net: "unix"}
			ctx := context.WithValue(t.Context(), http.LocalAddrContextKey, local)
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
			r.RemoteAddr = "@"
			r.Header.Set("X-Forwarded-For", "203.0.113.9")
			if got := serve(t, []string{tt.trust}, r); got.remote != tt.want {
				t.Errorf("RemoteAddr = %q, want %q", got.remote, tt.want)
			}
		})
	}
}

func TestParseTrust(t *testing.T) {
	for _, bad := range []string{"", "example.com", "10.0.0.0/33", "fe80::1%eth0", "10.0.0"} {
		if _, err := forwarded.ParseTrust([]string{"unix", bad}); err == nil {
			t.Errorf("ParseTrust(%q) = nil, want an error", bad)
		}
	}
}

// FuzzClient: whatever a proxy passes on, the address is one or the peer's own.
func FuzzClient(f *testing.F) {
	f.Add("203.0.113.9, 10.0.0.1")
	f.Add(",,[::1]:5,")
	f.Fuzz(func(t *testing.T, chain string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "192.0.2.1:1"
		r.Header["X-Forwarded-For"] = []string{chain}
		got := serve(t, []string{"192.0.2.1", "10.0.0.0/8"}, r)
		if _, _, err := net.SplitHostPort(got.remote); err != nil {
			t.Errorf("RemoteAddr = %q: %v", got.remote, err)
		}
	})
}

func BenchmarkMiddleware(b *testing.B) {
	browser := http.Header{
		"Accept": {"text/html"}, "Accept-Encoding": {"gzip"}, "Accept-Language": {"en"}, "Connection": {"keep-alive"}, "Cookie": {"a=b"},
		"User-Agent": {"Firefox"}, "Referer": {"http://example.com/"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"none"}, "Upgrade-Insecure-Requests": {"1"},
	}
	proxied := browser.Clone()
	proxied.Set("X-Forwarded-For", "203.0.113.9")
	proxied.Set("X-Forwarded-Proto", "https")
	for _, bb := range []struct {
		name   string
		header http.Header
	}{{"direct", browser}, {"behind a proxy", proxied}} {
		b.Run(bb.name, func(b *testing.B) {
			list, err := forwarded.ParseTrust([]string{"192.0.2.0/24"})
			if err != nil {
				b.Fatal(err)
			}
			h := list.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header = bb.header
			b.ReportAllocs()
			for b.Loop() {
				r.RemoteAddr = "192.0.2.1:1"
				h.ServeHTTP(w, r)
			}
		})
	}
}

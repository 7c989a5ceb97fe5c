package metavar_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/metavar"
)

func TestAppendName(t *testing.T) {
	tests := []struct{ field, want string }{
		{"User-Agent", "HTTP_USER_AGENT"},
		{"X-A1", "HTTP_X_A1"},
		{"authorization", "HTTP_AUTHORIZATION"},
		{"X_a", ""},
		{"X.A", ""},
		{"X-Ä", ""},
		{"Proxy", ""},
		{"Content-Type", ""},
		{"Content-Length", ""},
		{"Transfer-Encoding", ""},
	}
	for _, tt := range tests {
		got, ok := metavar.AppendName([]byte("before "), tt.field)
		if string(got) != "before "+tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %t", tt.field, got, ok)
		}
	}
}

func TestSplitHostPort(t *testing.T) {
	tests := []struct {
		in, host, port string
		ok             bool
	}{
		{"127.0.0.1:80", "127.0.0.1", "80", true},
		{"[::1]:8000", "::1", "8000", true},
		{"example.org", "example.org", "", false},
		{"[::1]", "[::1]", "", false},
		{"example.org:", "example.org:", "", false},
		{"", "", "", false},
		{"@", "@", "", false},
	}
	for _, tt := range tests {
		if host, port, ok := metavar.SplitHostPort(tt.in); host != tt.host || port != tt.port || ok != tt.ok {
			t.Errorf("%q: %q, %q, %t", tt.in, host, port, ok)
		}
	}
}

func TestServer(t *testing.T) {
	local := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 8000}
	tests := []struct {
		name, host, scheme, wantHost, wantPort string
	}{
		{"host and port", "example.org:81", "http", "example.org", "81"},
		{"host", "example.org", "http", "example.org", "80"},
		{"host, encrypted", "example.org", "https", "example.org", "443"},
		{"none", "", "http", "192.0.2.1", "8000"},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r = r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, net.Addr(local)))
		r.Host = tt.host
		if host, port := metavar.Server(r, tt.scheme); host != tt.wantHost || port != tt.wantPort {
			t.Errorf("%s: %q, %q", tt.name, host, port)
		}
	}
}

func TestSchemeAndSeparator(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if got := metavar.Scheme(r); got != "http" {
		t.Errorf("plain: %s", got)
	}
	r.TLS = &tls.ConnectionState{}
	if got := metavar.Scheme(r); got != "https" {
		t.Errorf("encrypted: %s", got)
	}
	if metavar.Separator("Cookie") != "; " || metavar.Separator("Accept") != ", " {
		t.Error("separators of cookies and other fields")
	}
}

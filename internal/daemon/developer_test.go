package daemon_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

// A developer is somebody at this machine who asks this machine, without anybody
// in between. All of it is judged by what came in, before the fields of proxies
// are taken away and believed: the pool sees the result through the whole chain.
func TestDeveloper(t *testing.T) {
	const here, there = "127.0.0.1:54321", "192.0.2.7:54321"
	for _, tt := range []struct {
		name, remote, host string
		field, value       string
		want               bool
	}{
		{"loopback", here, "127.0.0.1:8000", "", "", true},
		{"loopback without a port", here, "127.0.0.1", "", "", true},
		{"another loopback address", "127.0.0.9:1", "127.3.2.1:8000", "", "", true},
		{"localhost", here, "localhost:8000", "", "", true},
		{"localhost, written loudly", here, "LocalHost.:8000", "", "", true},
		{"below localhost", here, "shop.localhost:8000", "", "", true},
		{"IPv6", "[::1]:54321", "[::1]:8000", "", "", true},
		{"IPv6 without a port", "[::1]:54321", "[::1]", "", "", true},
		{"IPv4 in IPv6", "[::ffff:127.0.0.1]:54321", "localhost", "", "", true},
		{"a field of no proxy", here, "localhost", "X-Requested-With", "XMLHttpRequest", true},

		{"peer elsewhere", there, "localhost:8000", "", "", false},
		{"peer on a Unix socket", "@", "localhost", "", "", false},
		{"peer without an address", "", "localhost", "", "", false},
		{"host elsewhere", here, "rebound.example:8000", "", "", false},
		{"host that looks like localhost", here, "localhost.example", "", "", false},
		{"host that ends like localhost", here, "notlocalhost", "", "", false},
		{"host of the network", here, "192.0.2.1:8000", "", "", false},
		{"host of all networks", here, "0.0.0.0:8000", "", "", false},
		{"no host", here, "", "", "", false},

		{"X-Forwarded-For", here, "localhost", "X-Forwarded-For", "192.0.2.7", false},
		{"X-Forwarded-For of a developer's", here, "localhost", "X-Forwarded-For", "127.0.0.1", false},
		{"X-Forwarded-Proto", here, "localhost", "X-Forwarded-Proto", "https", false},
		{"X-Forwarded-Host", here, "localhost", "X-Forwarded-Host", "localhost", false},
		{"X-Forwarded-For, empty", here, "localhost", "X-Forwarded-For", "", false},
		{"Forwarded", here, "localhost", "Forwarded", "for=127.0.0.1", false},
		{"Via", here, "localhost", "Via", "1.1 tunnel", false},
		{"X-Real-IP", here, "localhost", "X-Real-IP", "192.0.2.7", false},
		{"CF-Connecting-IP", here, "localhost", "CF-Connecting-IP", "192.0.2.7", false},
		{"X-Original-Host", here, "localhost", "X-Original-Host", "shop.example", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, trusted := range [][]string{nil, {"127.0.0.0/8", "192.0.2.0/24", "unix"}} {
				cfg := config.Default()
				cfg.App.Reload, cfg.TrustedProxies = true, trusted
				if got := asDeveloper(t, &cfg, tt.remote, tt.host, tt.field, tt.value); got != tt.want {
					t.Errorf("with trusted proxies %v: a developer: %v, want %v", trusted, got, tt.want)
				}
			}
			cfg := config.Default()
			if asDeveloper(t, &cfg, tt.remote, tt.host, tt.field, tt.value) {
				t.Error("a developer without --reload")
			}
		})
	}
}

func asDeveloper(t *testing.T, cfg *config.Config, remote, host, field, value string) (is bool) {
	t.Helper()
	pool := &fakePool{serve: func(_ http.ResponseWriter, r *http.Request) { is = daemon.IsDeveloper(r) }}
	chain, err := daemon.AppChain(cfg, pool)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr, r.Host = remote, host
	if field != "" {
		r.Header.Set(field, value)
	}
	chain.ServeHTTP(httptest.NewRecorder(), r)
	return is
}

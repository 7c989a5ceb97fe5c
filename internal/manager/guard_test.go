package manager_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/manager"
)

// TestHosts: whoever has a name of his own lead here gets nothing, cookie or not.
func TestHosts(t *testing.T) {
	d := open(t, nil).enter()
	tests := []struct {
		host string
		own  bool
	}{
		{"manager.localhost:8001", true},
		{"manager.localhost", true},
		{"MANAGER.LocalHost:8001", true},
		{"manager.localhost:9000", true}, // this end of a tunnel
		{"localhost:8001", true},
		{"127.0.0.1:8001", true},
		{"127.0.0.1", true},
		{"[::1]:8001", true},
		{"[::1]", true},
		{"", false},
		{"attacker.example", false},
		{"attacker.example:8001", false},
		{"manager.localhost.attacker.example", false},
		{"shop.localhost:8001", false}, // a site of this server's, perhaps
		{"x.manager.localhost", false},
		{"127.0.0.1.attacker.example", false},
		{"192.0.2.1:8001", false},
		{"0.0.0.0:8001", false},
		{"2130706433", false}, // what some resolvers take for 127.0.0.1
		{"[::1%25lo]:8001", false},
		{"[fe80::1%25manager.localhost]", false},
	}
	for _, tt := range tests {
		t.Run(tt.host, func(t *testing.T) {
			for _, path := range []string{"/", "/login", "/events?page=log", "/assets/style.css"} {
				if tt.own && strings.HasPrefix(path, "/events") {
					continue
				}
				r := d.request(http.MethodGet, path, nil)
				r.Host = tt.host
				a := d.send(r)
				if own := a.status != http.StatusMisdirectedRequest; own != tt.own {
					t.Errorf("%s gets status %d", path, a.status)
				}
			}
		})
	}
}

// TestOrigins: only pages of the manager's own change anything.
func TestOrigins(t *testing.T) {
	tests := []struct {
		name   string
		fields []string // names and values
		own    bool
	}{
		{"own page", []string{"Origin", origin, "Sec-Fetch-Site", "same-origin"}, true},
		{"older browser", []string{"Origin", origin}, true},
		{"without Origin", []string{"Sec-Fetch-Site", "same-origin"}, true},
		{"no word of where it is from", nil, false},
		{"typed address", []string{"Sec-Fetch-Site", "none"}, false},
		{"other site", []string{"Origin", "https://attacker.example", "Sec-Fetch-Site", "cross-site"}, false},
		{"other site, older browser", []string{"Origin", "https://attacker.example"}, false},
		{"application of this server", []string{"Origin", "http://localhost:8000", "Sec-Fetch-Site", "same-site"}, false},
		{"other port of this name", []string{"Origin", "http://manager.localhost:8000", "Sec-Fetch-Site", "same-site"}, false},
		{"other port, older browser", []string{"Origin", "http://manager.localhost:8000"}, false},
		{"other scheme", []string{"Origin", "https://" + ownHost}, false},
		{"hidden origin", []string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}, false},
		{"hidden origin, older browser", []string{"Origin", "null"}, false},
		{"origins at odds", []string{"Origin", "https://attacker.example", "Sec-Fetch-Site", "same-origin"}, false},
		{"two origins", []string{"Origin", origin, "Origin", "https://attacker.example"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := open(t, map[string]string{"shop/index.html": "shop"}, withPassword(t)).enter()
			send := func(path, body string) answer {
				r := d.request(http.MethodPost, path, strings.NewReader(body))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Del("Origin")
				r.Header.Del("Sec-Fetch-Site")
				for i := 0; i < len(tt.fields); i += 2 {
					r.Header.Add(tt.fields[i], tt.fields[i+1])
				}
				return d.send(r)
			}
			want, state := http.StatusForbidden, "running"
			if tt.own {
				want, state = http.StatusSeeOther, "stopped"
			}
			link := d.link()
			send("/apps/shop/stop", "").wants(t, want)
			if got := d.state("shop"); got != state {
				t.Errorf("the shop is %s, want %s", got, state)
			}
			send("/login", form("password", password)).wants(t, want)
			send(link, "").wants(t, want)
			if !tt.own {
				d.get(link).wants(t, http.StatusOK) // it was not used up
			}
			send("/logout", "").wants(t, want)
		})
	}
}

// TestFields: every answer tells the browser to run, show and frame nothing that
// is not the page's own.
func TestFields(t *testing.T) {
	d := open(t, map[string]string{"shop/index.html": "shop"})
	outside := []answer{d.get("/"), d.get("/login"), d.get("/none"), d.get("/link/x"), d.get("/assets/style.css"), d.get("/assets/none")}
	d.enter()
	for _, a := range append(outside, d.get("/"), d.get("/log"), d.get("/apps/shop"), d.get("/apps/none"), d.get("/none"), d.post("/apps/shop/none")) {
		h := a.header
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%q is missing in the policy %q", want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("the policy is %q", csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("fields are %v", h)
		}
		for _, inline := range []string{"<script>", "<style", " style=", " onclick=", " onload=", "javascript:"} {
			if strings.Contains(a.body, inline) {
				t.Errorf("the page has %q, which its policy does not let in", inline)
			}
		}
	}
	if got := d.get("/").header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("pages may be kept: %q", got)
	}
}

func TestMethods(t *testing.T) {
	d := open(t, map[string]string{"shop/index.html": "shop"}).enter()
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch, "BREW"} {
		a := d.send(d.request(method, "/apps/shop", nil))
		a.wants(t, http.StatusMethodNotAllowed)
		if a.header.Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("Allow is %q", a.header.Get("Allow"))
		}
	}
	// What changes something is not done by following a link.
	for _, path := range []string{"/apps/shop/stop", "/apps/shop/undeploy", "/logout", "/deploy"} {
		if a := d.get(path); a.status != http.StatusNotFound && a.status != http.StatusMethodNotAllowed {
			t.Errorf("GET %s gets %d", path, a.status)
		}
	}
	if got := d.state("shop"); got != "running" {
		t.Errorf("the shop is %s", got)
	}
	d.get("/log").wants(t, http.StatusOK)
}

// TestAddr: the page is on no address that others can reach.
func TestAddr(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:8001": true, "[::1]:8001": true, "[::ffff:127.0.0.1]:1": true, "127.0.0.5:1": true,
		"0.0.0.0:8001": false, "[::]:8001": false, "192.0.2.1:8001": false,
	} {
		m, err := manager.New(manager.Config{Apps: noApps{}, Addr: netip.MustParseAddrPort(addr)})
		if (err == nil) != ok {
			t.Errorf("%s: %v", addr, err)
		}
		if m != nil {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
			if _, err := m.Link(); err == nil {
				t.Error("a manager that is closed makes links")
			}
		}
	}
	for addr, want := range map[string]string{
		"127.0.0.1:8001": "http://manager.localhost:8001/", "[::1]:80": "http://manager.localhost:80/", "127.0.0.5:8001": "http://127.0.0.5:8001/",
		"[::ffff:127.0.0.1]:1": "http://manager.localhost:1/",
	} {
		if got := manager.URL(netip.MustParseAddrPort(addr)); got != want {
			t.Errorf("the page at %s is %s, want %s", addr, got, want)
		}
	}
}

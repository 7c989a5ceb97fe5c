package manager_test

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/manager"
)

// Nobody without a session sees or changes anything.
func TestOutside(t *testing.T) {
	d := open(t, map[string]string{"shop/index.html": "shop"})
	for _, cookie := range []*http.Cookie{nil, {Name: "gatehouse-manager-8001", Value: "guess"}, {Name: "gatehouse-manager-8001", Value: ""}} {
		d.cookies = nil
		if cookie != nil {
			d.cookies = []*http.Cookie{cookie}
		}
		for _, path := range []string{"/", "/log", "/apps/shop", "/apps/shop/stacks"} {
			a := d.get(path)
			a.wants(t, http.StatusSeeOther)
			if to := a.header.Get("Location"); to != "/login" {
				t.Errorf("%s leads to %q", path, to)
			}
		}
		d.get("/events?page=log").wants(t, http.StatusUnauthorized)
		for _, path := range []string{"/apps/shop/stop", "/apps/shop/undeploy", "/logout"} {
			d.post(path).wants(t, http.StatusUnauthorized, "Nothing was changed")
		}
		d.deploy("other.zip", site(t, "other")).wants(t, http.StatusUnauthorized)
	}
	if d.state("shop") != "running" || d.state("other") != "none" {
		t.Errorf("the shop is %s, the other %s", d.state("shop"), d.state("other"))
	}
}

func TestLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := alone(t)
		link := m.link()
		if strings.Contains(link, "?") {
			t.Errorf("the secret is in the query of %s", link)
		}
		// Looking at it is not using it.
		for range 2 {
			m.get(link).wants(t, http.StatusOK, "This link works once")
		}
		if len(m.cookies) > 0 {
			t.Error("a look at a link logs in")
		}
		a := m.post(link)
		a.wants(t, http.StatusSeeOther)
		m.get("/log").wants(t, http.StatusOK, "somebody has logged in")
		if body := m.get("/log").body; strings.Contains(body, strings.TrimPrefix(link, "/link/")) {
			t.Error("the log holds the link")
		}
		m.cookies = nil
		m.get(link).wants(t, http.StatusForbidden, "has been used")
		m.post(link).wants(t, http.StatusForbidden, "has been used")
		m.post("/link/AAAA").wants(t, http.StatusForbidden)

		late := m.link()
		time.Sleep(manager.LinkTime - time.Second)
		m.get(late).wants(t, http.StatusOK)
		time.Sleep(time.Second)
		m.get(late).wants(t, http.StatusForbidden, "older than ten minutes")
		m.post(late).wants(t, http.StatusForbidden)

		first := m.link()
		for range manager.MaxLinks {
			time.Sleep(time.Second)
			m.link()
		}
		m.get(first).wants(t, http.StatusForbidden)
		m.get(m.link()).wants(t, http.StatusOK)
	})
}

func TestPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := alone(t, withPassword(t))
		d.get("/login").wants(t, http.StatusOK, `type="password"`)
		d.post("/login", "password", "wrong").wants(t, http.StatusForbidden, "not the password")
		d.post("/login").wants(t, http.StatusForbidden)
		d.post("/login", "password", strings.Repeat("x", manager.MaxPassword+1)).wants(t, http.StatusForbidden)
		d.post("/login", "password", strings.Repeat("x", 1<<20)).wants(t, http.StatusBadRequest)
		if len(d.cookies) > 0 {
			t.Fatal("a wrong password logs in")
		}
		// That was one less than may be tried at once; the right one comes too late
		// after one more.
		d.post("/login", "password", "guess").wants(t, http.StatusForbidden)
		a := d.post("/login", "password", password)
		a.wants(t, http.StatusTooManyRequests, "Wait ten seconds")
		if a.header.Get("Retry-After") != "10" {
			t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
		}
		// Whoever has a link is not held up by those who guess.
		d.post(d.link()).wants(t, http.StatusSeeOther)
		d.cookies = nil
		time.Sleep(manager.AttemptTime)
		d.post("/login", "password", password).wants(t, http.StatusSeeOther)
		d.get("/log").wants(t, http.StatusOK, "somebody has logged in")
		d.get("/login").wants(t, http.StatusSeeOther)
	})
}

// TestBruteForce: an hour of guessing tries no more than the bucket gives.
func TestBruteForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := alone(t, withPassword(t))
		tried := 0
		for range 3600 {
			if d.post("/login", "password", "guess").status == http.StatusForbidden {
				tried++
			}
			time.Sleep(time.Second)
		}
		if most := manager.Attempts + int(time.Hour/manager.AttemptTime); tried > most || tried < most-1 {
			t.Errorf("%d passwords were tried in an hour, want %d", tried, most)
		}
	})
}

func TestNoPassword(t *testing.T) {
	d := open(t, nil)
	d.get("/login").wants(t, http.StatusOK, "No password is set")
	d.post("/login", "password", "").wants(t, http.StatusForbidden, "No password is set")
}

func TestCookie(t *testing.T) {
	d := open(t, nil)
	a := d.post(d.link())
	got := a.header.Get("Set-Cookie")
	for _, want := range []string{"gatehouse-manager-8001=", "Path=/", "HttpOnly", "SameSite=Strict"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in the cookie %q", want, got)
		}
	}
	if strings.Contains(got, "Domain") || strings.Contains(got, "Secure") {
		t.Errorf("the cookie is %q", got)
	}
	r := d.request(http.MethodPost, d.link(), nil)
	r.TLS = &tls.ConnectionState{}
	r.Header.Set("Origin", "https://"+ownHost)
	a = d.send(r)
	if got := a.header.Get("Set-Cookie"); !strings.HasPrefix(got, "__Host-gatehouse-manager=") || !strings.Contains(got, "; Secure") {
		t.Errorf("over TLS the cookie is %q", got)
	}
	// Over TLS the name that any neighbour could have set counts for nothing.
	secret := d.cookies[0].Value
	r = d.request(http.MethodGet, "/", nil)
	r.TLS = &tls.ConnectionState{}
	r.Header.Set("Cookie", "gatehouse-manager-8001="+secret)
	d.send(r).wants(t, http.StatusSeeOther)
}

func TestSessionEnds(t *testing.T) {
	tests := []struct {
		name string
		wait func(d *desk)
		in   bool
	}{
		{"idle", func(*desk) { time.Sleep(manager.SessionIdle) }, false},
		{"nearly idle", func(*desk) { time.Sleep(manager.SessionIdle - time.Second) }, true},
		{"in use for long", func(d *desk) {
			for range int(manager.SessionTime/manager.SessionIdle)*2 - 1 {
				time.Sleep(manager.SessionIdle / 2)
				d.get("/log").wants(t, http.StatusOK)
			}
			time.Sleep(manager.SessionIdle / 2)
		}, false},
		{"log-out", func(d *desk) {
			kept := d.cookies
			d.post("/logout").wants(t, http.StatusSeeOther)
			if len(d.cookies) != 0 {
				t.Error("the cookie stays")
			}
			d.cookies = kept
		}, false},
		{"log-in again", func(d *desk) {
			kept := d.cookies
			d.enter()
			d.cookies = kept
		}, false},
		{"too many others", func(d *desk) {
			kept := d.cookies
			for range manager.MaxSessions {
				time.Sleep(time.Second)
				d.cookies = nil
				d.enter()
			}
			d.cookies = kept
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := alone(t).enter()
				tt.wait(d)
				want := http.StatusSeeOther
				if tt.in {
					want = http.StatusOK
				}
				d.get("/log").wants(t, want)
			})
		})
	}
}

func TestHash(t *testing.T) {
	for _, short := range []string{"", "seven77", "üüü", "not UTF-8 \xff\xff", strings.Repeat("x", manager.MaxPassword+1)} {
		if _, err := manager.Hash(short); err == nil {
			t.Errorf("%.20q is taken as a password", short)
		}
	}
	one, err := manager.Hash("eight888")
	if err != nil {
		t.Fatal(err)
	}
	two, err := manager.Hash("eight888")
	if err != nil {
		t.Fatal(err)
	}
	if one == two || !strings.HasPrefix(one, "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Errorf("hashes are %s and %s", one, two)
	}
	if err := manager.ParseHash(one); err != nil {
		t.Error(err)
	}
	d := open(t, nil, func(c *manager.Config) { c.Password = one })
	d.post("/login", "password", "eight889").wants(t, http.StatusForbidden)
	d.post("/login", "password", "eight888").wants(t, http.StatusSeeOther)
}

func TestParseHash(t *testing.T) {
	good := manager.CheapHash(password)
	for _, bad := range []string{
		"", "password", "$2b$12$abcdefghijklmnopqrstuv", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "t=1", "t=0", 1), strings.Replace(good, "t=1", "t=65", 1), strings.Replace(good, "p=1", "p=0", 1),
		strings.Replace(good, "p=1", "p=256", 1), strings.Replace(good, "m=64", "m=7", 1), strings.Replace(good, "m=64", "m=1048577", 1),
		strings.Replace(good, "m=64", "m=-1", 1), good[:len(good)-4], good + "$", strings.Replace(good, "$m", "$$m", 1), good + "!",
	} {
		if err := manager.ParseHash(bad); err == nil || !strings.Contains(err.Error(), "gatehouse manager password") {
			t.Errorf("%q: the error is %v", bad, err)
		}
	}
	if _, err := manager.New(manager.Config{Apps: noApps{}, Addr: netip.MustParseAddrPort("127.0.0.1:1"), Password: "no hash"}); err == nil {
		t.Error("a password that is no hash is taken")
	}
}

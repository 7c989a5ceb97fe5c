package webapps_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// session is the cookie that an answer sets, as a request sends it back.
func session(t testing.TB, r *http.Response) string {
	t.Helper()
	all := r.Cookies()
	if len(all) != 1 {
		t.Fatalf("%d cookies, want 1: %v", len(all), all)
	}
	c := all[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 24*60*60 || c.Secure {
		t.Errorf("cookie is %v", c)
	}
	return c.Name + "=" + c.Value
}

func TestVersions(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "shop##1"), hello("one"))
	write(t, filepath.Join(dir, "plain"), hello("plain"))
	h := open(t, dir, func(c *webapps.Config) { c.Idle = time.Hour })
	if r := h.do(http.MethodGet, "/plain/"); len(r.Cookies()) > 0 {
		t.Errorf("without versions there is a cookie: %v", r.Cookies())
	}
	first := h.do(http.MethodGet, "/shop/")
	one := session(t, first)
	if c := first.Cookies()[0]; c.Path != "/shop/" {
		t.Errorf("its path is %s", c.Path)
	}
	if got := text(t, first); !strings.Contains(got, "one script=/shop path=/ cookie=none") {
		t.Errorf("the first answer is %s", got)
	}

	write(t, filepath.Join(dir, "shop##2"), hello("two"))
	h.becomes("/shop/", 200, "two")
	old := h.do(http.MethodGet, "/shop/", "Cookie", "a=1; "+one+"; b=2")
	if got := text(t, old); !strings.Contains(got, "one script=/shop path=/ cookie=a=1; b=2") || len(old.Cookies()) > 0 {
		t.Errorf("a session that runs gets %s and %v", got, old.Cookies())
	}
	fresh := h.do(http.MethodGet, "/shop/")
	two := session(t, fresh)
	if got := text(t, fresh); !strings.Contains(got, "two") {
		t.Errorf("a new session gets %s", got)
	}
	// The cookie is for no application to see, whichever gets it.
	if got := text(t, h.do(http.MethodGet, "/plain/", "Cookie", one)); !strings.Contains(got, "cookie=none") {
		t.Errorf("another application gets %s", got)
	}

	// A version that has failed gets no sessions.
	write(t, filepath.Join(dir, "shop##3"), tree{"app.py": "def app(environ, start_response): pass\n1/0\n"})
	h.awaits("shop##3", "has failed", func(s webapps.Status) bool { return s.State == webapps.Failed })
	h.wants("/shop/", 200, "two")

	if err := h.Retire(t.Context(), named(t, "shop##2"), false); err != nil {
		t.Fatal(err)
	}
	if got := text(t, h.do(http.MethodGet, "/shop/", "Cookie", two)); !strings.Contains(got, "two") {
		t.Errorf("retired, it is kept from its session: %s", got)
	}
	h.wants("/shop/", 200, "one")
	if err := h.Start(t.Context(), named(t, "shop##2")); err != nil {
		t.Fatal(err)
	}
	h.wants("/shop/", 200, "two")
	if err := h.Retire(t.Context(), named(t, "shop##1"), true); err != nil {
		t.Fatal(err)
	}
	if got := text(t, h.do(http.MethodGet, "/shop/", "Cookie", one)); !strings.Contains(got, "two") {
		t.Errorf("a session of a version that was retired at once gets %s", got)
	}
	if err := h.Retire(t.Context(), named(t, "shop##2"), true); !errors.Is(err, webapps.ErrOnly) {
		t.Errorf("the only one that runs is retired: %v", err)
	}
}

// TestForged: only what was signed for this path, this version and this time is a
// session.
func TestForged(t *testing.T) {
	dir := t.TempDir()
	for _, base := range []string{"shop##1", "shop##2", "other##1", "other##2"} {
		write(t, filepath.Join(dir, base), page(base))
	}
	h := open(t, dir)
	if err := h.Stop(t.Context(), named(t, "shop##2")); err != nil {
		t.Fatal(err)
	}
	cookie := session(t, h.do(http.MethodGet, "/shop/"))
	if err := h.Start(t.Context(), named(t, "shop##2")); err != nil {
		t.Fatal(err)
	}
	gets := func(path, cookie, want string) {
		t.Helper()
		if got := text(t, h.do(http.MethodGet, path, "Cookie", cookie)); got != want {
			t.Errorf("%s with %s gets %s, want %s", path, cookie, got, want)
		}
	}
	gets("/shop/", cookie, "shop##1")
	gets("/other/", cookie, "other##2")
	gets("/shop/", strings.TrimSuffix(cookie, ".1")+".2", "shop##2")
	name, value, _ := strings.Cut(cookie, "=")
	until, rest, _ := strings.Cut(value, ".")
	gets("/shop/", name+"="+until+"0."+rest, "shop##2")
	for _, bad := range []string{"", ".", "..1", until, until + ".." + "1", until + ".!!.1", "zzzzzzzzzzzzzzzzz.AAAA.1"} {
		gets("/shop/", name+"="+bad, "shop##2")
	}
	// Of several, as of /shop and /, the one that is signed for the path counts.
	gets("/shop/", name+"="+until+".AAAA.2; "+cookie, "shop##1")
	h.SetClock(func() time.Time { return time.Now().Add(24*time.Hour - time.Minute) })
	gets("/shop/", cookie, "shop##1")
	h.SetClock(func() time.Time { return time.Now().Add(24*time.Hour + time.Minute) })
	gets("/shop/", cookie, "shop##2")
	if r := h.do(http.MethodGet, "/shop/", "Cookie", cookie); len(r.Cookies()) != 1 {
		t.Errorf("after a day no new session begins: %v", r.Cookies())
	}
	h.SetClock(time.Now)
	h.close()
	// The key is kept: sessions outlive the server.
	h = open(t, dir)
	gets("/shop/", cookie, "shop##1")
}

func TestSecureCookie(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "ROOT##1"), page(""))
	h := open(t, dir, func(c *webapps.Config) { c.Scheme = func(*http.Request) string { return "https" } })
	cookies := h.do(http.MethodGet, "/").Cookies()
	if len(cookies) != 1 || !cookies[0].Secure || cookies[0].Path != "/" {
		t.Errorf("over TLS: %v", cookies)
	}
}

// TestIdleVersion: an old version that nobody asks for stops, and stays stopped.
func TestIdleVersion(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "shop##1"), page("one"))
	write(t, filepath.Join(dir, "shop##2"), page("two"))
	h := open(t, dir, func(c *webapps.Config) { c.Idle = time.Millisecond })
	h.awaits("shop##1", "is retired", func(s webapps.Status) bool { return s.State == webapps.Stopped })
	if s, _ := h.status("shop##2"); s.State != webapps.Running {
		t.Errorf("the newest is %v", s.State)
	}
	h.wants("/shop/", 200, "two")
	write(t, filepath.Join(dir, "shop##10"), page("ten"))
	testserver.Eventually(t, "ten runs", func() bool { s, ok := h.status("shop##10"); return ok && s.State == webapps.Running })
	h.awaits("shop##2", "is retired", func(s webapps.Status) bool { return s.State == webapps.Stopped })
}

// TestOwnCookies: no application sees a cookie of the server's own; with that of
// the manager page it could act as the operator.
func TestOwnCookies(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "shop"), hello("shop"))
	h := open(t, dir)
	for _, tt := range []struct{ sent, seen string }{
		{"gatehouse-manager-8001=secret", "none"},
		{"a=1; gatehouse-manager-8001=secret; b=2", "a=1; b=2"},
		{"__Host-gatehouse-manager=secret; a=1", "a=1"},
		{"a=1;gatehouse-manager-8001=secret", "a=1"},
		{"gatehouse-version=x; gatehouse-manager-1=y", "none"},
		{"a=gatehouse-manager-8001", "a=gatehouse-manager-8001"},
		{"my-gatehouse-manager=1", "my-gatehouse-manager=1"},
	} {
		if got := text(t, h.do(http.MethodGet, "/shop/", "Cookie", tt.sent)); !strings.HasSuffix(got, "cookie="+tt.seen) {
			t.Errorf("of %q the application sees %q, want %q", tt.sent, got, tt.seen)
		}
	}
}

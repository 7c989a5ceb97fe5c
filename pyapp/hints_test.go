package pyapp_test

import (
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

func TestEarlyHints(t *testing.T) {
	for _, app := range []string{"good:application", "good:plain"} {
		onBoth(t, pyapp.Config{App: app}, func(t *testing.T, _ *site, server *testserver.Server) {
			got := server.Get("/hints")
			if got.Status != 200 || got.Text() != "hello" {
				t.Errorf("status %d, body %q", got.Status, got.Body)
			}
			if got.Get("Link") != "" || got.Get("X-First") != "" {
				t.Errorf("fields of the hints are in the response: %v", got.Header)
			}
			if len(got.Early) != 2 {
				t.Fatalf("%d informational responses, want 2", len(got.Early))
			}
			for i, want := range []string{"</style.css>; rel=preload; as=style", "</script.js>; rel=preload"} {
				if early := got.Early[i]; early.Status != 103 || early.Get("Link") != want {
					t.Errorf("status %d, Link %q; want 103 and %q", early.Status, early.Get("Link"), want)
				}
			}
			if got.Early[0].Get("X-First") != "" || got.Early[1].Get("X-First") != "only here" {
				t.Errorf("X-First: %q, then %q", got.Early[0].Get("X-First"), got.Early[1].Get("X-First"))
			}
		})
	}
}

func TestEarlyHintsAreNotForHTTP10(t *testing.T) {
	onBoth(t, pyapp.Config{App: "good"}, func(t *testing.T, _ *site, server *testserver.Server) {
		got := server.Ask("GET /hints HTTP/1.0\r\nHost: test\r\n\r\n")
		if got.Status != 200 || len(got.Early) != 0 || got.Text() != "hello" {
			t.Errorf("status %d, %d informational responses, body %q", got.Status, len(got.Early), got.Body)
		}
	})
}

// The hints must arrive while the application still works on the response: that
// is all they are for.
func TestEarlyHintsAreSentAtOnce(t *testing.T) {
	onBoth(t, pyapp.Config{App: "uploads", Threads: 2}, func(t *testing.T, _ *site, server *testserver.Server) {
		c := server.Dial()
		c.Send("GET /hints_and_waits HTTP/1.1\r\nHost: test\r\n\r\n")
		if early := c.Head(""); early.Status != 103 || early.Get("Link") != "</a>" {
			t.Fatalf("status %d, %v; want the hint while the response is due", early.Status, early.Header)
		}
		if got := server.Get("/lets_go"); got.Status != 200 {
			t.Errorf("status %d", got.Status)
		}
		if got := c.Response("GET"); got.Status != 200 || got.Text() != "went on" {
			t.Errorf("status %d, %q", got.Status, got.Body)
		}
	})
}

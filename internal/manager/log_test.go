package manager_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/manager"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// TestLog: records are shown with their fields, and can do nothing to the page.
func TestLog(t *testing.T) {
	d := alone(t).enter()
	log := d.log
	log.With("app", "/shop", "worker", 3).Info("hello", "name", "ada", slog.Group("peer", "port", 80))
	log.WithGroup("outer").With("a", 1).Warn("grouped", "b", 2)
	log.WithGroup("").Error("bad <script>alert(1)</script>", "error", errors.New("<b>"), "trace", "line 1\nline <2>\n")
	log.Info("", slog.Attr{})
	a := d.get("/log")
	a.wants(t, http.StatusOK,
		`<span class="app">/shop</span>`, "<i>worker</i> 3", "<i>name</i> ada", "<i>peer.port</i> 80", "<i>outer.a</i> 1", "<i>outer.b</i> 2",
		"bad &lt;script&gt;", "<i>error</i> &lt;b&gt;", "line 1\nline &lt;2&gt;", `class="warn"`, `class="error"`)
	if strings.Contains(a.body, "<script>") {
		t.Errorf("the page is\n%s", a.body)
	}
}

// TestSlowRequests: those that are kept are bounded, and not carried away by the
// rest of the log.
func TestSlowRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := alone(t)
		slow := func(app string, i int) {
			d.log.Warn(pyapp.SlowRequest, "app", app, "path", fmt.Sprint("/", i), "stack", "rank()")
		}
		slow("/other", 0)
		for i := range manager.KeptSlow + 1 {
			slow("/shop", i)
		}
		time.Sleep(time.Second)
		for i := range 5000 {
			d.log.Info("flood", "app", "/shop", "n", i)
		}
		time.Sleep(time.Second)
		got := d.Slow("/shop")
		if want := fmt.Sprint("/", manager.KeptSlow); len(got) != manager.KeptSlow || got[0] != want {
			t.Errorf("%d are kept, the newest is %v, want %d and %s", len(got), got, manager.KeptSlow, want)
		}
		if got := d.Slow("/other"); len(got) != 0 {
			t.Errorf("of another application there are %v", got)
		}
	})
}

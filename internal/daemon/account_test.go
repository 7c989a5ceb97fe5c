package daemon_test

import (
	"os"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

func TestAccountFor(t *testing.T) {
	// A folder that somebody without rights owns: ours already, unless we are root.
	owned := t.TempDir()
	if os.Geteuid() == 0 {
		if err := os.Chown(owned, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, dir, user string
		euid            int
		as              bool // somebody else than the server
		warns           bool
		fails           string
	}{
		{"not root", "/", "", 1000, false, false, ""},
		{"root, folder of root", "/", "", 0, false, true, ""},
		{"root, folder of somebody", owned, "", 0, true, false, ""},
		{"root, user named", "/", "nobody", 0, true, false, ""},
		{"root, root named", "/", "root", 0, false, false, ""},
		{"not root, user named", "/", "nobody", 1000, false, false, "cannot run as nobody: only root can become another user"},
		{"user unknown", "/", "no-such-user", 0, false, false, "cannot run as no-such-user: no such user"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			who, warning, err := daemon.AccountFor("scripts run", tt.dir, tt.user, tt.euid)
			if err != nil || tt.fails != "" {
				if err == nil || err.Error() != tt.fails {
					t.Errorf("error %v, want %s", err, tt.fails)
				}
				return
			}
			if (who != nil) != tt.as || (warning != "") != tt.warns {
				t.Errorf("runs as %v with warning %q; want somebody else: %v, warning: %v", who, warning, tt.as, tt.warns)
			}
			if who != nil && (who.UID() == 0) {
				t.Error("runs as root")
			}
		})
	}
}

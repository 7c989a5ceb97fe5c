package daemon_test

import (
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

// TestTenants: whom applications run as on servers that can become nobody, or
// already have. What those do that can, the tests of the command know.
func TestTenants(t *testing.T) {
	const nobody = 65534
	for _, tt := range []struct {
		name, file string
		euid       int
		app        string
		owner      uint32
		want, says string
	}{
		{"of anybody", "", nobody, "shop", 4711, "", ""},
		{"root's, where nobody is root", "", nobody, "shop", 0, "", ""},
		{"as who the server is", "[apps.shop]\nuser = \"nobody\"\n", nobody, "shop", 4711, "nobody", ""},
		{"a version", "[apps.\"shop##2\"]\nuser = \"nobody\"\n[apps.shop]\nworkers = 1\n", nobody, "shop##2", 4711, "nobody", ""},
		{"another version", "[apps.\"shop##2\"]\nuser = \"nobody\"\n", nobody, "shop##1", 4711, "", ""},
		{"as somebody else", "[apps.shop]\nuser = \"daemon\"\n", nobody, "shop", nobody, "", "gatehouse.toml:2:8: user: cannot run as daemon: only root can become another user"},
		{"as root", "[apps.shop]\nuser = \"root\"\n", nobody, "shop", nobody, "", "user: nothing runs as root that is not told so for the whole server"},
		{"as one who is not there", "[apps.shop]\nuser = \"no-such-user\"\n", nobody, "shop", nobody, "", "user: cannot run as no-such-user: no such user"},
		{"all as one", "user = \"nobody\"\n", 0, "shop", 0, "nobody", ""},
		{"all as root, which was said", "user = \"root\"\n", 0, "shop", 4711, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := daemon.RunsAs(tt.euid, serverWith(t, tt.file), tt.app, tt.owner)
			if got != tt.want || (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("runs as %q, %v; want %q, %s", got, err, tt.want, tt.says)
			}
		})
	}
}

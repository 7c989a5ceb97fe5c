package daemon_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

// A configuration that cannot be taken in leaves nothing behind, and says why.
func TestFrontPrepare(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := config.Default()
	c.Log.Access = "off"
	f, c, err := daemon.OpenFront(c)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	own := c.Listen[0]
	_, port, err := net.SplitHostPort(own)
	if err != nil {
		t.Fatal(err)
	}
	socket := "unix:" + filepath.Join(t.TempDir(), "s")
	for _, tt := range []struct {
		name   string
		change func(c *config.Config)
		want   string // in the error; "" for none
	}{
		{"the same", func(*config.Config) {}, ""},
		{"one more", func(c *config.Config) { c.Listen = append(c.Listen, socket) }, ""},
		{"a port that is taken", func(c *config.Config) { c.Listen = []string{socket, taken.Addr().String()} }, "cannot listen on " + taken.Addr().String() + ": address already in use"},
		{"the own port by another name", func(c *config.Config) { c.Listen = []string{socket, ":" + port} }, ": this server itself listens on " + own + "; to change that takes a restart"},
		{"a proxy that is none", func(c *config.Config) { c.TrustedProxies = []string{"example.org"} }, "example.org"},
		{"a log in no folder", func(c *config.Config) { c.Listen, c.Log.Access = []string{socket}, "nowhere/log" }, "cannot write the access log nowhere/log"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := c
			tt.change(&next)
			err := f.Prepare(next)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("prepare = %v, want %q", err, tt.want)
			}
			if got := strings.Join(f.Addresses(), " "); got != own {
				t.Errorf("it listens on %s, want %s", got, own)
			}
			if conn, err := net.Dial("unix", strings.TrimPrefix(socket, "unix:")); err == nil {
				conn.Close()
				t.Error("a listener was left behind")
			}
		})
	}
}

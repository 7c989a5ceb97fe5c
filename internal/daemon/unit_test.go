package daemon_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// The unit lets the server do what it does: make groups, start processes in them
// and impose limits, and end in its own time.
func TestUnit(t *testing.T) {
	text, err := os.ReadFile("../../packaging/gatehouse.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			unit[key] = value
		}
	}
	for key, want := range map[string]string{
		"Delegate": "yes", "OOMPolicy": "continue", "KillMode": "mixed", "ExecReload": "/bin/kill -HUP $MAINPID",
		"ProtectControlGroups": "", "RestrictNamespaces": "", "MemoryDenyWriteExecute": "",
	} {
		if unit[key] != want {
			t.Errorf("%s=%s, want %q", key, unit[key], want)
		}
	}
	if !strings.Contains(unit["SystemCallFilter"], "ptrace") {
		t.Error("limits cannot be imposed without ptrace")
	}
	if daemon.EndsIn < webapps.DefaultProcessGrace+6*time.Second {
		t.Errorf("the server ends in %v, and what runs beside applications gets %v", daemon.EndsIn, webapps.DefaultProcessGrace)
	}
	patience, err := time.ParseDuration(unit["TimeoutStopSec"] + "s")
	if least := config.Default().Drain + daemon.EndsIn + 10*time.Second; err != nil || patience < least {
		t.Errorf("TimeoutStopSec=%v, %v; the server may take %v", unit["TimeoutStopSec"], err, least)
	}
}

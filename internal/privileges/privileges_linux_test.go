package privileges_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/privileges"
)

// noNew is what a shell, started as Run does it, and its child say of themselves.
func noNew(t *testing.T, mayGain bool) string {
	t.Helper()
	var out []byte
	err := privileges.Run(mayGain, func() (err error) {
		out, err = exec.Command("/bin/sh", "-c", "grep NoNewPrivs /proc/self/status; sh -c 'grep NoNewPrivs /proc/self/status'").Output()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(string(out), "NoNewPrivs:", "")), " ")
}

// TestRun: who may not gain privileges has given that up with all children, and
// nobody else has.
func TestRun(t *testing.T) {
	before := noNew(t, true) // 0 0, unless the tests may gain none themselves
	for range 20 {
		if got := noNew(t, false); got != "1 1" {
			t.Fatalf("kept from privileges, no_new_privs is %s", got)
		}
		if got := noNew(t, true); got != before {
			t.Fatalf("after that, others have no_new_privs %s, want %s", got, before)
		}
	}
	mine := errors.New("mine")
	for _, mayGain := range []bool{true, false} {
		if err := privileges.Run(mayGain, func() error { return mine }); err != mine {
			t.Errorf("the error is %v", err)
		}
	}
}

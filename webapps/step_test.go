package webapps_test

import (
	"bytes"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// TestSteps watches a deployment that is held up at its release command and in
// its import.
func TestSteps(t *testing.T) {
	dir, gates := t.TempDir(), t.TempDir()
	h := open(t, dir, func(c *webapps.Config) {
		c.Load = func(webapps.ContextName, string) (webapps.App, error) {
			return webapps.App{Release: []string{"while ! test -e " + gates + "/release; do sleep 0.01; done"}}, nil
		}
	})
	code := hello("steps")
	code["app.py"] = "import os, time\nwhile not os.path.exists(" + `"` + gates + `/import"): time.sleep(0.01)` + "\n" + code["app.py"]
	done := make(chan error, 1)
	go func() {
		done <- h.Deploy(t.Context(), named(t, "steps"), ".zip", bytes.NewReader(testserver.Zip(t, code)), webapps.DeployOptions{})
	}()
	for _, s := range []struct {
		step webapps.Step
		gate string
	}{{webapps.Releasing, "release"}, {webapps.Starting, "import"}} {
		h.awaits("steps", string(s.step), func(now webapps.Status) bool { return now.Step == s.step && now.Deploying })
		write(t, gates, tree{s.gate: ""})
	}
	if err := testserver.Receive(t, "the deployment", done); err != nil {
		t.Fatal(err)
	}
	if s, _ := h.status("steps"); s.Step != "" || s.Deploying {
		t.Errorf("deployed, it is still %q", s.Step)
	}
}

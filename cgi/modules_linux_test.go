package cgi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// Scripts that run as somebody else find them as well. Only root can start those.
func TestModulesForUser(t *testing.T) {
	dir := folder(t, files{"bin/": ""})
	shellNamed(t, filepath.Join(dir, "bin", "python3")) // who knows whether others may run the real one
	put(t, dir, "reads", "#!"+filepath.Join(dir, "bin", "python3")+`
printf 'Content-Type: text/plain\n\n'
cat "$PYTHONPATH"/cgi.py "$PYTHONPATH"/gatehouse_compat/cgi.py
touch "$PYTHONPATH"/x
`, 0o755)
	user := nobodyElse
	if os.Getuid() != 0 {
		user = nil
	}
	temporary(t)
	site := open(t, dir, cgi.Config{User: user})
	if res := site.serve(t, testserver.H1).Get("/cgi-bin/reads"); !strings.Contains(res.Text(), "gatehouse_compat.provide") || !strings.Contains(res.Text(), "class FieldStorage") {
		t.Errorf("%d %q", res.Status, res.Text())
	}
	if user != nil {
		site.log.Line(t, "touch", "ermission denied")
	}
}

package webapps_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/webapps"
)

// status is what a program says of whether it may gain privileges.
const status = "grep NoNewPrivs /proc/self/status"

// TestNewPrivileges: nothing of an application, its workers, commands and
// processes, gains privileges by a program that it starts, unless that is allowed.
// Scripts do: form mailers need it.
func TestNewPrivileges(t *testing.T) {
	mine, err := exec.Command("/bin/sh", "-c", status).Output()
	if err != nil {
		t.Fatal(err)
	}
	number := regexp.MustCompile(`NoNewPrivs:\s*(\d)`)
	inherited := number.FindStringSubmatch(string(mine))[1]
	for _, tt := range []struct {
		name    string
		allowed bool
		want    string
	}{{"as it is", false, "1"}, {"allowed", true, inherited}} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			h := open(t, dir, func(c *webapps.Config) {
				c.Load = func(name webapps.ContextName, _ string) (webapps.App, error) {
					app := webapps.App{
						Release:   []string{status + ` >"$GATEHOUSE_DATA/release"`},
						Processes: []webapps.Process{{Name: "beside", Command: status + ` >"$GATEHOUSE_DATA/process"; exec sleep 1000`}},
					}
					app.WSGI.NewPrivileges = tt.allowed
					return app, nil
				}
			})
			write(t, filepath.Join(dir, "blog"), tree{"app.py": `import subprocess

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [subprocess.check_output("` + status + `", shell=True)]
`})
			write(t, filepath.Join(dir, "old"), tree{"cgi-bin/x.sh": "#!/bin/sh\necho Content-Type: text/plain\necho\n" + status + "\n"})
			data := filepath.Join(dir, ".gatehouse/data/blog")
			says := map[string]string{"the release command": lines(t, filepath.Join(data, "release"), 1)[0], "the process": lines(t, filepath.Join(data, "process"), 1)[0]}
			for _, base := range []string{"blog", "old"} {
				h.awaits(base, "runs", func(s webapps.Status) bool { return s.State == webapps.Running })
			}
			says["a worker"] = text(t, h.do("GET", "/blog/"))
			for who, line := range says {
				if m := number.FindStringSubmatch(line); m == nil || m[1] != tt.want {
					t.Errorf("%s says %q, want %s", who, strings.TrimSpace(line), tt.want)
				}
			}
			if m := number.FindStringSubmatch(text(t, h.do("GET", "/old/cgi-bin/x.sh"))); m == nil || m[1] != inherited {
				t.Errorf("a script says %v, want %s", m, inherited)
			}
		})
	}
}

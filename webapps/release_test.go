package webapps_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// releasing has every application run these commands.
func releasing(commands ...string) func(*webapps.Config) {
	return func(c *webapps.Config) {
		c.Load = func(webapps.ContextName, string) (webapps.App, error) {
			app := webapps.App{Release: commands}
			app.WSGI.Env = []string{"MINE=yes"}
			return app, nil
		}
	}
}

// TestRelease: commands run in order, in the folder, with the application's
// environment, before the new code serves; a restart does not run those of an
// archive again.
func TestRelease(t *testing.T) {
	t.Setenv("SECRET_OF_THE_SERVER", "x")
	dir := t.TempDir()
	put(t, filepath.Join(dir, "blog.zip"), testserver.Zip(t, tree{"app.py": `import os
with open(os.path.join(os.environ["GATEHOUSE_DATA"], "log")) as f:
    log = f.read()
def app(environ, start_response):
    start_response("200 OK", [])
    return [log.encode()]
`}))
	commands := releasing(`echo one $MINE $SECRET_OF_THE_SERVER >>$GATEHOUSE_DATA/log`, `test -f app.py && python3 -c 'print("two")' >>"$GATEHOUSE_DATA/log"`)
	h := open(t, dir, commands)
	h.wants("/blog/", 200, "one yes\ntwo\n")
	h.close()
	h = open(t, dir, commands)
	if got := text(t, h.do("GET", "/blog/")); got != "one yes\ntwo\n" {
		t.Errorf("after a restart: %q", got)
	}
}

// TestReleaseFails: a command that fails keeps the old code, and what it has
// printed is told.
func TestReleaseFails(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "blog"), hello("old"))
	h := open(t, dir, releasing(`test ! -f stop || { echo no such table; exit 3; }`))
	h.wants("/blog/", 200, "old")
	write(t, filepath.Join(dir, "blog"), tree{"stop": ""})
	write(t, filepath.Join(dir, "blog"), hello("new"))
	s := h.awaits("blog", "has failed", func(s webapps.Status) bool { return s.Failure != nil })
	if !strings.HasSuffix(s.Failure.Error(), "}\": exit status 3") || s.Failure.Traceback != "no such table" {
		t.Errorf("it says %v\n%s", s.Failure, s.Failure.Traceback)
	}
	h.wants("/blog/", 200, "old")
}

// TestReleaseHangs: the end of the server ends a command with all that it has
// started.
func TestReleaseHangs(t *testing.T) {
	testserver.NoLeaks(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "blog"), hello("never"))
	c := webapps.Config{Dir: dir}
	releasing(`sleep 1000 & echo $! >"$GATEHOUSE_DATA/begun"; sleep 1000; true`)(&c)
	d, err := webapps.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	var pid string
	testserver.Eventually(t, "the command runs", func() bool {
		text, err := os.ReadFile(filepath.Join(dir, ".gatehouse/data/blog/begun"))
		pid = strings.TrimSpace(string(text))
		return err == nil && pid != ""
	})
	ctx, cancel := context.WithTimeout(t.Context(), testserver.Patience)
	defer cancel()
	if err := d.Close(ctx); err != nil {
		t.Error(err)
	}
	testserver.Eventually(t, "what it has left behind has ended", func() bool {
		stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
		return err != nil || strings.Contains(string(stat), ") Z ") // not reaped yet by whose child it is now
	})
}

// TestReleaseLeaves: what a command has left behind ends with it, and is not waited
// for, though it holds the output open.
func TestReleaseLeaves(t *testing.T) {
	testserver.NoLeaks(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "blog"), page("files"))
	h := open(t, dir, releasing(`sleep 1000 & echo $! >>"$GATEHOUSE_DATA/left"; echo done`))
	h.wants("/blog/", 200, "files")
	gone(t, lines(t, filepath.Join(dir, ".gatehouse/data/blog/left"), 1)[0])
	if log := h.log.String(); !strings.Contains(log, "output=done") {
		t.Error("what it has printed is not in the log")
	}
	h.close()
}

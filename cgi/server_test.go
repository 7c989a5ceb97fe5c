package cgi_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// beServer runs one script of the folder that the environment names, until its
// input ends or it is killed.
func beServer() error {
	c := cgi.Config{Dir: os.Getenv("SCRIPTS"), Warm: os.Getenv("WARM") != ""}
	c.Limits.Files, _ = strconv.Atoi(os.Getenv("FILES")) // without it, no limit
	if id, err := strconv.ParseUint(os.Getenv("USER_ID"), 10, 32); err == nil {
		c.User = &cgi.User{UID: uint32(id), GID: uint32(id)}
	}
	h, err := cgi.Open(c)
	if err != nil {
		return err
	}
	go h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/sleeps", nil))
	fmt.Println(os.Getpid())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// A script does not survive the server, whatever it ignores.
func TestServerThatIsKilled(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		dir := w.folder(t, files{"sleeps": "#!/bin/sh\ntrap '' TERM HUP INT\necho $$ >pids\nwhile :; do sleep 600 >/dev/null 2>&1 & wait; done\n"})
		env := []string{"SCRIPTS=" + dir}
		if w.warm {
			env = append(env, "WARM=yes")
		}
		c := testserver.StartChild(t, "server", env...)
		var server int
		if _, err := fmt.Sscan(c.Line(), &server); err != nil {
			t.Fatal(err)
		}
		script := pids(t, filepath.Join(dir, "pids"), 1)
		p, err := os.FindProcess(server)
		must(t, err)
		must(t, p.Kill())
		awaitDeath(t, script)
	})
}

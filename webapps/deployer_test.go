package webapps_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// TestMoves writes the table out.
func TestMoves(t *testing.T) {
	states := []webapps.State{webapps.Deploying, webapps.Running, webapps.Failed, webapps.Draining, webapps.Stopped}
	want := map[string]bool{
		"deploying running": true, "deploying failed": true, "deploying stopped": true,
		"running failed": true, "running draining": true, "failed draining": true, "draining stopped": true,
	}
	for _, from := range states {
		for _, to := range states {
			if got := webapps.MayBecome(from, to); got != want[from.String()+" "+to.String()] {
				t.Errorf("from %v to %v: %v", from, to, got)
			}
		}
	}
}

// TestTypes serves one of each type, each at its place.
func TestTypes(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "ROOT"), tree{"index.html": "welcome", "notes.txt": "text", "secret.py": "x", ".env": "x", "gatehouse.toml": "x"})
	write(t, filepath.Join(dir, "shop"), hello("shop"))
	write(t, filepath.Join(dir, "tools#dns"), tree{"index.html": "dns", "cgi-bin/look.sh": "#!/bin/sh\necho Content-Type: text/plain\necho\necho $SCRIPT_NAME $PATH_INFO\n"})
	write(t, filepath.Join(dir, "a#b"), hello("deep"))
	put(t, filepath.Join(dir, "paper.zip"), testserver.Zip(t, tree{"paper-1.0/index.html": "paper"}))
	h := open(t, dir)
	h.wants("/", 200, "welcome")
	h.wants("/notes.txt", 200, "text")
	h.wants("/nothing", 404, "")
	for _, secret := range []string{"/secret.py", "/.env", "/gatehouse.toml", "/.gatehouse/key"} {
		h.wants(secret, 404, "")
	}
	h.wants("/shop/", 200, "shop script=/shop path=/")
	h.wants("/shop/a%20b", 200, "shop script=/shop path=/a b")
	h.wants("/shopping", 404, "")
	h.wants("/a/b/c", 200, "deep script=/a/b path=/c")
	h.wants("/a/b", 307, "")
	h.wants("/a", 404, "")
	h.wants("/tools/dns/", 200, "dns")
	h.wants("/tools/dns/cgi-bin/look.sh/x", 200, "/tools/dns/cgi-bin/look.sh /x")
	h.wants("/paper/", 200, "paper")
	if r := h.do(http.MethodPost, "/notes.txt"); r.StatusCode != 405 || r.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("POST to a file: %s, Allow %q", r.Status, r.Header.Get("Allow"))
	}
	for _, tt := range []struct{ path, location string }{
		{"/shop", "/shop/"}, {"/shop?a=1&b=%20", "/shop/?a=1&b=%20"}, {"/shop?", "/shop/?"}, {"/tools/dns", "/tools/dns/"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if r := h.do(method, tt.path); r.StatusCode != 307 || r.Header.Get("Location") != tt.location {
				t.Errorf("%s %s: %s to %q, want %q", method, tt.path, r.Status, r.Header.Get("Location"), tt.location)
			}
		}
	}
	types := map[string]webapps.Type{"ROOT": webapps.Static, "shop": webapps.WSGI, "tools#dns": webapps.CGI, "a#b": webapps.WSGI, "paper": webapps.Static}
	apps := h.Apps()
	if len(apps) != len(types) {
		t.Errorf("%d applications, want %d", len(apps), len(types))
	}
	for _, s := range apps {
		if s.State != webapps.Running || s.Type != types[s.Name.Base()] || s.Failure != nil || s.InFlight != 0 {
			t.Errorf("%v is %+v", s.Name, s)
		}
		if s.Type == webapps.WSGI && (s.Python == "" || len(s.Workers.Workers) != 1) {
			t.Errorf("%v: Python %q, workers %+v", s.Name, s.Python, s.Workers)
		}
	}
}

// TestNotRecognised: what nobody has declared to be a site is never served, and
// visitors learn nothing.
func TestNotRecognised(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "heap"), tree{"notes.txt": "private", "data.sqlite3": "x"})
	write(t, filepath.Join(dir, "async"), tree{"main.py": "from fastapi import FastAPI\napp = FastAPI()\n"})
	write(t, filepath.Join(dir, "declared"), tree{"notes.txt": "public"})
	h := open(t, dir, func(c *webapps.Config) {
		c.Load = func(_ webapps.ContextName, dir string) (webapps.App, error) {
			if filepath.Base(dir) == "declared" {
				return webapps.App{Type: webapps.Static}, nil
			}
			return webapps.App{}, nil
		}
	})
	for _, path := range []string{"/heap/", "/heap/notes.txt", "/heap/data.sqlite3", "/async/", "/async/main.py"} {
		r := h.do(http.MethodGet, path)
		body := text(t, r)
		if r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %s", path, r.Status)
		}
		for _, secret := range []string{dir, "private", "index.html", "looked", "ASGI", "heap"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s: the page tells %q:\n%s", path, secret, body)
			}
		}
	}
	s, _ := h.status("heap")
	if s.State != webapps.Failed || !errors.Is(s.Failure, detect.ErrNothing) || !strings.Contains(s.Failure.Hint, `type = "static"`) {
		t.Errorf("heap is %v, because %v (%s)", s.State, s.Failure, s.Failure.Hint)
	}
	if s, _ := h.status("async"); !errors.Is(s.Failure, detect.ErrASGI) {
		t.Errorf("async has failed because of %v", s.Failure)
	}
	h.wants("/declared/notes.txt", 200, "public")
}

// TestBroken: a broken application harms nobody, is told with its traceback, and
// runs when it is mended; broken again, the old one goes on.
func TestBroken(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "good"), hello("good"))
	write(t, filepath.Join(dir, "bad"), tree{"app.py": "import nothing_of_that_name\n\ndef app(environ, start_response): pass\n"})
	h := open(t, dir)
	h.wants("/good/", 200, "good")
	r := h.do(http.MethodGet, "/bad/")
	if body := text(t, r); r.StatusCode != 503 || strings.Contains(body, "nothing_of_that_name") || strings.Contains(body, "Traceback") {
		t.Errorf("visitors get %s: %s", r.Status, body)
	}
	s, _ := h.status("bad")
	if _, ok := errors.AsType[*pyapp.StartError](s.Failure); !ok || s.State != webapps.Failed || !strings.Contains(s.Failure.Traceback, "nothing_of_that_name") {
		t.Errorf("it is %v: %v\n%s", s.State, s.Failure, s.Failure.Traceback)
	}
	if !strings.Contains(h.log.String(), "nothing_of_that_name") {
		t.Error("the log knows nothing of it")
	}
	write(t, filepath.Join(dir, "bad"), hello("mended"))
	h.becomes("/bad/", 200, "mended")
	if s, _ := h.status("bad"); s.State != webapps.Running || s.Failure != nil {
		t.Errorf("mended it is %v, %v", s.State, s.Failure)
	}
	write(t, filepath.Join(dir, "bad"), tree{"app.py": "def app(environ\n"})
	s = h.awaits("bad", "has failed again", func(s webapps.Status) bool {
		return s.Failure != nil && strings.Contains(s.Failure.Err.Error(), "SyntaxError")
	})
	if s.State != webapps.Running {
		t.Errorf("broken again it is %v, %v", s.State, s.Failure)
	}
	h.wants("/bad/", 200, "mended")
	h.wants("/good/", 200, "good")
}

// TestComeAndGo: what appears is live a moment later, what changes is replaced,
// what goes away is retired.
func TestComeAndGo(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	h.wants("/", 404, "")
	changed, stop := h.Subscribe()
	defer stop()
	write(t, filepath.Join(dir, "wiki"), hello("first"))
	h.becomes("/wiki/", 200, "first")
	testserver.Receive(t, "word of the change", changed)
	write(t, filepath.Join(dir, "wiki"), hello("second"))
	h.becomes("/wiki/", 200, "second")
	put(t, filepath.Join(dir, "note.zip"), testserver.Zip(t, page("one")))
	h.becomes("/note/", 200, "one")
	put(t, filepath.Join(dir, "note.zip"), testserver.Zip(t, page("two, another")))
	h.becomes("/note/", 200, "two")
	// Exchanged for another type.
	if err := os.RemoveAll(filepath.Join(dir, "wiki")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ".new"), page("a page"))
	if err := os.Rename(filepath.Join(dir, ".new"), filepath.Join(dir, "wiki")); err != nil {
		t.Fatal(err)
	}
	h.becomes("/wiki/", 200, "a page")
	for _, name := range []string{"wiki", "note.zip"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	h.becomes("/wiki/", 404, "")
	h.becomes("/note/", 404, "")
	if apps := h.Apps(); len(apps) != 0 {
		t.Errorf("left: %+v", apps)
	}
	testserver.Eventually(t, "nothing unpacked is left", func() bool {
		left, err := filepath.Glob(filepath.Join(dir, ".gatehouse", "apps", "*"))
		return err == nil && len(left) == 0
	})
}

// TestHalfCopied: an entry is complete when nothing of it has changed for a
// while, however deep.
func TestHalfCopied(t *testing.T) {
	dir := t.TempDir()
	begun := time.Now().Add(-time.Second)
	write(t, filepath.Join(dir, "app"), tree{"a/b/c.txt": "x", "index.html": ""})
	put(t, filepath.Join(dir, "app.zip"), []byte("PK"))
	for _, name := range []string{"app", "app.zip"} {
		if webapps.Settled(dir, name, begun) {
			t.Errorf("%s is complete before it was begun", name)
		}
		if !webapps.Settled(dir, name, time.Now().Add(time.Second)) {
			t.Errorf("%s is never complete", name)
		}
	}
	if webapps.Settled(dir, "nothing", time.Now()) {
		t.Error("what is not there is complete")
	}
	// Copied with its old times, it has still changed just now.
	old := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "app/a/b/c.txt"), old, old); err != nil {
		t.Fatal(err)
	}
	if webapps.Settled(dir, "app", begun) {
		t.Error("an old time makes it complete")
	}
}

// TestHugeFolder: who puts a folder there that has no end delays nobody else, nor the
// end of the server.
func TestHugeFolder(t *testing.T) {
	testserver.NoLeaks(t)
	dir := t.TempDir()
	walking := make(chan struct{}, 1)
	h := open(t, dir, func(c *webapps.Config) { c.SetWalk("huge", walking) })
	write(t, filepath.Join(dir, "huge"), page("huge"))
	testserver.Receive(t, "a look through the folder", walking)
	write(t, filepath.Join(dir, "blog"), page("first"))
	h.becomes("/blog/", 200, "first")
	if err := os.RemoveAll(filepath.Join(dir, "blog")); err != nil {
		t.Fatal(err)
	}
	h.becomes("/blog/", 404, "")
	h.close()
}

// An archive that is still being written is no application yet, and one that was
// cut short is told.
func TestCutShort(t *testing.T) {
	dir := t.TempDir()
	whole := testserver.Zip(t, page("whole"))
	h := open(t, dir)
	put(t, filepath.Join(dir, "site.zip"), whole[:len(whole)/2])
	s := h.awaits("site", "has failed", func(s webapps.Status) bool { return s.State == webapps.Failed })
	if !strings.Contains(s.Failure.Error(), "cannot deploy /site: site.zip: damaged archive: no zip archive, or cut short") {
		t.Errorf("it says %v", s.Failure)
	}
	put(t, filepath.Join(dir, "site.zip"), whole)
	h.becomes("/site/", 200, "whole")
}

// TestProblems: entries that are no applications are told, each with a reason,
// and two entries for one context are both refused.
func TestProblems(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, tree{"readme.txt": "", ".hidden": "", "bad name/index.html": "", "a##/index.html": ""})
	write(t, filepath.Join(dir, "blog"), page("folder"))
	put(t, filepath.Join(dir, "blog.zip"), testserver.Zip(t, page("archive")))
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	h := open(t, dir)
	want := []struct{ entry, says string }{
		{"a##", "a version is missing"},
		{"bad name", "cannot stand in a path"},
		{"blog", "/blog is the context of blog.zip as well; keep one of them"},
		{"blog.zip", "/blog is the context of blog as well; keep one of them"},
		{"link", "a symbolic link that leads to no folder"},
		{"readme.txt", "neither a folder nor an archive"},
	}
	problems := h.Problems()
	if len(problems) != len(want) {
		t.Fatalf("%d problems, want %d: %v", len(problems), len(want), problems)
	}
	for i, p := range problems {
		if p.Entry != want[i].entry || !strings.Contains(p.Err.Error(), want[i].says) {
			t.Errorf("%s: %v, want %s: %s", p.Entry, p.Err, want[i].entry, want[i].says)
		}
	}
	h.wants("/blog/", 404, "")
	if err := os.Remove(filepath.Join(dir, "blog.zip")); err != nil {
		t.Fatal(err)
	}
	h.becomes("/blog/", 200, "folder")
	// The one that runs goes on when another comes.
	put(t, filepath.Join(dir, "blog.zip"), testserver.Zip(t, page("archive")))
	testserver.Eventually(t, "the conflict is told", func() bool { return len(h.Problems()) == len(want) })
	h.wants("/blog/", 200, "folder")
}

// TestEnvironment: an application finds what is its own and what any program
// needs, and nothing of the server's secrets.
func TestEnvironment(t *testing.T) {
	t.Setenv("DATABASE_PASSWORD", "of another application")
	t.Setenv("VIRTUAL_ENV", "")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "shop"), hello("shop"))
	write(t, filepath.Join(dir, "old"), tree{"cgi-bin/env.sh": "#!/bin/sh\necho Content-Type: text/plain\necho\nenv\n"})
	h := open(t, dir, func(c *webapps.Config) {
		c.Load = func(_ webapps.ContextName, dir string) (app webapps.App, err error) {
			app.WSGI.Env = []string{"MINE=" + filepath.Base(dir)}
			app.CGI.Env = app.WSGI.Env
			return app, nil
		}
	})
	for path, name := range map[string]string{"/shop/env": "shop", "/old/cgi-bin/env.sh": "old"} {
		r := h.do(http.MethodGet, path)
		env := "\n" + text(t, r)
		for _, want := range []string{"\nMINE=" + name + "\n", "\nPATH=", "\nGATEHOUSE_DATA=" + filepath.Join(dir, ".gatehouse/data", name) + "\n"} {
			if !strings.Contains(env+"\n", want) {
				t.Errorf("%s: no %q in\n%s", path, want, env)
			}
		}
		if strings.Contains(env, "DATABASE_PASSWORD") {
			t.Errorf("%s knows the server's secrets", path)
		}
	}
}

// TestLazy: the first request starts it, one that cannot start is told once.
func TestLazy(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "good"), hello("good"))
	write(t, filepath.Join(dir, "bad"), tree{"app.py": "def app(environ, start_response): pass\n1/0\n"})
	h := open(t, dir, func(c *webapps.Config) {
		c.Load = func(webapps.ContextName, string) (webapps.App, error) { return webapps.App{Lazy: true}, nil }
	})
	for _, base := range []string{"good", "bad"} {
		if s, _ := h.status(base); s.State != webapps.Running || !s.Asleep || s.Workers != nil {
			t.Errorf("%s is %+v", base, s)
		}
	}
	h.wants("/good/", 200, "good")
	if s, _ := h.status("good"); s.Asleep || s.Workers == nil {
		t.Errorf("after a request it is %+v", s)
	}
	h.wants("/bad/", 503, "")
	h.wants("/bad/", 503, "")
	s, _ := h.status("bad")
	if s.State != webapps.Failed || s.Failure == nil || !strings.Contains(s.Failure.Traceback, "ZeroDivisionError") {
		t.Errorf("bad is %v, %v", s.State, s.Failure)
	}
	if n := strings.Count(h.log.String(), "cannot deploy"); n != 1 {
		t.Errorf("it was tried %d times", n)
	}
	// A redeployment of one that is awake is started before it takes over.
	write(t, filepath.Join(dir, "good"), tree{"app.py": "def app(environ, start_response): pass\n1/0\n"})
	h.awaits("good", "has failed", func(s webapps.Status) bool { return s.Failure != nil })
	h.wants("/good/", 200, "good")
}

// TestStop: a stopped application stays so over a restart of the server, until
// it is started.
func TestStop(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "site"), page("hello"))
	h := open(t, dir)
	name := named(t, "site")
	if err := h.Stop(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	h.wants("/site/", 503, "")
	if s, _ := h.status("site"); s.State != webapps.Stopped {
		t.Errorf("it is %v", s.State)
	}
	if err := h.Reload(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	h.wants("/site/", 503, "")
	h.close()

	h = open(t, dir)
	h.wants("/site/", 503, "")
	if err := h.Start(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	h.wants("/site/", 200, "hello")
	h.close()

	h = open(t, dir)
	h.wants("/site/", 200, "hello")
	if err := errors.Join(h.Start(t.Context(), name), h.Reload(t.Context(), name), h.ReloadAll(t.Context())); err != nil {
		t.Error(err)
	}
	h.wants("/site/", 200, "hello")
	for what, err := range map[string]error{
		"stop": h.Stop(t.Context(), named(t, "other")), "start": h.Start(t.Context(), named(t, "other")), "undeploy": h.Undeploy(t.Context(), named(t, "other")),
		"rollback": h.Rollback(t.Context(), named(t, "other")), "retire": h.Retire(t.Context(), named(t, "other"), true),
	} {
		if !errors.Is(err, webapps.ErrNoApp) {
			t.Errorf("%s of what is not there: %v", what, err)
		}
	}
	if err := h.Undeploy(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	h.wants("/site/", 404, "")
	if _, err := os.Stat(filepath.Join(dir, "site")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	h.close()
	if err := h.Stop(t.Context(), name); !errors.Is(err, webapps.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// TestStacks looks into a request that runs.
func TestStacks(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "slow"), tree{"app.py": `import os, time
def app(environ, start_response):
    while environ["PATH_INFO"] == "/wait" and not os.path.exists(os.path.join(os.environ["GATEHOUSE_DATA"], "go")):
        time.sleep(0.01)
    start_response("200 OK", [])
    return [b"went"]
`})
	write(t, filepath.Join(dir, "page"), page(""))
	h := open(t, dir)
	answered := make(chan string, 1)
	go func() {
		answered <- text(t, h.do(http.MethodGet, "/slow/wait"))
	}()
	h.awaits("slow", "has a request", func(s webapps.Status) bool {
		return s.InFlight == 1 && len(s.Workers.Workers) > 0 && len(s.Workers.Workers[0].Requests) == 1
	})
	testserver.Eventually(t, "the stack of the request is told", func() bool {
		stacks, err := h.Stacks(t.Context(), named(t, "slow"))
		return err == nil && len(stacks) > 0 && strings.Contains(stacks[0].Text, "app.py")
	})
	if stacks, err := h.Stacks(t.Context(), named(t, "page")); err != nil || stacks != nil {
		t.Errorf("a page has stacks: %v, %v", stacks, err)
	}
	// A redeployment drains: the request ends where it began, a new one does not wait.
	write(t, filepath.Join(dir, "slow"), hello("new"))
	h.becomes("/slow/", 200, "new")
	if s, _ := h.status("slow"); s.Draining != 1 {
		t.Errorf("%d instances drain, want 1", s.Draining)
	}
	write(t, filepath.Join(dir, ".gatehouse/data/slow"), tree{"go": ""})
	if got := testserver.Receive(t, "the old request's answer", answered); got != "went" {
		t.Errorf("the old request got %q", got)
	}
	h.awaits("slow", "has drained", func(s webapps.Status) bool { return s.Draining == 0 })
}

// TestOneServer: a folder has one server, and is nobody's who is not trusted.
func TestOneServer(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	if _, err := webapps.Open(webapps.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another server runs these applications") {
		t.Errorf("a second one: %v", err)
	}
	h.close()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := webapps.Open(webapps.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "can be changed by everybody on this machine (mode 0777)") {
		t.Errorf("a folder of everybody's: %v", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, ".gatehouse/key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := webapps.Open(webapps.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "only its owner can read") {
		t.Errorf("a key that others know: %v", err)
	}
	if _, err := webapps.Open(webapps.Config{Dir: filepath.Join(dir, "nothing")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// Nothing runs of a folder that everybody can change.
func TestFolderOfEverybody(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "scripts"), tree{"cgi-bin/x.sh": "#!/bin/sh\n"})
	write(t, filepath.Join(dir, "wsgi"), hello(""))
	write(t, filepath.Join(dir, "page"), page(""))
	for _, base := range []string{"scripts", "wsgi", "page"} {
		if err := os.Chmod(filepath.Join(dir, base), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	h := open(t, dir)
	for _, s := range h.Apps() {
		if s.State != webapps.Failed || !strings.Contains(s.Failure.Hint, "chmod o-w") {
			t.Errorf("%v is %v, %v", s.Name, s.State, s.Failure)
		}
	}
	found, err := webapps.Inspect(webapps.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if f.Err == nil {
			t.Errorf("%v would be deployed", f.Name)
		}
	}
}

// What ends while it deploys leaves nothing.
func TestCloseWhileDeploying(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		write(t, filepath.Join(dir, name), hello(name))
	}
	d, err := webapps.Open(webapps.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := d.Close(ctx); err != nil {
		t.Error(err)
	}
}

// What goes before it was complete was never an application.
func TestGoneBeforeComplete(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, func(c *webapps.Config) { c.Quiet = time.Second })
	write(t, filepath.Join(dir, "site"), page("x"))
	h.awaits("site", "is seen", func(s webapps.Status) bool { return s.State == webapps.Deploying })
	h.wants("/site/", 503, "")
	if err := os.RemoveAll(filepath.Join(dir, "site")); err != nil {
		t.Fatal(err)
	}
	testserver.Eventually(t, "it is gone", func() bool { return len(h.Apps()) == 0 })
	h.wants("/site/", 404, "")
}

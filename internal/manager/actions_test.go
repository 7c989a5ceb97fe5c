package manager_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/manager"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

func TestDeploy(t *testing.T) {
	d := open(t, nil).enter()
	tests := []struct {
		name, file string
		fields     []string
		path       string // of the site then
		page       string // to which the answer leads
	}{
		{"named by its file", "shop.zip", nil, "/shop/", "/apps/shop"},
		{"at a path", "build-17.zip", []string{"path", "/tools/dns"}, "/tools/dns/", "/apps/tools%23dns"},
		{"at a path without slashes", "x.zip", []string{"path", " wiki/ "}, "/wiki/", "/apps/wiki"},
		{"the root", "x.zip", []string{"path", "/"}, "/", "/apps/ROOT"},
		{"with a version", "blog.zip", []string{"version", "2"}, "/blog/", "/apps/blog%23%232"},
		{"with path and version", "x.zip", []string{"path", "/news", "version", "7"}, "/news/", "/apps/news%23%237"},
		{"version in the file's name", "club##3.zip", nil, "/club/", "/apps/club%23%233"},
		{"wheel", "Notes-2.0-py3-none-any.whl", nil, "/Notes/", "/apps/Notes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := d.deploy(tt.file, site(t, tt.name), tt.fields...)
			a.wants(t, http.StatusSeeOther)
			if got := a.header.Get("Location"); got != tt.page+"?done=deploy" {
				t.Errorf("the answer leads to %s", got)
			}
			d.visit(tt.path).wants(t, http.StatusOK, tt.name)
			d.get(a.header.Get("Location")).wants(t, http.StatusOK, "Deployed.", "running")
		})
	}
}

// TestDeployRefused: nothing comes of what is no archive, and the page says what
// to do.
func TestDeployRefused(t *testing.T) {
	d := open(t, map[string]string{"folder/index.html": "folder"}, func(c *manager.Config) { c.MaxUpload = 100 << 10 }).enter()
	large := make([]byte, 100<<10+64<<10)
	tests := []struct {
		name, file string
		data       []byte
		fields     []string
		status     int
		texts      []string
	}{
		{"no archive", "shop.zip", []byte("GIF89a"), nil, http.StatusUnprocessableEntity, []string{"damaged archive", "Is it complete?"}},
		{"empty", "shop.zip", nil, nil, http.StatusUnprocessableEntity, []string{"Is it complete?"}},
		{"cut short", "shop.zip", site(t, "shop")[:60], nil, http.StatusUnprocessableEntity, []string{"Is it complete?"}},
		{"no ending", "shop.exe", site(t, "shop"), nil, http.StatusBadRequest, []string{"does not end as archives do"}},
		{"no file", "", nil, nil, http.StatusBadRequest, []string{"the form has no archive"}},
		{"out of the folder", "shop.zip", testserver.Zip(t, map[string]string{"../../evil.py": "x"}), nil, http.StatusUnprocessableEntity, []string{"Pack it again"}},
		{"nothing to run", "shop.zip", testserver.Zip(t, map[string]string{"notes.txt": "x"}), nil, http.StatusUnprocessableEntity, []string{"nothing to run"}},
		{"too large", "shop.zip", large, nil, http.StatusRequestEntityTooLarge, []string{"larger than 100 KB", "Leave out"}},
		{"path out", "shop.zip", site(t, "shop"), []string{"path", "../x"}, http.StatusBadRequest, []string{"begins with a dot", "such as /shop", `value="../x"`}},
		{"path of nonsense", "shop.zip", site(t, "shop"), []string{"path", `<script>"`}, http.StatusBadRequest, []string{"&lt;script&gt;"}},
		{"name of nonsense", "a b.zip", site(t, "shop"), nil, http.StatusBadRequest, []string{"cannot stand in a path"}},
		{"long field", "shop.zip", site(t, "shop"), []string{"path", strings.Repeat("x", manager.MaxValue+1)}, http.StatusBadRequest, []string{"is too long"}},
		{
			"many fields", "shop.zip", site(t, "shop"),
			[]string{"1", "", "2", "", "3", "", "4", "", "5", "", "6", "", "7", "", "8", ""},
			http.StatusBadRequest,
			[]string{"no archive"},
		},
		{"over a folder", "folder.zip", site(t, "shop"), nil, http.StatusUnprocessableEntity, []string{"a folder in webapps", "undeploy it first"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body, contentType := upload(t, tt.file, tt.data, tt.fields...)
			for _, announced := range []bool{true, false} {
				r := d.request(http.MethodPost, "/deploy", bytes.NewReader(body.Bytes()))
				r.Header.Set("Content-Type", contentType)
				if !announced {
					r.ContentLength = -1
				}
				a := d.send(r)
				a.wants(t, tt.status, append(tt.texts, `role="alert"`)...)
				if strings.Contains(a.body, "<script>") {
					t.Error("what was typed gets into the page as it is")
				}
			}
		})
	}
	r := d.request(http.MethodPost, "/deploy", strings.NewReader("archive=x"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	d.send(r).wants(t, http.StatusBadRequest, "the form has no archive")
	if all := d.apps.Apps(); len(all) != 1 {
		t.Errorf("there are %d applications, want 1", len(all))
	}
	if left, err := os.ReadDir(filepath.Join(d.dir, ".gatehouse", "incoming")); err != nil || len(left) > 0 {
		t.Errorf("%d files are left of what was sent, %v", len(left), err)
	}
	d.visit("/folder/").wants(t, http.StatusOK, "folder")
}

// An upload that breaks off leaves nothing.
func TestDeployBroken(t *testing.T) {
	d := open(t, nil).enter()
	body, contentType := upload(t, "shop.zip", site(t, "shop"))
	half := body.Bytes()[:body.Len()/2]
	r := d.request(http.MethodPost, "/deploy", io.MultiReader(bytes.NewReader(half), failing{}))
	r.ContentLength = int64(body.Len())
	r.Header.Set("Content-Type", contentType)
	d.send(r).wants(t, http.StatusInternalServerError, "role=\"alert\"")
	if got := d.state("shop"); got != "none" {
		t.Errorf("the shop is %s", got)
	}
}

// failing is a body whose client has left.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestActions(t *testing.T) {
	d := open(t, nil).enter()
	d.deploy("shop.zip", site(t, "one")).wants(t, http.StatusSeeOther)
	d.get("/apps/shop").wants(t, http.StatusOK, ">Reload<", ">Stop<", "Undeploy")
	d.post("/apps/shop/rollback").wants(t, http.StatusConflict, "no previous deployment", "Deploy the archive")
	d.deploy("shop.zip", site(t, "two")).wants(t, http.StatusSeeOther)
	d.visit("/shop/").wants(t, http.StatusOK, "two")
	d.get("/apps/shop").wants(t, http.StatusOK, ">Roll back<")
	d.post("/apps/shop/rollback").wants(t, http.StatusSeeOther)
	d.visit("/shop/").wants(t, http.StatusOK, "one")
	d.post("/apps/shop/stop").wants(t, http.StatusSeeOther)
	d.visit("/shop/").wants(t, http.StatusServiceUnavailable)
	d.get("/apps/shop?done=stop").wants(t, http.StatusOK, "Visitors get 503", ">Start<", "stopped")
	d.post("/apps/shop/start").wants(t, http.StatusSeeOther)
	d.post("/apps/shop/reload").wants(t, http.StatusSeeOther)
	d.visit("/shop/").wants(t, http.StatusOK, "one")
	d.post("/apps/shop/retire").wants(t, http.StatusConflict, "no newer version")

	// Files that the running one has written are not lost by mistake.
	written := filepath.Join(d.dir, ".gatehouse", "apps", "shop", "1", "visitors.txt")
	if err := os.WriteFile(written, []byte("ada"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.deploy("shop.zip", site(t, "three")).wants(t, http.StatusConflict, "<code>visitors.txt</code>", "discard files")
	d.visit("/shop/").wants(t, http.StatusOK, "one")
	d.deploy("shop.zip", site(t, "three"), "discard", "on").wants(t, http.StatusSeeOther)
	d.visit("/shop/").wants(t, http.StatusOK, "three")

	// Two versions: the old one can be retired.
	d.deploy("x.zip", site(t, "four"), "path", "/shop", "version", "2").wants(t, http.StatusSeeOther)
	d.deploy("x.zip", site(t, "five"), "path", "/shop", "version", "3").wants(t, http.StatusSeeOther)
	d.get("/apps/shop%23%232").wants(t, http.StatusOK, "/shop##2", ">Retire<")
	d.post("/apps/shop%23%232/retire").wants(t, http.StatusSeeOther)
	d.get("/apps/shop%23%232").wants(t, http.StatusOK, "retired")

	a := d.post("/apps/shop/undeploy")
	a.wants(t, http.StatusSeeOther)
	d.get(a.header.Get("Location")).wants(t, http.StatusOK, "Undeployed.")
	d.get("/apps/shop").wants(t, http.StatusNotFound)
	for _, path := range []string{"/apps/shop/stop", "/apps/none/start", "/apps/none/undeploy"} {
		d.post(path).wants(t, http.StatusNotFound, "role=\"alert\"")
	}
	d.post("/apps/a%20b/stop").wants(t, http.StatusNotFound)
	d.post("/apps/shop%23%233/explode").wants(t, http.StatusNotFound)
	d.get("/log").wants(t, http.StatusOK, "asked for in the manager", "rollback")
	d.get("/?done="+"nonsense").wants(t, http.StatusOK)
}

const raises = `import missing_on_purpose
def app(environ, start_response): pass
`

// snail is an application that says what it was told, and takes its time.
const snail = `import os, time
def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        open(os.environ["GATEHOUSE_DATA"] + "/begun", "w").close()
        while not os.path.exists(os.environ["GATEHOUSE_DATA"] + "/go"):
            time.sleep(0.01)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"cookies: " + environ.get("HTTP_COOKIE", "none").encode()]
`

// TestPython: workers, what they are doing, and why they fail.
func TestPython(t *testing.T) {
	d := open(t, map[string]string{"snail/app.py": snail, "broken/app.py": raises}).enter()
	d.get("/").wants(t, http.StatusOK, "/apps/snail", "running", "failed", "missing_on_purpose", "1 failed")
	d.get("/apps/broken").wants(t, http.StatusOK, "Traceback (most recent call last)", "import missing_on_purpose", ">Start<")
	d.post("/apps/broken/start").wants(t, http.StatusUnprocessableEntity, "missing_on_purpose", "Traceback", "looked with")

	answered := make(chan answer, 1)
	go func() { answered <- d.visit("/snail/slow") }()
	data := filepath.Join(d.dir, ".gatehouse", "data", "snail")
	testserver.Eventually(t, "the request runs", func() bool {
		_, err := os.Stat(filepath.Join(data, "begun"))
		return err == nil
	})
	testserver.Eventually(t, "the page shows it", func() bool {
		return strings.Contains(d.get("/apps/snail").body, "GET /snail/slow")
	})
	d.get("/apps/snail").wants(t, http.StatusOK, "Runs for", "pid ", "busy")
	d.get("/apps/snail/stacks").wants(t, http.StatusOK, "GET /snail/slow", "time.sleep(0.01)")
	testserver.Eventually(t, "it is slow", func() bool {
		return strings.Contains(d.get("/").body, "Slow requests")
	})
	d.get("/apps/snail").wants(t, http.StatusOK, "Slow requests", "time.sleep(0.01)")
	if err := os.WriteFile(filepath.Join(data, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	testserver.Receive(t, "the answer", answered).wants(t, http.StatusOK, "cookies")
	d.get("/apps/none/stacks").wants(t, http.StatusNotFound)
}

// beside are the applications of a folder, and one that is in none.
type beside struct{ apps }

func (b beside) Apps() []webapps.Status {
	name, err := webapps.ParseBase("routed")
	if err != nil {
		panic(err)
	}
	return append(b.apps.Apps(), webapps.Status{Name: name, Type: webapps.WSGI, State: webapps.Running, Routed: true, User: "daemon"})
}

func (beside) Undeploy(context.Context, webapps.ContextName) error {
	return &webapps.RefusedError{What: "it is in the file", Hint: "take it out of there"}
}

func (beside) Reload(context.Context, webapps.ContextName) error {
	return &pyapp.StartError{App: "routed", Err: errors.New("cannot be imported"), Traceback: "Traceback: line 7"}
}

// TestRouted: what is in no folder is started and stopped, and not undeployed.
func TestRouted(t *testing.T) {
	d := open(t, nil, func(c *manager.Config) {
		c.Apps = beside{c.Apps}
		c.LogName = func(name webapps.ContextName) string { return name.Base() }
	}).enter()
	d.log.Info("out of it", "app", "routed")
	d.log.Info("out of another", "app", "/routed")
	page := d.get("/apps/routed")
	page.wants(t, http.StatusOK, ">Stop<", ">Reload<", "out of it", "runs as <code>daemon</code>")
	for _, not := range []string{"Undeploy", "out of another"} {
		if strings.Contains(page.body, not) {
			t.Errorf("the page of an application in no folder has %q", not)
		}
	}
	d.post("/apps/routed/undeploy").wants(t, http.StatusConflict, "it is in the file", "take it out of there")
	d.post("/apps/routed/reload").wants(t, http.StatusUnprocessableEntity, "cannot be imported", "Traceback: line 7")
}

// TestUploadNames: an archive's name says where it answers, and is no path or URL
// of anything on this machine.
func TestUploadNames(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "evil.zip")
	if err := os.WriteFile(outside, site(t, "outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		file   string
		fields []string
		status int
		path   string // where it answers
	}{
		{"../../evil.zip", nil, http.StatusSeeOther, "/evil/"},
		{outside, nil, http.StatusSeeOther, "/evil/"},
		{"http://127.0.0.1/x.zip", nil, http.StatusSeeOther, "/x/"},
		{`..\..\evil.zip`, nil, http.StatusBadRequest, ""},
		{".gatehouse.zip", nil, http.StatusBadRequest, ""},
		{".zip", nil, http.StatusBadRequest, ""},
		{"a%2fb.zip", nil, http.StatusBadRequest, ""},
		{"a##.zip", nil, http.StatusBadRequest, ""},
		{"a.zip", []string{"path", "../x"}, http.StatusBadRequest, ""},
		{"a.zip", []string{"path", "/a/../b"}, http.StatusBadRequest, ""},
		{"a.zip", []string{"path", "/.gatehouse"}, http.StatusBadRequest, ""},
		{"a.zip", []string{"path", "http://127.0.0.1/x"}, http.StatusBadRequest, ""},
		{"a.zip", []string{"version", "../1"}, http.StatusBadRequest, ""},
	} {
		t.Run(strings.Join(append(tt.fields, tt.file), " "), func(t *testing.T) {
			d := open(t, nil).enter()
			d.deploy(tt.file, site(t, "sent"), tt.fields...).wants(t, tt.status)
			if tt.path != "" {
				d.visit(tt.path).wants(t, http.StatusOK, "sent")
			}
			entries, err := os.ReadDir(d.dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if e.Name() != ".gatehouse" && "/"+strings.TrimSuffix(e.Name(), ".zip")+"/" != tt.path {
					t.Errorf("there is %s", e.Name())
				}
			}
		})
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// python is one that every user may run.
const python = "/usr/bin/python3"

// probe is an application that does what it is asked to, and says how that went.
const probe = `import os, signal
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    verb, _, what = environ["QUERY_STRING"].partition("=")
    try:
        if verb == "read":
            with open(what, "rb") as f: answer = f.read().decode("utf-8", "replace")
        elif verb == "list":
            answer = " ".join(sorted(os.listdir(what)))
        elif verb == "kill":
            os.kill(int(what), 0)
            answer = "may kill"
        elif verb == "write":
            with open(what, "w") as f: f.write("written")
            answer = "written"
        elif verb == "env":
            answer = os.environ.get(what, "")
        else:
            answer = "uid %d %d gid %d groups %s home %s user %s" % (os.getuid(), os.geteuid(), os.getgid(), os.getgroups(), os.environ["HOME"], os.environ["USER"])
    except OSError as e:
        answer = type(e).__name__
    return [answer.encode()]
`

// person is a user of the system.
type person struct {
	name     string
	uid, gid int
}

func (p person) says() string { return fmt.Sprintf("uid %d %d gid %d ", p.uid, p.uid, p.gid) }

// lookUp is a user that every Debian has.
func lookUp(t *testing.T, name string) person {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err = errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return person{name, uid, gid}
}

// estate is a folder of applications that belong to several users, and the
// program that serves it, as people have it: a test binary that looks for races
// cannot keep capabilities.
type estate struct {
	t                *testing.T
	dir, apps        string
	base, alice, bob person // base has the folder
	program          string
	server           *testserver.Program
	url              string
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	e := &estate{t: t, dir: t.TempDir(), base: lookUp(t, "nobody"), alice: lookUp(t, "daemon"), bob: lookUp(t, "bin")}
	e.apps = filepath.Join(e.dir, "webapps")
	e.must(os.Mkdir(e.apps, 0o755))
	for d := e.apps; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		e.must(os.Chmod(d, 0o755))
	}
	e.must(os.Chown(e.apps, e.base.uid, e.base.gid))
	e.program = testserver.BuildProduct(t, ".")
	return e
}

func (e *estate) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// put makes a folder of files that is somebody's, and that nobody else can enter.
func (e *estate) put(name string, who person, files map[string]string) {
	e.t.Helper()
	dir := filepath.Join(e.apps, name)
	for file, text := range files {
		path := filepath.Join(dir, file)
		e.must(os.MkdirAll(filepath.Dir(path), 0o700))
		if target, link := strings.CutPrefix(text, "-> "); link {
			e.must(os.Symlink(target, path))
		} else {
			e.must(os.WriteFile(path, []byte(text), 0o600))
		}
		if strings.HasPrefix(text, "#!") {
			e.must(os.Chmod(path, 0o700))
		}
	}
	e.must(filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, who.uid, who.gid)
	}))
}

// pack makes an archive that is somebody's, and that nobody else can read.
func (e *estate) pack(name string, who person, files map[string]string) {
	e.t.Helper()
	path := filepath.Join(e.apps, name)
	e.must(os.WriteFile(path, testserver.Zip(e.t, files), 0o600))
	e.must(os.Chown(path, who.uid, who.gid))
}

func (e *estate) socket() string { return filepath.Join(e.dir, "control.sock") }

// start starts the server, as root.
func (e *estate) start(args ...string) {
	e.t.Helper()
	e.server = testserver.StartProgram(e.t, e.dir, e.program, slices.Concat([]string{"run", "--control", e.socket(), "--python", python}, args, []string{".", "0"})...)
	e.url = e.server.Await(`ready +(http://[^ ]+)/`)
}

// get asks for a page and returns status and body.
func (e *estate) get(path string) (int, string) {
	e.t.Helper()
	r, err := http.NewRequestWithContext(e.t.Context(), http.MethodGet, e.url+path, nil)
	e.must(err)
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	e.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	e.must(err)
	return resp.StatusCode, string(body)
}

// says fails unless the page's answer begins with that.
func (e *estate) says(path, want string) {
	e.t.Helper()
	if status, body := e.get(path); status != http.StatusOK || !strings.HasPrefix(body, want) {
		e.t.Errorf("%s: %d %q, want %q", path, status, body, want)
	}
}

// try has the probe at a path do something.
func (e *estate) try(app, verb, what string) string {
	e.t.Helper()
	_, body := e.get(app + "/?" + verb + "=" + what)
	return body
}

// gatehouse runs a command for the server, as root, and returns what it prints.
func (e *estate) gatehouse(args ...string) (string, error) {
	e.t.Helper()
	out, err := exec.Command(e.program, append(args, "--control", e.socket())...).CombinedOutput()
	return string(out), err
}

func (e *estate) ok(args ...string) string {
	e.t.Helper()
	out, err := e.gatehouse(args...)
	if err != nil {
		e.t.Fatalf("gatehouse %v: %v\n%s", args, err, out)
	}
	return out
}

// known is what the server tells of its applications, by their names.
func (e *estate) known() map[string]control.App {
	e.t.Helper()
	var all []control.App
	e.must(json.Unmarshal([]byte(e.ok("apps", "--json")), &all))
	apps := map[string]control.App{}
	for _, a := range all {
		apps[a.Name] = a
	}
	return apps
}

// owner is whom a file belongs to.
func (e *estate) owner(path string) int {
	e.t.Helper()
	info, err := os.Lstat(filepath.Join(e.apps, path))
	e.must(err)
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

// processes are all that have something to do with the estate's data.
func (e *estate) processes() (pids []string) {
	e.t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	e.must(err)
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err == nil && bytes.Contains(text, []byte("GATEHOUSE_DATA="+e.apps)) {
			pids = append(pids, strings.Split(path, "/")[2])
		}
	}
	return pids
}

// hasEnvironment reports whether a process was started with that in its
// environment.
func (e *estate) hasEnvironment(pid, text string) bool {
	all, err := os.ReadFile("/proc/" + pid + "/environ")
	return err == nil && bytes.Contains(all, []byte(text))
}

// TestUsers has applications of all kinds run as whom they belong to, and attack
// each other.
// capabilities are those that a process may use, "self" for this one.
func (e *estate) capabilities(pid string) uint64 {
	e.t.Helper()
	text, err := os.ReadFile("/proc/" + pid + "/status")
	e.must(err)
	found := regexp.MustCompile(`CapPrm:\s*([0-9a-f]+)`).FindSubmatch(text)
	if found == nil {
		e.t.Fatalf("no capabilities in %s", text)
	}
	all, err := strconv.ParseUint(string(found[1]), 16, 64)
	e.must(err)
	return all
}

func TestUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root becomes somebody else
	}
	e := newEstate(t)
	const script = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nuid %s %s gid %s files %s' $(id -ru) $(id -u) $(id -g) $(ulimit -n)\n"
	ident := "import os\nprint('Content-Type: text/plain\\n')\nprint('uid %d %d gid %d ' % (os.getuid(), os.geteuid(), os.getgid()))\n"
	e.put("mine", e.base, map[string]string{"app.py": probe})
	e.put("a", e.alice, map[string]string{
		"app.py": probe, "gatehouse.toml": "[app]\nrelease = [\"id -un\"]\n[app.env]\nSECRET = { file = \"secret\" }\n[processes]\nbeside = \"id -un; exec sleep 1000\"\n",
		"secret": "alice's",
	})
	e.put("b", e.bob, map[string]string{"app.py": probe, "secret": "bob's"})
	e.pack("packed.zip", e.bob, map[string]string{"app.py": probe})
	e.put("files", e.alice, map[string]string{
		"index.html": "welcome", "own": "-> index.html", "theirs": "-> ../b/secret", "shadow": "-> /etc/shadow", "self": "-> /proc/self/environ", "key": "-> ../.gatehouse/key",
	})
	e.put("scripts", e.alice, map[string]string{
		"gatehouse.toml": "[app]\ncgi_limit_files = 50\n", "cgi-bin/slow.sh": "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nsleep 1000\n",
		"cgi-bin/id.sh": script, "cgi-bin/warm.py": ident, "cgi-bin/theirs.py": "-> ../../b/app.py",
	})
	e.put("pages", e.bob, map[string]string{"gatehouse.toml": "[app]\ntype = \"pages\"\n", "id.py": ident, "app.py": strings.Replace(probe, "def app(", "def application(", 1)})
	e.put("stolen", e.alice, map[string]string{"app.py": probe, "gatehouse.toml": "-> ../.gatehouse/key"})
	e.put("greedy", e.alice, map[string]string{"app.py": probe, "gatehouse.toml": "user = \"root\"\n"})
	e.put("roots", person{}, map[string]string{"app.py": probe})
	e.put("declares", e.alice, map[string]string{
		"flask.py": "import os\nclass Flask:\n    debug, has_static_folder, static_url_path, blueprints = False, True, '/static', {}\n    static_folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'st')\n" +
			"class Store:\n    has_static_folder, static_url_path, url_prefix = True, '/store', ''\n    static_folder = '" + filepath.Join(e.apps, ".gatehouse") + "'\nFlask.blueprints['store'] = Store\n" +
			"def call(self, environ, start_response):\n    start_response('404 Not Found', [])\n    return [b'of the application']\nFlask.__call__ = call\n",
		"app.py": "from flask import Flask\napp = Flask()\n", "st/own.txt": "own", "st/theirs.txt": "-> ../../b/secret",
	})
	// A link to somebody else's folder, from whom the applications' folder is.
	e.must(os.Symlink("b", filepath.Join(e.apps, "linked")))
	e.must(os.Lchown(filepath.Join(e.apps, "linked"), e.base.uid, e.base.gid))
	e.start()

	// Who they are.
	for path, who := range map[string]person{
		"/mine/": e.base, "/a/": e.alice, "/b/": e.bob, "/packed/": e.bob, "/scripts/cgi-bin/id.sh": e.alice, "/scripts/cgi-bin/warm.py": e.alice, "/pages/id.py": e.bob, "/pages/app.py": e.bob,
	} {
		e.says(path, who.says())
	}
	e.says("/a/", e.alice.says()+fmt.Sprintf("groups [%d] home /usr/sbin user daemon", e.alice.gid))
	e.says("/a/?env=SECRET", "alice's")
	e.says("/scripts/cgi-bin/id.sh", e.alice.says()+"files 50")
	e.says("/files/", "welcome")
	e.says("/declares/static/own.txt", "own")
	e.server.Await(`release command ended app=/a command="id -un" in=\S+ (output=daemon)`)
	e.server.Await(`printed app=/a process=beside (output=daemon)`)
	apps := e.known()
	for name, who := range map[string]person{"/mine": e.base, "/a": e.alice, "/b": e.bob, "/packed": e.bob, "/files": e.alice} {
		if got := apps[name].User; got != who.name {
			t.Errorf("%s is told to run as %q, want %q", name, got, who.name)
		}
	}

	if got := e.ok("apps", "/a"); !regexp.MustCompile(`ENTRY +USER +STATE[^\n]*\n/a .* a +daemon +running`).MatchString(got) {
		t.Errorf("apps:\n%s", got)
	}

	// What the server keeps: SETUID, SETGID, KILL, CHOWN, and SYS_RESOURCE if there is
	// that, with which it limits programs without being their user for a moment, in
	// which they could end it.
	if got, want := e.capabilities(strconv.Itoa(e.server.PID())), uint64(1<<0|1<<5|1<<6|1<<7)|e.capabilities("self")&(1<<24); got != want {
		t.Errorf("the server has the capabilities %#x, want %#x", got, want)
	}

	// What is refused, and why.
	for name, why := range map[string]string{
		"/roots": "it belongs to root", "/greedy": "user concerns the whole server", "/stolen": "permission denied", "/linked": "the symbolic link belongs to another user (65534)",
	} {
		if a := apps[name]; a.State != "failed" || a.Failure == nil || !strings.Contains(a.Failure.Message, why) {
			t.Errorf("%s: %s, %+v, want failed: %s", name, a.State, a.Failure, why)
		}
	}
	if a := apps["/stolen"]; a.Failure != nil && !strings.Contains(a.Failure.Hint, "it runs as daemon, who must be able to read") {
		t.Errorf("what to do about it: %q", a.Failure.Hint)
	}
	log := e.server.Log.String()
	for _, want := range []string{
		"user       nobody\n", "/a, /declares, /files, /scripts run as daemon and can reach each other's files and processes\n",
		"/b, /packed, /pages run as bin and can reach", "warning    /mine runs as nobody, as the server does, and can have all others do anything",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("it does not say %q", want)
		}
	}

	// What they cannot do to each other.
	store := filepath.Join(e.apps, ".gatehouse")
	worker := func(name string) string { return strconv.Itoa(apps[name].Workers[0].PID) }
	for _, tt := range []struct{ app, verb, what string }{
		{"/a", "read", filepath.Join(e.apps, "b", "secret")},
		{"/a", "read", filepath.Join(e.apps, "packed.zip")},
		{"/a", "list", filepath.Join(store, "apps", "packed", "1")},
		{"/a", "read", filepath.Join(store, "apps", "packed", "1", "app.py")},
		{"/a", "read", filepath.Join(store, "apps", "packed", "1.files")},
		{"/a", "list", filepath.Join(store, "data", "b")},
		{"/a", "list", filepath.Join(store, "data", "mine")},
		{"/a", "write", filepath.Join(store, "data", "b", "x")},
		{"/a", "write", filepath.Join(store, "apps", "packed", "1", "app.py")},
		{"/a", "write", filepath.Join(e.apps, "new")},
		{"/a", "read", filepath.Join(store, "key")},
		{"/a", "list", store},
		{"/a", "read", "/proc/" + worker("/b") + "/environ"},
		{"/a", "read", fmt.Sprintf("/proc/%d/environ", e.server.PID())},
		{"/a", "kill", worker("/b")},
		{"/a", "kill", worker("/mine")},
		{"/a", "kill", strconv.Itoa(e.server.PID())},
		{"/b", "read", filepath.Join(e.apps, "a", "secret")},
		{"/b", "read", "/proc/" + worker("/a") + "/environ"},
		{"/b", "kill", worker("/a")},
		// The server's own user has no rights over others either.
		{"/mine", "read", filepath.Join(e.apps, "a", "secret")},
		{"/mine", "list", filepath.Join(store, "data", "a")},
		{"/mine", "list", filepath.Join(store, "apps", "packed", "1")},
		{"/mine", "read", fmt.Sprintf("/proc/%d/environ", e.server.PID())},
		{"/mine", "read", fmt.Sprintf("/proc/%d/mem", e.server.PID())},
		{"/mine", "kill", worker("/b")},
		{"/mine", "read", "/etc/shadow"},
	} {
		if got := e.try(tt.app, tt.verb, tt.what); got != "PermissionError" {
			t.Errorf("%s: %s %s: %q", tt.app, tt.verb, tt.what, got)
		}
	}
	// What is theirs, they can.
	for _, app := range []string{"/a", "/b", "/mine", "/packed"} {
		data := e.try(app, "env", "GATEHOUSE_DATA")
		if got := e.try(app, "write", filepath.Join(data, "x")); got != "written" {
			t.Errorf("%s writes into its data: %q", app, got)
		}
		if got := e.try(app, "write", "/dev/stderr"); got != "written" {
			t.Errorf("%s writes to /dev/stderr: %q", app, got)
		}
	}
	// Nor does the server do it for them.
	for _, path := range []string{"/files/theirs", "/files/shadow", "/files/self", "/files/key", "/scripts/cgi-bin/theirs.py", "/declares/static/theirs.txt", "/declares/store/key"} {
		if status, body := e.get(path); status != http.StatusNotFound && status != http.StatusForbidden || strings.Contains(body, "bob's") {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	// The server still looks after what is somebody else's.
	for name, a := range apps {
		if len(a.Workers) > 0 && a.Workers[0].Memory == 0 {
			t.Errorf("nobody knows how much memory %s takes", name)
		}
	}
	if out := e.ok("stacks", "/b"); !strings.Contains(out, "Thread") && !strings.Contains(out, "worker") {
		t.Errorf("stacks of /b:\n%s", out)
	}

	// What changes is deployed, though the server may not look at it.
	e.put("b", e.bob, map[string]string{"app.py": strings.Replace(probe, `answer = "uid`, `answer = "new uid`, 1)})
	testserver.Eventually(t, "the new /b", func() bool { _, body := e.get("/b/"); return strings.HasPrefix(body, "new "+e.bob.says()) })
	// And what is somebody else's now runs as him, when its data is his as well.
	e.must(os.Chown(filepath.Join(store, "data", "b"), e.alice.uid, e.alice.gid))
	e.put("b", e.alice, nil)
	testserver.Eventually(t, "/b of alice's", func() bool { return e.known()["/b"].User == e.alice.name })
	e.says("/b/", "new "+e.alice.says())

	// However the server ends, everything does.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.url+"/scripts/cgi-bin/slow.sh", nil)
	e.must(err)
	go func() {
		if resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r); err == nil {
			resp.Body.Close()
		}
	}()
	testserver.Eventually(t, "a script that does not end", func() bool {
		return slices.ContainsFunc(e.processes(), func(pid string) bool {
			text, err := os.ReadFile("/proc/" + pid + "/cmdline")
			return err == nil && bytes.HasPrefix(text, []byte("sleep\x001000")) && e.hasEnvironment(pid, "SCRIPT_NAME=/scripts/cgi-bin/slow.sh")
		})
	})
	// Also what is only on its way: one by the signal of a parent's death, one by a
	// lifeline.
	e.put("releasing", e.bob, map[string]string{"app.py": probe, "gatehouse.toml": "[app]\nrelease = [\"exec sleep 1001\"]\n"})
	e.put("importing", e.bob, map[string]string{"app.py": "import subprocess\nsubprocess.run(['sleep', '1002'])\n" + probe})
	for _, seconds := range []string{"1001", "1002"} {
		testserver.Eventually(t, "a start that does not end", func() bool {
			return slices.ContainsFunc(e.processes(), func(pid string) bool {
				text, err := os.ReadFile("/proc/" + pid + "/cmdline")
				return err == nil && bytes.HasPrefix(text, []byte("sleep\x00"+seconds))
			})
		})
	}
	if n := len(e.processes()); n < 13 {
		t.Errorf("only %d processes", n)
	}
	e.server.Signal(syscall.SIGKILL)
	testserver.Eventually(t, "the end of all processes", func() bool { return len(e.processes()) == 0 })
}

// TestUsersInstall: requirements are installed by whom they are for, and nobody
// else can look into what is installed.
func TestUsersInstall(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root becomes somebody else
	}
	e := newEstate(t)
	const info = "gift-1.0.dist-info/"
	wheel := testserver.Zip(t, map[string]string{
		"gift.py":         "WORD = 'thanks'\n",
		info + "METADATA": "Metadata-Version: 2.1\nName: gift\nVersion: 1.0\n",
		info + "WHEEL":    "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
		info + "RECORD":   "gift.py,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" + info + "RECORD,,\n",
	})
	install := map[string]string{
		"app.py": "import gift\n" + probe, "wheels/gift-1.0-py3-none-any.whl": string(wheel), "requirements.txt": "gift\n", "gatehouse.toml": "[app]\ninstall = \"wheels\"\n",
	}
	e.put("shop", e.alice, install)
	e.put("spy", e.bob, map[string]string{"app.py": probe})
	e.start()
	e.ok("reload", "/shop") // when it has been installed, however long that takes
	e.says("/shop/", e.alice.says())
	made, err := filepath.Glob(filepath.Join(e.apps, ".gatehouse/apps/shop/venv/*"))
	if err != nil || len(made) != 1 {
		t.Fatalf("environments %v, %v", made, err)
	}
	if got := e.try("/spy", "list", made[0]); got != "PermissionError" {
		t.Errorf("somebody else lists %s", got)
	}
	if n := strings.Count(e.server.Log.String(), "requirements installed"); n != 1 {
		t.Errorf("installed %d times", n)
	}
	// Another environment for another user, and the one before it goes when nobody
	// needs it.
	e.must(os.Chown(filepath.Join(e.apps, ".gatehouse/data/shop"), e.bob.uid, e.bob.gid))
	e.put("shop", e.bob, nil)
	e.ok("reload", "/shop")
	e.says("/shop/", e.bob.says())
	e.ok("undeploy", "/shop")
	if _, err := os.Lstat(filepath.Join(e.apps, ".gatehouse/apps/shop")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was installed: %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(e.apps, ".gatehouse", "incoming")); err != nil || len(left) > 0 {
		t.Errorf("incoming holds %v, %v", left, err)
	}
}

// TestUsersControl: what commands do leaves everything whose it is.
func TestUsersControl(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root becomes somebody else
	}
	e := newEstate(t)
	version := func(n string) map[string]string {
		return map[string]string{"app.py": strings.Replace(probe, `answer = "uid`, `answer = "`+n+` uid`, 1)}
	}
	file := func(n string) string {
		path := filepath.Join(e.dir, n+".zip")
		e.must(os.WriteFile(path, testserver.Zip(t, version(n)), 0o600))
		return path
	}
	e.pack("shop.zip", e.alice, version("1"))
	e.put("blog", e.bob, version("1"))
	e.put("gone", e.bob, map[string]string{"index.html": "welcome", "deep/er": ""})
	e.must(os.Lchown(filepath.Join(e.apps, "gone"), e.bob.uid, 0)) // as root leaves it that gives a folder away
	e.start()
	e.says("/shop/", "1 "+e.alice.says())

	e.ok("deploy", file("2"), "--as", "/shop")
	e.says("/shop/", "2 "+e.alice.says())
	if uid := e.owner("shop.zip"); uid != e.alice.uid {
		t.Errorf("the archive belongs to %d", uid)
	}
	e.ok("rollback", "/shop")
	e.says("/shop/", "1 "+e.alice.says())
	e.ok("rollback", "/shop")
	e.says("/shop/", "2 "+e.alice.says())
	e.try("/shop", "write", "visitors.txt") // in its own folder
	if out, err := e.gatehouse("deploy", file("3"), "--as", "/shop"); err == nil || !strings.Contains(out, "visitors.txt") {
		t.Errorf("what was written is not seen: %v\n%s", err, out)
	}
	e.ok("deploy", file("3"), "--as", "/shop", "--discard")
	e.says("/shop/", "3 "+e.alice.says())

	// An archive in the place of a folder, and back.
	e.ok("deploy", file("2"), "--as", "/blog", "--discard")
	e.says("/blog/", "2 "+e.bob.says())
	if uid := e.owner("blog.zip"); uid != e.bob.uid {
		t.Errorf("the archive belongs to %d", uid)
	}
	e.ok("rollback", "/blog")
	e.says("/blog/", "1 "+e.bob.says())

	// A new one is the server's own.
	e.ok("deploy", file("4"), "--as", "/new")
	e.says("/new/", "4 "+e.base.says())
	for _, name := range []string{"/gone", "/blog", "/new"} {
		e.ok("undeploy", name)
	}
	for _, path := range []string{"gone", "blog.zip", ".gatehouse/apps/blog", ".gatehouse/apps/new"} {
		if _, err := os.Lstat(filepath.Join(e.apps, path)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if left, err := os.ReadDir(filepath.Join(e.apps, ".gatehouse", "incoming")); err != nil || len(left) > 0 {
		t.Errorf("incoming holds %v, %v", left, err)
	}
	if uid := e.owner(".gatehouse/data/blog"); uid != e.bob.uid {
		t.Errorf("the data of /blog belongs to %d", uid)
	}

	// The next server finds everything as it was.
	e.server.Interrupt()
	if status := e.server.Wait(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	e.start()
	e.says("/shop/", "3 "+e.alice.says())
	if got, err := os.ReadDir(filepath.Join(e.apps, ".gatehouse", "apps", "shop")); err != nil || len(got) != 5 {
		t.Errorf("kept: %v, %v", got, err) // two of them with their lists, and the state
	}
	// Who works for a server that has several can run nothing of them himself.
	e.must(os.Chmod(e.apps, 0o775))
	if out, err := e.gatehouse("reload", "/shop"); err == nil || !strings.Contains(out, "chmod go-w") {
		t.Errorf("a folder that others can change: %v\n%s", err, out)
	}
	e.says("/shop/", "3 "+e.alice.says())
}

// TestUsersRecover: a folder that a server was moving when it was killed is its
// owner's again.
func TestUsersRecover(t *testing.T) {
	e := newEstate(t)
	page := map[string]string{"app.py": probe}
	// As it is before the folder becomes the server's, and afterwards.
	e.put(".moving-1-shop", e.alice, page)
	e.put(".moving-1-blog", e.alice, page)
	e.put(".moving-1-trap", e.alice, page)
	e.put(".moving-1-wiki", e.bob, page)
	e.put("wiki", e.bob, page)
	e.must(os.WriteFile(filepath.Join(e.apps, ".moving-1-trap", "more.py"), nil, 0o600))
	for _, name := range []string{"blog", "trap"} {
		e.must(os.Chown(filepath.Join(e.apps, ".moving-1-"+name), e.base.uid, -1))
	}
	e.start()
	e.says("/shop/", e.alice.says())
	e.says("/blog/", e.alice.says())
	if status, _ := e.get("/trap/"); status != http.StatusNotFound {
		t.Errorf("a folder with files of several users is an application: %d", status)
	}
	if e.owner("blog") != e.alice.uid || e.owner(".moving-1-trap") != e.base.uid {
		t.Errorf("the folders belong to %d and %d", e.owner("blog"), e.owner(".moving-1-trap"))
	}
	// What is left is in nobody's way.
	for _, app := range []string{"wiki", "blog"} {
		e.ok("undeploy", app)
	}
	if left, err := os.ReadDir(e.apps); err != nil || len(left) != 4 { // .gatehouse, shop and two that stay
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestUsersNamed: the server's file, if nobody but root can write it, says whom an
// application runs as.
func TestUsersNamed(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root becomes somebody else
	}
	e := newEstate(t)
	say := func(text string) {
		e.must(os.WriteFile(filepath.Join(e.dir, "gatehouse.toml"), []byte(text), 0o644))
	}
	refuses := func(says string, args ...string) {
		t.Helper()
		cmd := exec.Command(e.program, append(args, "run", "--control", "off", ".", "0")...)
		cmd.Dir = e.dir
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), says) {
			t.Errorf("%v, want %q:\n%s", err, says, out)
		}
	}
	e.put("roots", person{}, map[string]string{"app.py": probe})
	e.must(os.Chmod(filepath.Join(e.apps, "roots"), 0o755))
	e.must(os.Chmod(filepath.Join(e.apps, "roots", "app.py"), 0o644))
	e.put("other", e.alice, map[string]string{"app.py": probe})

	say("[apps.roots]\nuser = \"no-such-user\"\n")
	refuses(`gatehouse.toml:2:8: user: cannot run as no-such-user: no such user`)
	say("[apps.roots]\nuser = \"root\"\n")
	refuses("nothing runs as root that is not told so for the whole server")
	say("[apps.roots]\nuser = \"bin\"\n")
	e.must(os.Chown(e.dir, e.base.uid, e.base.gid))
	refuses("user: started by root, it is not taken from a file that others can write or replace; name the file with --config")
	e.must(os.Chown(e.dir, 0, 0))
	e.must(os.Chmod(e.dir, 0o755))

	e.start()
	e.says("/roots/", e.bob.says())
	e.says("/other/", e.alice.says())
	// Another name counts from the next reload on.
	say("[apps.roots]\nuser = \"no-such-user\"\n")
	if out, err := e.gatehouse("reload"); err == nil || !strings.Contains(out, "no such user") {
		t.Errorf("reload: %v\n%s", err, out)
	}
	e.says("/roots/", e.bob.says())
	// What belongs to one user is not another's, who only comes by the same name.
	say("[apps.roots]\nuser = \"daemon\"\n")
	if out, err := e.gatehouse("reload"); err == nil || !strings.Contains(out, "data/roots belongs to another user (2) than the application runs as (1)") {
		t.Errorf("reload: %v\n%s", err, out)
	}
	e.says("/roots/", e.bob.says())
	e.must(os.Chown(filepath.Join(e.apps, ".gatehouse", "data", "roots"), e.alice.uid, e.alice.gid))
	e.ok("reload")
	e.says("/roots/", e.alice.says())
	e.server.Interrupt()
	e.server.Wait()

	// Somebody who runs all of it has no rights to become others.
	say("")
	e.must(os.RemoveAll(filepath.Join(e.apps, ".gatehouse", "data")))
	e.must(os.RemoveAll(filepath.Join(e.apps, "other")))
	e.start("--user", e.base.name)
	e.says("/roots/", e.base.says())
	if got := e.capabilities(strconv.Itoa(e.server.PID())); got != 0 {
		t.Errorf("it has the capabilities %#x", got)
	}
	say("[apps.roots]\nuser = \"bin\"\n")
	if out, err := e.gatehouse("reload"); err == nil || !strings.Contains(out, "cannot run as bin: this server has given up the right to become other users") {
		t.Errorf("reload: %v\n%s", err, out)
	}
	e.says("/roots/", e.base.says())
	e.server.Interrupt()
	e.server.Wait()

	// What is only looked at is looked at as who would run it.
	say("[apps.roots]\nuser = \"bin\"\n")
	check := exec.Command(e.program, "check", ".")
	check.Dir = e.dir
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("check: %v\n%s", err, out)
	}
	explain := exec.Command(e.program, "run", "--explain", ".")
	explain.Dir = e.dir
	if out, err := explain.CombinedOutput(); err != nil || !strings.Contains(string(out), "roots, as bin\n") || !strings.Contains(string(out), "user = \"bin\"") {
		t.Errorf("explain: %v\n%s", err, out)
	}
	e.must(os.Chmod(filepath.Join(e.apps, "roots", "app.py"), 0o600))
	check = exec.Command(e.program, "check", ".")
	check.Dir = e.dir
	if out, err := check.CombinedOutput(); err == nil || !strings.Contains(string(out), "nothing to run here") {
		t.Errorf("check: %v\n%s", err, out)
	}
}

package e2e_test

import (
	"fmt"
	"html"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// demo is what "make demo" runs, with a folder of its own.
type demo struct {
	*testserver.Program
	dir, url string
}

// runDemo sets the folder dir up and serves it at an address.
func runDemo(t *testing.T, dir, listen string) *testserver.Program {
	t.Helper()
	python(t, "django") // that both environments are there
	python(t, "flask")
	return testserver.StartProgram(t, root(t), "scripts/demo", binary, "build/venv", dir, listen, "127.0.0.1:0")
}

// serveDemo is runDemo until all applications are where they will be.
func serveDemo(t *testing.T, dir string) *demo {
	t.Helper()
	p := runDemo(t, dir, "127.0.0.1:0")
	d := &demo{p, dir, p.Await(`ready +(http://\S+/)`)}
	p.Await(`manager +(http://manager\.localhost:\d+/)`)
	for _, path := range d.paths(t) {
		end := "deployed"
		if path == "/broken" {
			end = "cannot deploy"
		}
		p.Log.Wait(t, end+" app="+path+" ")
	}
	return d
}

// paths are where its applications answer.
func (d *demo) paths(t *testing.T) (all []string) {
	t.Helper()
	apps, err := os.ReadDir(filepath.Join(d.dir, "webapps"))
	if err != nil {
		t.Fatal(err)
	}
	for _, app := range apps {
		if name := app.Name(); name == "ROOT" {
			all = append(all, "/")
		} else if !strings.HasPrefix(name, ".") {
			all = append(all, "/"+strings.ReplaceAll(name, "#", "/"))
		}
	}
	return all
}

// end ends it as Ctrl-C does.
func (d *demo) end(t *testing.T) {
	t.Helper()
	d.Interrupt()
	if status := d.Wait(); status != 0 {
		t.Errorf("after Ctrl-C the exit status is %d", status)
	}
}

// unlike are the links of the demo that answer with something else than a page,
// on purpose.
var unlike = map[string]int{
	"/broken/":        http.StatusServiceUnavailable,
	"/site/elsewhere": http.StatusNotFound,
}

// TestDemo looks at the demo as its visitors do.
func TestDemo(t *testing.T) {
	d := serveDemo(t, t.TempDir())
	t.Run("links", func(t *testing.T) { testDemoLinks(t, d) })
	t.Run("answers", func(t *testing.T) { testDemoAnswers(t, d) })
	t.Run("browser", func(t *testing.T) { testDemoInBrowser(t, d) })
	t.Run("phone", func(t *testing.T) {
		b := browse(t, screen{width: 360, height: 740, mobile: true, scheme: "dark"})
		b.open(d.url)
		if got, want := b.background("body"), "rgb(21, 24, 22)"; got != want {
			t.Errorf("in dark mode the page is %s, want %s", got, want)
		}
		b.look("demo-phone")
	})
	t.Run("broken", func(t *testing.T) { testDemoBroken(t, d) })
	t.Run("manager", func(t *testing.T) { testDemoManager(t, d) })
	t.Run("commands", func(t *testing.T) { testDemoCommands(t, d) })
	d.end(t)
}

// links are the addresses that a page leads to or takes in.
func links(page string) (all []string) {
	for _, m := range regexp.MustCompile(`\s(?:href|src)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		all = append(all, html.UnescapeString(m[1]))
	}
	return all
}

// testDemoLinks follows all links of the first page, and of the pages that these
// lead to, and so on.
func testDemoLinks(t *testing.T, d *demo) {
	v := visit(t, d.url)
	first, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	const most = 400 // pages: more than there are
	seen := map[string]string{first.Path: "the start"}
	for queue := []*url.URL{first}; len(queue) > 0 && len(seen) < most; queue = queue[1:] {
		here := queue[0]
		got := v.do(http.MethodGet, strings.TrimPrefix(here.RequestURI(), "/"), nil)
		next := links(got.body)
		want := http.StatusOK
		if status, ok := unlike[here.Path]; ok {
			want = status
		}
		switch {
		case got.StatusCode/100 == 3:
			next = []string{got.Header.Get("Location")}
		case got.StatusCode != want:
			t.Errorf("%s, which %s leads to: %s, want %d", here, seen[here.RequestURI()], got.Status, want)
		}
		if !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") && got.StatusCode/100 != 3 {
			continue
		}
		for _, link := range next {
			to, err := here.Parse(link)
			if err != nil {
				t.Errorf("%s leads to %q: %v", here, link, err)
				continue
			}
			if to.Host != first.Host {
				t.Errorf("%s leads away, to %s", here, to)
			} else if seen[to.RequestURI()] == "" {
				seen[to.RequestURI()] = here.String()
				queue = append(queue, to)
			}
		}
	}
	if len(seen) >= most {
		t.Errorf("there are %d links and more", most)
	}
	for path := range unlike {
		if seen[path] == "" {
			t.Errorf("nothing leads to %s", path)
		}
	}
	// Whatever there is, a link leads to it.
	for _, path := range d.paths(t) {
		leads := func(to string) bool { return strings.HasPrefix(to, strings.TrimSuffix(path, "/")+"/") }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(seen)), leads) {
			t.Errorf("nothing leads to %s", path)
		}
	}
}

// testDemoAnswers asks each application for what it is there for.
func testDemoAnswers(t *testing.T, d *demo) {
	v := visit(t, d.url)
	form := func(fields ...string) string {
		all := url.Values{}
		for i := 0; i < len(fields); i += 2 {
			all.Set(fields[i], fields[i+1])
		}
		return all.Encode()
	}
	for _, tt := range []struct {
		name, method, path, form string
		status                   int
		want                     string // a part of the page
	}{
		{"a page that prints", "GET", "pages/calc.py?a=1&b=2", "", 200, "<h1>1 + 2 = 3</h1>"},
		{"what it is asked is escaped", "GET", "pages/calc.py?a=%3Cb%3E", "", 400, "&lt;b&gt;"},
		{"a page that is an application", "GET", "pages/mytime.py", "", 200, `<code id="path">/pages/mytime.py</code>`},
		{"no page", "GET", "pages/nothing.py", "", 404, "gbk"},
		{"a form for a script", "POST", "form/cgi-bin/post.py", form("name", "Ada & <b>"), 200, `<p id="name">Ada &amp; &lt;b&gt;</p>`},
		{"a form for a file", "POST", "form/index.html", form("name", "Ada"), 405, ""},
		{"an application told its path", "POST", "time/", "hello", 200, "at /time/\nhello"},
		{"a first visit", "GET", "tools/visits/cgi-bin/count.sh", "", 200, " of /tools/visits/cgi-bin/count.sh"},
		{"the site's own page for 404", "GET", "site/elsewhere", "", 404, "<h1>Not here</h1>"},
		{"one for a path in folders", "GET", "site/a/b/c", "", 404, "<h1>Not here</h1>"},
		{"a route of the framework", "GET", "tiny/hello?name=Ada", "", 200, "<h1>Hello, Ada!</h1>"},
		{"no route of the framework", "GET", "tiny/nothing", "", 404, "no such page"},
		{"a mirror", "POST", "mirror/a/b", form("word", "<b>"), 200, "<dd>&lt;b&gt;"},
		{"signing the guestbook", "POST", "guestbook/cgi-bin/guestbook.py", form("name", "Ada", "message", "How nice!"), 303, ""},
		{"reading it", "GET", "guestbook/cgi-bin/guestbook.py", "", 200, "<p>How nice!</p>"},
		{"pinning a note", "POST", "board/", form("text", "milk & bread"), 303, ""},
		{"seeing it", "GET", "board/", "", 200, "<li>milk &amp; bread</li>"},
		{"the desk's books", "GET", "lending/?q=moby", "", 200, "Moby-Dick"},
		{"who is not logged in", "GET", "lending/loans/", "", 302, ""},
		{"sources are nobody's", "GET", "form/cgi-bin/", "", 403, ""},
		{"nor is what a checkout needs", "GET", "form/README.md", "", 404, ""},
		{"nor are the desk's", "GET", "lending/password", "", 404, ""},
		{"nor is what is stored", "GET", ".gatehouse/key", "", 404, ""},
	} {
		var fields []string
		if tt.form != "" {
			fields = []string{"Content-Type", "application/x-www-form-urlencoded"}
		}
		got := v.do(tt.method, tt.path, strings.NewReader(tt.form), fields...)
		if got.StatusCode != tt.status || !strings.Contains(got.body, tt.want) {
			t.Errorf("%s, %s %s: %s with\n%.1000s\nwant %d with %q", tt.name, tt.method, tt.path, got.Status, got.body, tt.status, tt.want)
		}
		if got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s lacks the field that all answers have", tt.name)
		}
		if to := got.Header.Get("Location"); to != "" && !strings.HasPrefix(to, "/"+strings.SplitAfter(tt.path, "/")[0]) {
			t.Errorf("%s leads out of the application, to %q", tt.name, to)
		}
	}
}

// testDemoInBrowser opens what the first page leads to, and does there what a
// visitor would.
func testDemoInBrowser(t *testing.T, d *demo) {
	b := browse(t, desktop())
	b.open(d.url)
	b.look("demo")
	for _, link := range eval[[]string](b, "Array.from(document.querySelectorAll('main a'), a => a.getAttribute('href'))") {
		if strings.HasPrefix(link, "#") {
			continue
		}
		if path, err := url.Parse("/" + link); err == nil && unlike[path.Path] != 0 || strings.HasSuffix(link, ".doc") {
			continue // errors are looked at below, and a letter is stored, not shown
		}
		b.open(d.url)
		b.follow(chromedp.CSS(fmt.Sprintf("main a[href=%q]", link)))
		b.look("demo-" + strings.Trim(regexp.MustCompile(`\W+`).ReplaceAllString(link, "-"), "-"))
	}

	b.open(d.url + "form/")
	b.until("document.images[0].complete && document.images[0].naturalWidth == 320")
	b.fill("input", "Ada & 墨水")
	b.follow("#script")
	if got := b.text("#name"); got != "Ada & 墨水" {
		t.Errorf("the script shows %q", got)
	}

	for path, want := range map[string]string{"pages/": "这个网页在 html 里，用 GBK 写成；模块在它旁边。", "tiny/static/": "这个网页用 GBK 写成，字节原样送达。"} {
		b.open(d.url + path)
		if got := b.text("#text"); got != want {
			t.Errorf("%s reads %q, want %q", path, got, want)
		}
	}

	password, err := os.ReadFile(filepath.Join(d.dir, "webapps", "lending", "password"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(d.Log.String(), "user demo, password "+strings.TrimSpace(string(password))) {
		t.Error("the password that works is not the one that was printed")
	}
	b.open(d.url)
	b.follow(`a[href="lending/admin/"]`)
	b.fill("#id_username", deskUser)
	b.fill("#id_password", strings.TrimSpace(string(password)))
	b.follow("#login-form [type=submit]")
	if got := b.text("#user-tools"); !strings.Contains(strings.ToLower(got), deskUser) {
		t.Errorf("after logging in the page says %q", got)
	}
	if got, want := b.background("#header"), "rgb(65, 118, 144)"; got != want {
		t.Errorf("the admin's header is %s, want %s: its style sheet is missing", got, want)
	}
	b.look("demo-admin")

	b.open(d.url + "broken/")
	b.failed()
	b.look("demo-broken")
}

// testDemoBroken is about the application that does not start.
func testDemoBroken(t *testing.T, d *demo) {
	got := visit(t, d.url).do(http.MethodGet, "broken/any", nil)
	if got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("it answers %s", got.Status)
	}
	for _, detail := range []string{"no_such_module", "app.py", "Traceback", "Python", d.dir} {
		if strings.Contains(got.body, detail) {
			t.Errorf("visitors are told of %s: %s", detail, got.body)
		}
	}
	for _, detail := range []string{"cannot deploy app=/broken", "Traceback (most recent call last)", "ModuleNotFoundError: No module named 'no_such_module'", filepath.Join("broken", "app.py")} {
		if !strings.Contains(d.Log.String(), detail) {
			t.Errorf("the log says nothing of %s", detail)
		}
	}
}

// testDemoManager looks after the demo in a browser, on a phone: what is broken
// says why, a deployment that fails does, too, one that does not is rolled back, and
// numbers move meanwhile.
func testDemoManager(t *testing.T, d *demo) {
	cmd := exec.Command(binary, "manager", "link")
	cmd.Dir = d.dir
	link, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	m := &managed{t, filepath.Join(d.dir, "webapps"), d.url, strings.TrimSpace(string(link))}
	front := strings.Split(m.link, "link/")[0]
	b := browse(t, phone())
	m.enter(b)
	b.becomes(`document.querySelector("#state-broken .mood").textContent == "failed"`)
	b.look("demo-manager-phone")
	b.follow(`#table a[href="/apps/broken"]`)
	if got := b.text("#failure pre"); !strings.Contains(got, "No module named 'no_such_module'") {
		t.Errorf("the page of the broken one shows %q", got)
	}
	b.look("demo-manager-broken-phone")
	b.read("the page of the broken one")
	b.open(front + "apps/lending")
	if got := b.text("#processes"); !strings.Contains(got, "sessions") || !strings.Contains(got, "waiting") {
		t.Errorf("beside the lending desk there is %q", got)
	}
	b.look("demo-manager-lending-phone")

	deploy := func(source, then string) {
		t.Helper()
		b.open(front)
		b.upload("#archive", zipped(t, "basket.zip", source))
		b.click(".deploy button")
		b.becomes(then)
	}
	const works = `location.pathname == "/apps/basket" && document.querySelector(".note.good") != null`
	deploy(shop("one"), works)
	b.becomes(`document.getElementById("live").textContent == "live"`)
	for range 5 {
		m.get("basket/")
	}
	b.becomes(`document.getElementById("charts").textContent.includes("5 requests in five minutes")`)
	deploy(brokenShop, `document.querySelector("main > .note.bad pre")?.textContent.includes("no_such_module_of_ours")`)
	b.failed()
	b.look("demo-manager-failed-phone")
	b.read("the list after a failure")
	deploy(shop("two"), works)
	if got := m.get("basket/"); got != "two" {
		t.Errorf("the second one says %q", got)
	}
	b.follow(`form[action$="/rollback"] button`)
	if got := m.get("basket/"); got != "one" {
		t.Errorf("rolled back it says %q", got)
	}
	b.click(".confirm summary")
	b.follow(".confirm button")
}

// testDemoCommands runs the commands that the first page names, in its order.
func testDemoCommands(t *testing.T, d *demo) {
	v := visit(t, d.url)
	again := func(app string) func() bool {
		line := "deployed app=/" + app + " "
		before := strings.Count(d.Log.String(), line)
		return func() bool { return strings.Count(d.Log.String(), line) > before }
	}
	var commands []string
	for _, m := range regexp.MustCompile(`<pre><code>(.*)</code></pre>`).FindAllStringSubmatch(v.get("").body, -1) {
		commands = append(commands, html.UnescapeString(m[1]))
	}
	steps := []struct {
		what   string
		prints string
		seen   func() bool // in the log, afterwards
		path   string      // which answers then
	}{
		{"breaking", "", func() bool { return strings.Contains(d.Log.String(), "cannot deploy app=/time") }, "time/"},
		{"mending", "", again("broken"), "broken/"},
		{"loading again", "", again("mirror"), "mirror/"},
		{"adding", "", again("more"), "more/"},
		{"looking", "/lending ", func() bool { return true }, ""},
	}
	if len(commands) != len(steps) {
		t.Fatalf("the page names the commands %q, and this test knows %d", commands, len(steps))
	}
	for i, step := range steps {
		cmd := exec.Command("/bin/sh", "-c", strings.NewReplacer("build/demo", d.dir, "bin/gatehouse", binary).Replace(commands[i]))
		cmd.Dir = root(t)
		if strings.HasPrefix(commands[i], "bin/gatehouse") {
			cmd.Dir = d.dir // others may run servers, too: the one of this folder is meant
		}
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), step.prints) {
			t.Fatalf("%s: %v, with\n%s\nwant %q", cmd, err, out, step.prints)
		}
		testserver.Eventually(t, fmt.Sprintf("%s is in the log", step.what), step.seen)
		v.get(step.path)
	}
	if !strings.Contains(d.Log.String(), "No module named 'nothing'") {
		t.Error("the log does not say what is wrong with the broken one")
	}
}

// TestDemoAgain runs it a second time: at the same time, on an address that is
// taken, and afterwards.
func TestDemoAgain(t *testing.T) {
	dir := t.TempDir()
	d := serveDemo(t, dir)
	v := visit(t, d.url)
	v.do(http.MethodPost, "guestbook/cgi-bin/guestbook.py", strings.NewReader("name=Ada&message=first"), "Content-Type", "application/x-www-form-urlencoded")
	broken := filepath.Join(dir, "webapps", "time", "app.py")
	if err := os.WriteFile(broken, []byte("import nothing\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "webapps", "mine"), os.DirFS(filepath.Join(root(t), "examples", "wsgi"))); err != nil {
		t.Fatal(err)
	}
	d.Log.Wait(t, "deployed app=/mine")

	second := runDemo(t, dir, "127.0.0.1:0")
	if status := second.Wait(); status != 1 || !strings.Contains(second.Log.String(), "it runs already") {
		t.Errorf("beside the first, the second ends with %d and says %q", status, second.Log)
	}
	if text, err := os.ReadFile(broken); err != nil || string(text) != "import nothing\n" {
		t.Errorf("and has changed what the first serves: %q, %v", text, err)
	}
	v.get("")
	d.end(t)

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	third := runDemo(t, dir, taken.Addr().String())
	if status := third.Wait(); status != 1 || !strings.Contains(third.Log.String(), taken.Addr().String()+": address already in use") {
		t.Errorf("where the address is taken, it ends with %d and says %q", status, third.Log)
	}

	d = serveDemo(t, dir)
	v = visit(t, d.url)
	for path, want := range map[string]string{"guestbook/cgi-bin/guestbook.py": "<p>first</p>", "mine/": "", "time/": "at /time/", "lending/": "Moby-Dick"} {
		if got := v.get(path); !strings.Contains(got.body, want) {
			t.Errorf("/%s does not show %q:\n%.1000s", path, want, got.body)
		}
	}
	d.end(t)
}

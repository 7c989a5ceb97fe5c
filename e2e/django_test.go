package e2e_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	deskUser     = "demo"
	deskPassword = "correct-horse-7"
)

// prepared is what the Django example needs before it is served: tables, a user,
// and the static files of all its parts in one folder.
func prepared() [][]string {
	return [][]string{
		{"migrate", "--verbosity", "0"},
		{"collectstatic", "--noinput", "--verbosity", "0"},
		{"fill_desk", "--user", deskUser, "--password", deskPassword},
	}
}

// TestDjango looks at the Django example as its visitors and its staff do. Debug
// mode is off: Django serves no file itself, so what is styled was served by
// gatehouse.
func TestDjango(t *testing.T) {
	url := serveDesk(t, "", prepared())
	t.Run("client", func(t *testing.T) { testAdminByClient(t, url) })
	t.Run("admin", func(t *testing.T) { testAdmin(t, url) })
	t.Run("suggest", func(t *testing.T) { testSuggest(t, url) })
	t.Run("borrow", func(t *testing.T) { testBorrow(t, url) })
}

// TestDjangoDebug: in debug mode static files lie in the folders of the parts,
// where Django's finders find them. They are served from there, and not by
// Django: its answers have no ETag.
func TestDjangoDebug(t *testing.T) {
	url := serveDesk(t, "1", nil)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, name := range []string{"admin/css/base.css", "library/desk.css"} {
		resp, err := client.Get(url + "static/" + name)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Etag") == "" {
			t.Errorf("%s: status %d, fields %v", name, resp.StatusCode, resp.Header)
		}
	}
}

// serveDesk runs commands on a new data folder of the Django example, then
// serves it. debug is the value of DESK_DEBUG.
func serveDesk(t *testing.T, debug string, commands [][]string) string {
	t.Helper()
	env := prepareDesk(t, debug, commands)
	dir := filepath.Join(root(t), "examples", "django")
	return serve(t, dir, env, "run", "--python", python(t, "django"), "--listen", "127.0.0.1:0", ".")
}

// prepareDesk runs commands on a new data folder of the Django example, and
// returns the environment in which it is served.
func prepareDesk(t *testing.T, debug string, commands [][]string) []string {
	t.Helper()
	env := []string{"DESK_DATA=" + t.TempDir(), "DESK_DEBUG=" + debug, "PYTHONDONTWRITEBYTECODE=1"}
	for _, args := range commands {
		cmd := exec.Command(python(t, "django"), append([]string{"-W", "error", "manage.py"}, args...)...)
		cmd.Dir = filepath.Join(root(t), "examples", "django")
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
	}
	return env
}

func testAdmin(t *testing.T, url string) {
	b := browse(t, desktop())
	b.open(url + "admin/")
	b.look("admin-login")
	b.fill("#id_username", deskUser)
	b.fill("#id_password", deskPassword)
	b.follow("#login-form [type=submit]")
	if got := b.text("#user-tools"); !strings.Contains(strings.ToLower(got), deskUser) {
		t.Fatalf("after logging in the page says %q", got)
	}
	// The colour stands in the admin's own style sheet.
	if got, want := b.background("#header"), "rgb(65, 118, 144)"; got != want {
		t.Errorf("the admin's header is %s, want %s: its style sheet is missing", got, want)
	}
	b.look("admin-index")

	b.open(url + "admin/library/author/add/")
	b.fill("#id_name", "Ada Lovelace")
	b.follow("[name=_save]")
	if got := b.text(".messagelist .success"); !strings.Contains(got, "Ada Lovelace") {
		t.Errorf("after saving the page says %q", got)
	}

	b.open(url + "admin/library/book/add/")
	b.fill("#id_title", "Notes on the Engine")
	b.fill("#id_year", "1843")
	// The author's field is a script that asks the server while one types.
	b.click(".field-author .select2-selection")
	b.fill(".select2-search__field", "lovel")
	b.until("document.querySelector('.select2-results__option--highlighted')?.textContent == 'Ada Lovelace'")
	b.fill(".select2-search__field", "\n")
	b.fill("#id_copies-0-number", "900a")
	b.look("admin-add")
	b.follow("[name=_save]")
	if got := b.text(".messagelist .success"); !strings.Contains(got, "Notes on the Engine") {
		t.Errorf("after saving the page says %q", got)
	}
	b.look("admin-list")

	b.open(url + "?q=lovelace")
	if got := b.text(".card"); !strings.Contains(got, "Notes on the Engine") || !strings.Contains(got, "1 of 1 on the shelf") {
		t.Errorf("the shelf shows %q", got)
	}
}

// aPixel is a GIF picture of one pixel.
const aPixel = "GIF89a\x01\x00\x01\x00\x80\x00\x00/]P\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

func testSuggest(t *testing.T, url string) {
	cover := filepath.Join(t.TempDir(), "cover.gif")
	if err := os.WriteFile(cover, []byte(aPixel), 0o644); err != nil {
		t.Fatal(err)
	}
	b := browse(t, phone())
	b.open(url + "suggest/")
	b.fill("#id_title", "Die Wand")
	b.fill("#id_author", "Marlen Haushofer")
	b.fill("#id_year", "1963")
	b.fill("#id_isbn", "978-3-548-60571-9")
	b.fill("#id_reason", "Größe, Stille & eine Kuh.")
	b.upload("#id_cover", cover)
	b.follow("main form button")
	if got := b.text(".errorlist"); !strings.Contains(got, "check digit") {
		t.Errorf("for a wrong number the page says %q", got)
	}
	if got, want := b.background("body"), "rgb(23, 26, 23)"; got != want {
		t.Errorf("in dark mode the page is %s, want %s", got, want)
	}
	b.look("suggest-refused")

	eval[bool](b, "document.querySelector('#id_isbn').value = ''; true")
	b.upload("#id_cover", cover)
	b.follow("main form button")
	if got := b.text(".message"); !strings.Contains(got, "Die Wand") {
		t.Errorf("after sending the page says %q", got)
	}
	b.look("suggest-thanks")
}

func testBorrow(t *testing.T, url string) {
	b := browse(t, phone())
	b.open(url)
	b.look("shelf")
	b.open(url + "?q=moby")
	b.follow(".card")
	b.follow("a.main") // log in to borrow it
	b.fill("#id_username", deskUser)
	b.fill("#id_password", deskPassword)
	b.follow("main form button")
	b.look("book")
	b.follow("main form button")
	if got := b.text(".message"); !strings.Contains(got, "Moby-Dick") {
		t.Errorf("after borrowing the page says %q", got)
	}
	b.look("loans")
}

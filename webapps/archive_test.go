package webapps_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/archive"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// visible are the entries of a folder of applications.
func visible(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// unpacked are the folders that archives of an application were unpacked to.
func unpacked(t testing.TB, dir, base string) (folders []string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, ".gatehouse/apps", base, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			folders = append(folders, filepath.Base(path))
		}
	}
	return folders
}

// received reports what is left of archives that were received.
func received(t testing.TB, dir string) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, ".gatehouse/incoming/*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func (h *house) deploy(base, ending string, files tree, options webapps.DeployOptions) error {
	h.t.Helper()
	return h.Deploy(h.t.Context(), named(h.t, base), ending, bytes.NewReader(testserver.Zip(h.t, files)), options)
}

// TestDeploy deploys, fails to, and rolls back; a failure changes nothing.
func TestDeploy(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	none := webapps.DeployOptions{}
	if err := h.deploy("blog", ".zip", hello("one"), none); err != nil {
		t.Fatal(err)
	}
	h.wants("/blog/", 200, "one")
	if err := h.Rollback(t.Context(), named(t, "blog")); !errors.Is(err, webapps.ErrNoPrevious) {
		t.Errorf("rolled back to nothing: %v", err)
	}
	if err := h.deploy("blog", ".pyz", hello("two"), none); err != nil {
		t.Fatal(err)
	}
	h.wants("/blog/", 200, "two")
	if got := visible(t, dir); !slices.Equal(got, []string{"blog.pyz"}) {
		t.Errorf("in the folder are %v", got)
	}
	for _, tt := range []struct {
		name string
		data []byte
		is   error
		says string
	}{
		{"cut short", testserver.Zip(t, hello("three"))[:100], archive.ErrDamaged, "cut short"},
		{"zip slip", testserver.Zip(t, tree{"../../../evil.py": ""}), archive.ErrUnsafe, "leads out"},
		{"not recognised", testserver.Zip(t, tree{"notes.txt": "x"}), nil, "nothing to run here"},
		{"does not import", testserver.Zip(t, tree{"app.py": "def app(environ, start_response): pass\nimport nothing_like_it\n"}), nil, "nothing_like_it"},
		{"nothing", nil, archive.ErrDamaged, "cut short"},
	} {
		err := h.Deploy(t.Context(), named(t, "blog"), ".zip", bytes.NewReader(tt.data), none)
		if f, ok := errors.AsType[*webapps.Failure](err); !ok || f.Name != named(t, "blog") || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
		h.wants("/blog/", 200, "two")
		if s, _ := h.status("blog"); s.State != webapps.Running || s.Failure == nil || s.Deploying {
			t.Errorf("%s: it is %+v", tt.name, s)
		}
		if got := unpacked(t, dir, "blog"); len(got) != 2 {
			t.Errorf("%s: unpacked are %v, want the running and the previous", tt.name, got)
		}
	}
	if err := h.Rollback(t.Context(), named(t, "blog")); err != nil {
		t.Fatal(err)
	}
	h.wants("/blog/", 200, "one")
	h.close()

	// It stays rolled back when the server is started anew, and goes forward again.
	h = open(t, dir)
	h.wants("/blog/", 200, "one")
	if err := h.Reload(t.Context(), named(t, "blog")); err != nil {
		t.Fatal(err)
	}
	h.wants("/blog/", 200, "one")
	if err := h.Rollback(t.Context(), named(t, "blog")); err != nil {
		t.Fatal(err)
	}
	h.wants("/blog/", 200, "two")
	if left := received(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := h.Undeploy(t.Context(), named(t, "blog")); err != nil {
		t.Fatal(err)
	}
	if got := visible(t, dir); len(got) > 0 {
		t.Errorf("undeployed, and there is %v", got)
	}
	if _, err := os.Stat(filepath.Join(dir, ".gatehouse/data/blog")); err != nil {
		t.Errorf("its data has gone: %v", err)
	}
}

// TestDeployRefused: nothing of what is refused at once leaves a trace.
func TestDeployRefused(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "folder"), page("mine"))
	h := open(t, dir, func(c *webapps.Config) { c.MaxUpload = 1000 })
	none := webapps.DeployOptions{}
	if err := h.deploy("folder", ".zip", page("theirs"), none); !errors.Is(err, webapps.ErrFolder) {
		t.Errorf("over a folder: %v", err)
	}
	h.wants("/folder/", 200, "mine")
	if err := h.deploy("new", ".exe", page(""), none); err == nil || !strings.Contains(err.Error(), `".exe" is no ending`) {
		t.Errorf("an ending of no archive: %v", err)
	}
	for what, r := range map[string]io.Reader{"too large": strings.NewReader(strings.Repeat("x", 1001)), "breaks off": io.MultiReader(strings.NewReader("PK"), broken{})} {
		if err := h.Deploy(t.Context(), named(t, "new"), ".zip", r, none); err == nil {
			t.Errorf("%s: deployed", what)
		}
	}
	if err := h.Deploy(t.Context(), named(t, "new"), ".zip", strings.NewReader("PK"), none); err == nil || !strings.Contains(err.Error(), "cannot deploy /new: new.zip: damaged archive") {
		t.Errorf("no archive: %v", err)
	}
	if err := h.deploy("new", ".zip", tree{"notes.txt": ""}, none); err == nil {
		t.Error("what is nothing was deployed")
	}
	if _, there := h.status("new"); there {
		t.Error("what never was is listed")
	}
	h.wants("/new/", 404, "")
	if got, left := visible(t, dir), append(received(t, dir), unpacked(t, dir, "new")...); !slices.Equal(got, []string{"folder"}) || len(left) > 0 {
		t.Errorf("there are %v and %v", got, left)
	}
}

// TestDeployOverFolder: an archive takes a folder's place when that is wanted, and
// a rollback goes back to it.
func TestDeployOverFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "blog"), hello("folder"))
	h := open(t, dir)
	discard := webapps.DeployOptions{Discard: true}
	if err := h.deploy("blog", ".zip", tree{"app.py": "1/0\ndef app(environ, start_response): pass\n"}, discard); err == nil {
		t.Error("what does not import was deployed")
	}
	h.wants("/blog/", 200, "folder")
	if got := visible(t, dir); !slices.Equal(got, []string{"blog"}) {
		t.Errorf("a failure leaves %v", got)
	}
	if err := h.deploy("blog", ".zip", hello("archive"), discard); err != nil {
		t.Fatal(err)
	}
	h.wants("/blog/", 200, "archive")
	if got := visible(t, dir); !slices.Equal(got, []string{"blog.zip"}) {
		t.Errorf("in the folder are %v", got)
	}
	if err := h.Rollback(t.Context(), named(t, "blog")); err != nil {
		t.Fatal(err)
	}
	h.wants("/blog/", 200, "folder")
	h.close()
	h = open(t, dir)
	h.wants("/blog/", 200, "folder")
	h.wants("/blog/write", 200, "folder")
	if err := h.deploy("blog", ".zip", hello("third"), webapps.DeployOptions{}); err == nil {
		t.Error("what it has written was thrown away")
	}
	// A link is the operator's, and stays.
	elsewhere := t.TempDir()
	write(t, elsewhere, page("linked"))
	if err := os.Symlink(elsewhere, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	h.becomes("/link/", 200, "linked")
	if err := h.deploy("link", ".zip", page("archive"), discard); !errors.Is(err, webapps.ErrFolder) {
		t.Errorf("over a link: %v", err)
	}
}

// broken is a client that has left.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, syscall.ECONNRESET }

// TestWritten: what the running version wrote into its own folder is not thrown
// away, unless somebody says so.
func TestWritten(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	put(t, filepath.Join(dir, "blog.zip"), testserver.Zip(t, hello("one")))
	h.becomes("/blog/", 200, "one")
	if err := h.deploy("blog", ".zip", hello("two"), webapps.DeployOptions{}); err != nil {
		t.Fatalf("nothing was written: %v", err)
	}
	h.wants("/blog/write", 200, "two")
	err := h.deploy("blog", ".zip", hello("three"), webapps.DeployOptions{})
	written, ok := errors.AsType[*webapps.WrittenError](err)
	if !ok || !slices.Equal(written.Files, []string{"visitors.txt"}) || written.More != 0 || !strings.Contains(err.Error(), "visitors.txt") {
		t.Fatalf("deployed over it: %v", err)
	}
	h.wants("/blog/", 200, "two")
	// Dropped into the folder, it is refused as well, and the old one goes on, over
	// a restart too.
	put(t, filepath.Join(dir, "blog.zip"), testserver.Zip(t, hello("three!")))
	h.awaits("blog", "is refused", func(s webapps.Status) bool {
		_, ok := errors.AsType[*webapps.WrittenError](s.Failure)
		return ok && s.State == webapps.Running
	})
	h.close()
	h = open(t, dir)
	h.wants("/blog/", 200, "two")
	if s, _ := h.status("blog"); s.Failure == nil || s.State != webapps.Running {
		t.Errorf("after a restart it is %v, %v", s.State, s.Failure)
	}
	if err := h.deploy("blog", ".zip", hello("four"), webapps.DeployOptions{Discard: true}); err != nil {
		t.Fatal(err)
	}
	h.wants("/blog/", 200, "four")
	if s, _ := h.status("blog"); s.Failure != nil {
		t.Errorf("deployed, it still says %v", s.Failure)
	}
	// A folder in the archive's place would lose it as well.
	h.wants("/blog/write", 200, "four")
	write(t, filepath.Join(dir, ".blog"), hello("a folder"))
	if err := errors.Join(os.Rename(filepath.Join(dir, ".blog"), filepath.Join(dir, "blog")), os.Remove(filepath.Join(dir, "blog.zip"))); err != nil {
		t.Fatal(err)
	}
	h.awaits("blog", "is refused", func(s webapps.Status) bool { return s.Failure != nil })
	h.wants("/blog/", 200, "four")
	if err := os.RemoveAll(filepath.Join(dir, "blog")); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "blog.zip"), testserver.Zip(t, hello("five"))) // refused, too
	// What was discarded is still what a rollback goes back to.
	if err := h.Rollback(t.Context(), named(t, "blog")); err != nil {
		t.Fatal(err)
	}
	h.wants("/blog/", 200, "two")
}

// TestKilled: what a server that was killed has left half done is tidied up.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, ".gatehouse"), tree{
		"incoming/1.zip": "x", "apps/blog/.unpacking-1/x": "", "apps/blog/7/index.html": "", "apps/blog/7.files": "{}", "apps/blog/state": `{"previous":3}`, "apps/blog/3/x": "",
	})
	if err := os.Chmod(filepath.Join(dir, ".gatehouse"), 0o700); err != nil {
		t.Fatal(err)
	}
	h := open(t, dir)
	if left := append(received(t, dir), unpacked(t, dir, "blog")...); !slices.Equal(left, []string{"3"}) {
		t.Errorf("left are %v", left)
	}
	h.close()
	// What cannot be read costs what was remembered, and no application.
	write(t, dir, tree{".gatehouse/apps/blog/state": "{", "blog/index.html": "blog", "other/index.html": "other"})
	h = open(t, dir)
	h.wants("/blog/", 200, "blog")
	h.wants("/other/", 200, "other")
	if !strings.Contains(h.log.String(), "what was remembered is lost") {
		t.Error("the log does not say so")
	}
}

func TestTop(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files tree
		want  string
	}{
		{"one folder", tree{"blog-2/app.py": ""}, "blog-2"},
		{"one folder, as macOS packs it", tree{"blog-2/app.py": "", "__MACOSX/x": "", ".DS_Store": ""}, "blog-2"},
		{"files", tree{"app.py": "", "static/x": ""}, "."},
		{"a package", tree{"blog/__init__.py": ""}, "."},
		{"a package and its description", tree{"blog/__init__.py": "", "blog-1.dist-info/RECORD": ""}, "."},
		{"scripts", tree{"cgi-bin/x.py": ""}, "."},
	} {
		dir := t.TempDir()
		write(t, dir, tt.files)
		if got := webapps.Top(dir); got != filepath.Join(dir, tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

package control_test

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/internal/unixsocket"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// placed is a server that runs nothing, for a folder.
type placed struct {
	control.Backend
	dir string
}

func (p placed) Server() control.Server {
	return control.Server{Dir: p.dir, Listen: []string{"http://x/"}}
}
func (p placed) Apps() []webapps.Status      { return nil }
func (p placed) Problems() []webapps.Problem { return nil }

// place starts a server for a folder with its socket in another.
func place(t *testing.T, sockets, name, dir string) {
	t.Helper()
	l, err := unixsocket.Listen(filepath.Join(sockets, name), control.Mode)
	if err != nil {
		t.Fatal(err)
	}
	h := control.New(placed{dir: dir}, logbook.New(), slog.New(slog.DiscardHandler))
	testserver.StartConfig(t, testserver.H1Unix, testserver.Config{Handler: h, Listener: l})
}

// stale leaves a socket whose server has died.
func stale(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	sockets := filepath.Dir(socket(t))
	places := []string{filepath.Join(sockets, "nobody made it"), sockets}
	root := t.TempDir()
	shop, inShop, blog := filepath.Join(root, "shop"), filepath.Join(root, "shop", "a", "b"), filepath.Join(root, "blog")
	for _, dir := range []string{inShop, blog} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	wants := func(cwd, dir string) {
		t.Helper()
		f, err := control.Find(t.Context(), places, cwd)
		if err != nil {
			t.Errorf("in %s: %v, want the server of %s", cwd, err, dir)
			return
		}
		f.Client.Close()
		if f.Server.Dir != dir {
			t.Errorf("in %s: the server of %s, want that of %s", cwd, f.Server.Dir, dir)
		}
	}
	if _, err := control.Find(t.Context(), places, root); !errors.Is(err, control.ErrNoServer) {
		t.Errorf("without a server: %v", err)
	}
	stale(t, filepath.Join(sockets, "1.sock"))
	if _, err := control.Find(t.Context(), places, root); !errors.Is(err, control.ErrNoServer) {
		t.Errorf("with what a dead server has left: %v", err)
	}
	place(t, sockets, "2.sock", shop)
	for _, cwd := range []string{shop, inShop, blog, root} {
		wants(cwd, shop) // it is the only one
	}
	place(t, sockets, "3.sock", blog)
	wants(shop, shop)
	wants(inShop, shop)
	wants(blog, blog)
	link := filepath.Join(root, "link")
	if err := os.Symlink(blog, link); err != nil {
		t.Fatal(err)
	}
	wants(link, blog)
	_, err := control.Find(t.Context(), places, root)
	several, ok := errors.AsType[*control.SeveralError](err)
	if !ok || !strings.Contains(several.List(), "2.sock   "+shop) || !strings.Contains(several.List(), "3.sock   "+blog) {
		t.Errorf("of two servers: %v", err)
	}
	place(t, sockets, "4.sock", inShop)
	wants(inShop, inShop) // the innermost
	place(t, sockets, "5.sock", inShop)
	if several, ok = errors.AsType[*control.SeveralError](second(control.Find(t.Context(), places, inShop))); !ok || len(several.Found) != 2 {
		t.Errorf("of two servers for one folder: %v", several)
	}

	if err := control.Tidy(sockets, unixsocket.RemoveStale); err != nil {
		t.Error(err)
	}
	left, err := control.Sockets(sockets)
	if err != nil || len(left) != 4 {
		t.Errorf("%d sockets are left, %v; want those of the four servers", len(left), err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestPlace(t *testing.T) {
	run := filepath.Dir(socket(t))
	t.Setenv("XDG_RUNTIME_DIR", run)
	path, err := control.Place(false)
	if err != nil || filepath.Dir(path) != filepath.Join(run, "gatehouse") || filepath.Ext(path) != ".sock" {
		t.Fatalf("%s, %v", path, err)
	}
	if control.Places()[0] != filepath.Dir(path) {
		t.Errorf("servers are looked for in %s, and are in %s", control.Places(), path)
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v, %v", info.Mode(), err)
	}
	// A folder that others can change could hold anybody's sockets.
	if err := os.Chmod(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Place(false); err == nil || !strings.Contains(err.Error(), "others can change") {
		t.Errorf("in everybody's folder: %v", err)
	}
	if _, err := control.Find(t.Context(), control.Places()[:1], "/"); !errors.Is(err, control.ErrNoServer) || !strings.Contains(err.Error(), "others can change") {
		t.Errorf("looked for in everybody's folder: %v", err)
	}
	if err := os.Remove(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(run, filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Place(false); err == nil || !strings.Contains(err.Error(), "is no folder") {
		t.Errorf("behind a link: %v", err)
	}
	// Without such a folder there is one of this user's among temporary files.
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", run)
	if dir := control.Places()[0]; filepath.Dir(dir) != run || !strings.HasPrefix(filepath.Base(dir), "gatehouse-") {
		t.Errorf("without XDG_RUNTIME_DIR: %s", dir)
	}
}

package webapps_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// narrow has files of this process and of its children have so many bytes at most
// until the function that it returns is called: a disk that is full at a place
// which is known.
func narrow(t *testing.T, bytes uint64) (widen func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	set := func(r syscall.Rlimit) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
			t.Fatal(err)
		}
	}
	set(syscall.Rlimit{Cur: bytes, Max: before.Max})
	return func() { set(before) }
}

// large is an archive of a page of so many bytes, packed by that method.
func large(t *testing.T, method uint16, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateHeader(&zip.FileHeader{Name: "index.html", Method: method})
	if err == nil {
		_, err = f.Write(make([]byte, size))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDiskIsFull: a deployment that finds no room, for the archive or for what is
// in it, is refused with the cause, leaves nothing, and what ran goes on.
func TestDiskIsFull(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	none := webapps.DeployOptions{}
	if err := h.deploy("blog", ".zip", page("one"), none); err != nil {
		t.Fatal(err)
	}
	const room = 8 << 20 // more than go test writes down meanwhile
	for what, method := range map[string]uint16{"receive /blog": zip.Store, "unpack": zip.Deflate} {
		packed := large(t, method, room+1)
		widen := narrow(t, room)
		err := h.Deploy(t.Context(), named(t, "blog"), ".zip", bytes.NewReader(packed), none)
		widen()
		if !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
		h.wants("/blog/", 200, "one")
		if left := append(received(t, dir), unpacked(t, dir, "blog")...); !slices.Equal(left, []string{"1"}) {
			t.Errorf("%s leaves %v", what, left)
		}
	}
	if got := visible(t, dir); !slices.Equal(got, []string{"blog.zip"}) {
		t.Errorf("the folder holds %v", got)
	}
	if err := h.deploy("blog", ".zip", page("two"), none); err != nil {
		t.Fatal(err)
	}
	h.wants("/blog/", 200, "two")
}

// TestRemovedWhileDeployed: a folder that goes while it is deployed was never an
// application, and its commands end.
func TestRemovedWhileDeployed(t *testing.T) {
	testserver.NoLeaks(t)
	dir := t.TempDir()
	h := open(t, dir, func(c *webapps.Config) {
		c.Load = func(webapps.ContextName, string) (webapps.App, error) {
			return webapps.App{Release: []string{`echo $$ >"$GATEHOUSE_DATA/pid"; while test -e index.html; do sleep 0.01; done`}}, nil
		}
	})
	write(t, filepath.Join(dir, "blog"), page("one"))
	pid := lines(t, filepath.Join(dir, ".gatehouse/data/blog/pid"), 1)[0]
	if err := os.RemoveAll(filepath.Join(dir, "blog")); err != nil {
		t.Fatal(err)
	}
	testserver.Eventually(t, "it is no application", func() bool {
		_, there := h.status("blog")
		return !there
	})
	gone(t, pid)
	h.wants("/blog/", 404, "")
	h.close()
}

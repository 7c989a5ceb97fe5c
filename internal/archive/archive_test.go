package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/archive"
	"github.com/seed-07905ac1/gatehouse/internal/asuser"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

// entry is one of a test's archive: a file, with a slash at its end a folder,
// with a target a link.
type entry struct {
	name, body, target string
	mode               fs.FileMode // type and permissions; 0: a file of 0644
	kind               byte        // of a tar entry; 0: by the rest
}

func zipped(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		body := e.body
		switch {
		case e.target != "":
			h.SetMode(fs.ModeSymlink | 0o777)
			body = e.target
		case e.mode != 0:
			h.SetMode(e.mode)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, body); err != nil && !strings.HasSuffix(e.name, "/") {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarred(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: int64(e.mode.Perm()), Size: int64(len(e.body)), Typeflag: e.kind, Linkname: e.target}
		switch {
		case e.kind != 0:
		case e.target != "":
			h.Typeflag = tar.TypeSymlink
		case strings.HasSuffix(e.name, "/"):
			h.Typeflag = tar.TypeDir
		default:
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packs are the ways to pack, by ending.
var packs = []struct {
	ending string
	pack   func(testing.TB, ...entry) []byte
}{{".zip", zipped}, {".tar.gz", tarred}}

// put writes an archive into a new folder and returns its path.
func put(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// list tells what lies in dir.
func list(t testing.TB, dir string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := fmt.Sprintf("%s %v", rel, info.Mode())
		switch {
		case info.Mode().IsRegular():
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			what += " " + string(text)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			what = rel + " → " + target
		}
		all = append(all, what)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}

func TestUnpack(t *testing.T) {
	for _, p := range packs {
		t.Run(p.ending, func(t *testing.T) {
			path := put(t, "app"+p.ending, p.pack(
				t,
				entry{name: "./app.py", body: "one"},
				entry{name: "bin/", mode: fs.ModeDir | 0o700},
				entry{name: "bin/run", body: "two", mode: 0o4777},
				entry{name: "a//b/./c.txt", body: "three", mode: 0o600},
				entry{name: "link", target: "a/b/c.txt"},
				entry{name: "a/up", target: "../bin"},
				entry{name: "bin/"},
				entry{name: "closed/", mode: fs.ModeDir | 0o001},
				entry{name: "closed/f", body: "four", mode: 0o001},
			))
			dir := filepath.Join(filepath.Dir(path), "app")
			if err := archive.Unpack(t.Context(), path, dir, archive.Limits{}); err != nil {
				t.Fatal(err)
			}
			const want = "a drwxr-xr-x\na/b drwxr-xr-x\na/b/c.txt -rw-r--r-- three\na/up → ../bin\napp.py -rw-r--r-- one\nbin drwxr-xr-x\nbin/run -rwxr-xr-x two\nclosed drwxr-xr-x\nclosed/f -rw-r--r-- four\nlink → a/b/c.txt"
			if got := list(t, dir); got != want {
				t.Errorf("unpacked\n%s\nwant\n%s", got, want)
			}
			if got := alone(t, path, "app"); got != "" {
				t.Errorf("left behind: %s", got)
			}
			if err := archive.Unpack(t.Context(), path, dir, archive.Limits{}); !errors.Is(err, fs.ErrExist) {
				t.Errorf("unpacked again: %v", err)
			}
		})
	}
}

// alone names what lies beside the archive at path and is not expected there.
func alone(t testing.TB, path string, expected ...string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() != filepath.Base(path) && !slices.Contains(expected, e.Name()) {
			names = append(names, e.Name())
		}
	}
	return strings.Join(names, " ")
}

// A .pyz has a line before the archive.
func TestUnpackBehindAScript(t *testing.T) {
	path := put(t, "app.PYZ", append([]byte("#!/usr/bin/env python3\n"), zipped(t, entry{name: "__main__.py", body: "x"})...))
	dir := filepath.Join(filepath.Dir(path), "app")
	if err := archive.Unpack(t.Context(), path, dir, archive.Limits{}); err != nil {
		t.Fatal(err)
	}
	if got := list(t, dir); got != "__main__.py -rw-r--r-- x" {
		t.Errorf("unpacked %s", got)
	}
}

// TestAttacks: each is refused with a sentence, and neither the folder nor
// anything else is there afterwards.
func TestAttacks(t *testing.T) {
	good := entry{name: "app.py", body: "pass"}
	for _, tt := range []struct {
		name    string
		entries []entry
		err     error
		says    string
		only    string // the ending of the only format that can hold it
	}{
		{"absolute name", []entry{good, {name: "/etc/cron.d/x"}}, archive.ErrUnsafe, `app$: entry "/etc/cron.d/x": unsafe archive: its name is absolute`, ""},
		{"out of the folder", []entry{good, {name: "../x"}}, archive.ErrUnsafe, "leads out with ..", ""},
		{"out of the folder later", []entry{good, {name: "a/b/../../../x"}}, archive.ErrUnsafe, "leads out with ..", ""},
		{"out and in again", []entry{good, {name: "a/../b"}}, archive.ErrUnsafe, "leads out with ..", ""},
		{"a folder out of the folder", []entry{good, {name: "../x/"}}, archive.ErrUnsafe, "leads out with ..", ""},
		{"backslashes", []entry{good, {name: `..\x`}}, archive.ErrUnsafe, "backslash", ""},
		{"no name", []entry{good, {name: ""}}, archive.ErrUnsafe, "no name", ""},
		{"control character", []entry{good, {name: "a\x01b"}}, archive.ErrUnsafe, "control character", ""},
		{"NUL", []entry{good, {name: "a\x00b"}}, archive.ErrUnsafe, "control character", ".zip"},
		{"line end", []entry{good, {name: "a\nb"}}, archive.ErrUnsafe, "control character", ""},
		{"not UTF-8", []entry{good, {name: "a\xffb"}}, archive.ErrUnsafe, "not UTF-8", ""},
		{"a long name", []entry{good, {name: strings.Repeat("x/", 600)}}, archive.ErrUnsafe, "longer than 1024 bytes", ""},
		{"a long part of a name", []entry{good, {name: "a/" + strings.Repeat("x", 256)}}, archive.ErrUnsafe, "a part of its name is longer than 255 bytes", ""},
		{"absolute link", []entry{good, {name: "l", target: "/etc/passwd"}}, archive.ErrUnsafe, `a link out of the folder, to "/etc/passwd"`, ""},
		{"link out", []entry{good, {name: "l", target: "../../etc/passwd"}}, archive.ErrUnsafe, "leads out of the folder", ""},
		{"link to the folder above", []entry{good, {name: "l", target: ".."}}, archive.ErrUnsafe, "leads out of the folder", ""},
		{"link to nothing", []entry{good, {name: "l", target: "nothing"}}, archive.ErrUnsafe, "or nowhere", ""},
		{"link to itself", []entry{good, {name: "l", target: "l"}}, archive.ErrUnsafe, "or nowhere", ""},
		{
			"links that only together lead out",
			[]entry{{name: "d/e/f/g", body: ""}, {name: "d/e/f/a", target: "../../../s"}, {name: "s/x", body: ""}, {name: "d/e/f/b", target: "a/../.."}},
			archive.ErrUnsafe, `entry "d/e/f/b"`, "",
		},
		{"file through a link", []entry{{name: "l", target: ".."}, {name: "l/x", body: "evil"}}, archive.ErrUnsafe, `"l" is there twice`, ""},
		{"file through a link, the other way round", []entry{{name: "l/x", body: "evil"}, {name: "l", target: ".."}}, archive.ErrUnsafe, `"l" is there twice`, ""},
		{"link and file", []entry{{name: "l", target: "app.py"}, good, {name: "l", body: "evil"}}, archive.ErrUnsafe, `"l" is there twice`, ""},
		{"one name twice", []entry{good, good}, archive.ErrUnsafe, `"app.py" is there twice`, ""},
		{"file and folder", []entry{{name: "a"}, {name: "a/b"}}, archive.ErrUnsafe, `"a" is there twice`, ""},
		{"case collision", []entry{good, {name: "APP.py"}}, archive.ErrUnsafe, "some systems take both for one", ""},
		{"case collision of folders", []entry{{name: "a/x"}, {name: "A/y"}}, archive.ErrUnsafe, "some systems take both for one", ""},
		{"case collision beyond ASCII", []entry{{name: "ſ.py"}, {name: "s.py"}}, archive.ErrUnsafe, "some systems take both for one", ""},
		{"file of the folder's name", []entry{good, {name: ".", body: ""}}, archive.ErrUnsafe, "a file with the name of a folder", ".zip"},
		{"FIFO", []entry{good, {name: "f", mode: fs.ModeNamedPipe | 0o644, kind: tar.TypeFifo}}, archive.ErrUnsafe, "neither a file nor a folder", ""},
		{"device", []entry{good, {name: "d", mode: fs.ModeDevice | 0o644, kind: tar.TypeBlock}}, archive.ErrUnsafe, "neither a file nor a folder", ""},
		{"character device", []entry{good, {name: "d", mode: fs.ModeDevice | fs.ModeCharDevice | 0o644, kind: tar.TypeChar}}, archive.ErrUnsafe, "neither a file nor a folder", ""},
		{"socket", []entry{good, {name: "s", mode: fs.ModeSocket | 0o644}}, archive.ErrUnsafe, "neither a file nor a folder", ".zip"},
		{"hard link", []entry{good, {name: "h", target: "/etc/shadow", kind: tar.TypeLink}}, archive.ErrUnsafe, "a hard link", ".tar.gz"},
		{"bomb", []entry{good, {name: "zeros", body: strings.Repeat("\x00", 11<<20)}}, archive.ErrTooLarge, "more than 100 times its size", ""},
	} {
		for _, p := range packs {
			if tt.only != "" && tt.only != p.ending {
				continue
			}
			t.Run(tt.name+p.ending, func(t *testing.T) {
				path := put(t, "app$"+p.ending, p.pack(t, tt.entries...))
				refused(t, path, archive.Limits{}, tt.err, strings.ReplaceAll(tt.says, "app$", "app$"+p.ending))
			})
		}
	}
}

// TestErrorIsShort: a name that is no end is told by its beginning.
func TestErrorIsShort(t *testing.T) {
	err := &archive.Error{Archive: "app.zip", Entry: strings.Repeat("é", 1<<20), Err: archive.ErrUnsafe}
	if n := len(err.Error()); n > 1000 {
		t.Errorf("%d bytes of an error", n)
	}
}

// refused unpacks the archive at path and wants an error of that kind that says
// so, and nothing left.
func refused(t *testing.T, path string, limits archive.Limits, kind error, says string) {
	t.Helper()
	dir := filepath.Join(filepath.Dir(path), "app")
	err := archive.Unpack(t.Context(), path, dir, limits)
	if _, ok := errors.AsType[*archive.Error](err); !ok || !errors.Is(err, kind) || !strings.Contains(err.Error(), says) {
		t.Errorf("error %v\nwant one that is %v and says %q", err, kind, says)
	}
	if left := alone(t, path); left != "" {
		t.Errorf("left behind: %s", left)
	}
}

// TestLimits: what is at a limit is unpacked, what is beyond it is refused.
func TestLimits(t *testing.T) {
	var twelve []entry
	for i := range 12 {
		twelve = append(twelve, entry{name: fmt.Sprintf("f%d", i), body: "0123456789"})
	}
	text := strings.Repeat("0123456789abcdef", 20<<20/16)
	for _, tt := range []struct {
		name     string
		entries  []entry
		at, over archive.Limits
		says     string
	}{
		{"size", twelve, archive.Limits{Size: 120}, archive.Limits{Size: 119}, "more than 119 bytes unpacked"},
		{"entries", twelve, archive.Limits{Entries: 12}, archive.Limits{Entries: 11}, "more than 11 entries"},
		{"ratio", []entry{{name: "t", body: text}}, archive.Limits{Ratio: 100_000}, archive.Limits{Ratio: 10}, "more than 10 times its size"},
		{"ratio of a small archive", []entry{{name: "t", body: text[:10<<20]}}, archive.Limits{Ratio: 1}, archive.Limits{Ratio: 1, Size: 10<<20 - 1}, "unpacked"},
	} {
		for _, p := range packs {
			t.Run(tt.name+p.ending, func(t *testing.T) {
				path := put(t, "app"+p.ending, p.pack(t, tt.entries...))
				refused(t, path, tt.over, archive.ErrTooLarge, tt.says)
				if err := archive.Unpack(t.Context(), path, filepath.Join(filepath.Dir(path), "app"), tt.at); err != nil {
					t.Errorf("at the limit: %v", err)
				}
			})
		}
	}
}

// A directory of many entries is not read to its end, nor is a tar file of
// nothing but names.
func TestManyEntries(t *testing.T) {
	var many []entry
	for i := range 5000 {
		many = append(many, entry{name: strings.Repeat("long/", 100) + fmt.Sprint(i)})
	}
	for _, p := range packs {
		refused(t, put(t, "app"+p.ending, p.pack(t, many...)), archive.Limits{Entries: 100}, archive.ErrTooLarge, "more than 100 entries")
	}
	refused(t, put(t, "app.tgz", gzipped(t, make([]byte, 8<<20))), archive.Limits{Entries: 100, Size: 100}, archive.ErrTooLarge, "more than 100 bytes")
}

func gzipped(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestCutShort cuts at every length, and changes a byte of the content.
func TestCutShort(t *testing.T) {
	for _, p := range packs {
		t.Run(p.ending, func(t *testing.T) {
			whole := p.pack(t, entry{name: "app.py", body: "import this\n"}, entry{name: "static/a.css", body: strings.Repeat("a { b: c }", 50)})
			for n := range len(whole) {
				path := put(t, "app"+p.ending, whole[:n])
				dir := filepath.Join(filepath.Dir(path), "app")
				err := archive.Unpack(t.Context(), path, dir, archive.Limits{})
				if !errors.Is(err, archive.ErrDamaged) {
					t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
				}
				if left := alone(t, path); left != "" {
					t.Fatalf("%d of %d bytes leave %s behind", n, len(whole), left)
				}
			}
		})
	}
	for name, data := range map[string][]byte{
		"app.zip":    bytes.Replace(stored(t, "correct horse"), []byte("horse"), []byte("house"), 1),
		"app.whl":    []byte("This is no archive.\n"),
		"app.tar.gz": gzipped(t, []byte(strings.Repeat("This is no archive.\n", 100))),
		"app.tgz":    zipped(t, entry{name: "app.py"}),
	} {
		refused(t, put(t, name, data), archive.Limits{}, archive.ErrDamaged, "damaged archive")
	}
}

// stored is an archive of one file that is not compressed.
func stored(t testing.TB, body string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateHeader(&zip.FileHeader{Name: "app.py", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEncrypted(t *testing.T) {
	data := stored(t, "secret")
	for _, at := range []string{"PK\x03\x04", "PK\x01\x02"} {
		i := bytes.Index(data, []byte(at))
		data[i+map[string]int{"PK\x03\x04": 6, "PK\x01\x02": 8}[at]] |= 1
	}
	refused(t, put(t, "app.zip", data), archive.Limits{}, archive.ErrDamaged, "it is encrypted")
}

// A full disk is not the archive's fault, and leaves nothing behind either.
func TestFullDisk(t *testing.T) {
	for _, p := range packs {
		path := put(t, "app"+p.ending, p.pack(t, entry{name: "a", body: "1234"}, entry{name: "b", body: "12345"}))
		err := archive.UnpackOnto(t.Context(), path, filepath.Join(filepath.Dir(path), "app"), 4, syscall.ENOSPC)
		if _, blamed := errors.AsType[*archive.Error](err); blamed || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%s: %v", p.ending, err)
		}
		if left := alone(t, path); left != "" {
			t.Errorf("left behind: %s", left)
		}
	}
}

func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.zip")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := archive.Unpack(t.Context(), path, filepath.Join(dir, "app"), archive.Limits{}); !errors.Is(err, archive.ErrUnsafe) {
		t.Errorf("a folder: %v", err)
	}
	if err := archive.Unpack(t.Context(), filepath.Join(dir, "none.zip"), filepath.Join(dir, "app"), archive.Limits{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestUser unpacks for somebody else: all is his, and for him alone, or not there.
func TestUser(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root can give anything away
	}
	user := &asuser.User{UID: 54321, GID: 54321}
	for _, p := range packs {
		whole := p.pack(t, entry{name: "deep/app.py", body: "import this\n"}, entry{name: "static/a.css", body: strings.Repeat("a { b: c }", 50)})
		for _, n := range []int{len(whole), len(whole) - 40} {
			path := put(t, "app"+p.ending, whole[:n])
			// The way there is not for him; what is his is reached from where it is.
			if err := os.Chmod(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(filepath.Dir(path), "app")
			err = archive.UnpackFile(t.Context(), f, dir, archive.Limits{}, user)
			f.Close()
			if n < len(whole) {
				if left := alone(t, path); !errors.Is(err, archive.ErrDamaged) || left != "" {
					t.Errorf("%s: cut short: %v, and it leaves %q behind", p.ending, err, left)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Lstat(dir); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%s: %v, %v", p.ending, info.Mode(), err)
			}
			err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil {
					return err
				}
				info, err := d.Info()
				if err == nil && info.Sys().(*syscall.Stat_t).Uid != user.UID {
					t.Errorf("%s is not his", path)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func TestInterrupted(t *testing.T) {
	for _, p := range packs {
		path := put(t, "app"+p.ending, p.pack(t, entry{name: "a"}))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := archive.Unpack(ctx, path, filepath.Join(filepath.Dir(path), "app"), archive.Limits{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", p.ending, err)
		}
		if left := alone(t, path); left != "" {
			t.Errorf("left behind: %s", left)
		}
	}
}

func TestEnding(t *testing.T) {
	for name, want := range map[string]string{
		"a.zip": ".zip", "a.ZIP": ".ZIP", "a.tar.gz": ".tar.gz", "a.tgz": ".tgz", "a.whl": ".whl", "a.b.pyz": ".pyz",
		"a": "", ".zip": "", "a.gz": "", "a.tar": "", "azip": "",
	} {
		if got := archive.Ending(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// FuzzUnpack: whatever the bytes, nothing is written beside the folder, and all
// that is in it is a file, a folder or a link that leads nowhere else.
func FuzzUnpack(f *testing.F) {
	f.Add(zipped(f, entry{name: "a/b", body: "c"}, entry{name: "l", target: "a"}), false)
	f.Add(tarred(f, entry{name: "a/b", body: "c"}, entry{name: "l", target: "a"}), true)
	f.Add(zipped(f, entry{name: "../x", body: "c"}), false)
	f.Add(tarred(f, entry{name: "l", target: ".."}, entry{name: "l/x"}), true)
	f.Fuzz(func(t *testing.T, data []byte, tar bool) {
		name := "app.zip"
		if tar {
			name = "app.tgz"
		}
		top, err := os.MkdirTemp("", "fuzz-") // t.TempDir says nothing about what it removes
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(top)
		path := filepath.Join(top, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = archive.Unpack(ctx, path, filepath.Join(top, "app"), archive.Limits{Size: 1 << 20, Entries: 100})
		expected := []string{}
		if err == nil {
			expected = append(expected, "app")
		}
		if left := alone(t, path, expected...); left != "" {
			t.Fatalf("left beside the folder: %s", left)
		}
		if err != nil {
			return
		}
		inside, err := filepath.EvalSymlinks(filepath.Join(top, "app"))
		if err != nil {
			t.Fatal(err)
		}
		err = filepath.WalkDir(inside, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			real, err := filepath.EvalSymlinks(path)
			if err != nil {
				return err
			}
			if real != inside && !strings.HasPrefix(real, inside+"/") {
				return fmt.Errorf("%s leads to %s", path, real)
			}
			if kind := d.Type() &^ (fs.ModeDir | fs.ModeSymlink); kind != 0 {
				return fmt.Errorf("%s is a %v", path, kind)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

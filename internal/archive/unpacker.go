package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"unicode/utf8"
)

const (
	// maxTarget bounds the target of a link: no path is longer.
	maxTarget = 4096
	// maxName bounds the name of an entry, as systems bound paths.
	maxName = 1024
	// maxElement bounds what is between two slashes of it, as file systems do.
	maxElement = 255
	// directoryEntry and tarEntry are what an entry may take, on average, of a zip
	// archive's directory and of a tar file beside its content: the name, twice,
	// and what various systems add.
	directoryEntry = 256
	tarEntry       = 4096
)

// creator makes the file of that name below root, which must be new.
type creator func(root *os.Root, name string, mode fs.FileMode) (io.WriteCloser, error)

// unpacker puts entries into a folder, and knows what it has put there. It
// belongs to one goroutine.
type unpacker struct {
	ctx     context.Context
	root    *os.Root
	create  creator
	limits  Limits
	most    int64 // bytes that all files together may have: Size and Ratio in one
	entry   string
	entries int
	size    int64
	names   map[string]named // by their names in lower case
	links   []symlink
}

// named is what is at a name.
type named struct {
	name   string
	folder bool
}

// symlink is a link that is made when everything else is there: nothing is ever
// written through one.
type symlink struct{ name, target string }

func newUnpacker(ctx context.Context, root *os.Root, packed int64, limits Limits, create creator) *unpacker {
	most := limits.Size
	if limits.Ratio <= most/max(packed, 1) {
		most = min(most, max(packed*limits.Ratio, freeSize))
	}
	return &unpacker{ctx: ctx, root: root, create: create, limits: limits, most: most, names: map[string]named{}}
}

// blames reports whether the archive is to blame for err, not the machine.
func (u *unpacker) blames(err error) bool {
	return errors.Is(err, ErrUnsafe) || errors.Is(err, ErrTooLarge) || errors.Is(err, ErrDamaged)
}

// begin takes the next entry up.
func (u *unpacker) begin(name string) error {
	u.entry = name
	if err := u.ctx.Err(); err != nil {
		return err
	}
	if u.entries++; u.entries > u.limits.Entries {
		return fmt.Errorf("%w: more than %d entries", ErrTooLarge, u.limits.Entries)
	}
	return nil
}

// local is the name of an entry as a clean relative path, "." for the folder
// itself.
func local(name string) (string, error) {
	unsafe := func(what string) (string, error) { return "", fmt.Errorf("%w: %s", ErrUnsafe, what) }
	switch {
	case name == "":
		return unsafe("it has no name")
	case len(name) > maxName:
		return unsafe(fmt.Sprintf("its name is longer than %d bytes", maxName))
	case name[0] == '/':
		return unsafe("its name is absolute")
	case !utf8.ValidString(name):
		return unsafe("its name is not UTF-8")
	case strings.Contains(name, `\`):
		return unsafe("its name holds a backslash; pack it with slashes")
	}
	for i := range len(name) {
		if name[i] < ' ' || name[i] == 0x7f {
			return unsafe("its name holds a control character")
		}
	}
	for element := range strings.SplitSeq(name, "/") {
		switch {
		case element == "..":
			return unsafe("its name leads out with ..")
		case len(element) > maxElement:
			return unsafe(fmt.Sprintf("a part of its name is longer than %d bytes", maxElement))
		}
	}
	return path.Clean(name), nil
}

// claim takes a clean name and those of the folders above it. A name belongs to
// one entry, whatever the case of its letters; folders may come again.
func (u *unpacker) claim(name string, folder bool) error {
	for at := name; at != "."; at = path.Dir(at) {
		is := named{at, folder || at != name}
		key := fold(at)
		was, taken := u.names[key]
		switch {
		case !taken:
			u.names[key] = is
			if len(u.names) > u.limits.Entries*2 {
				return fmt.Errorf("%w: more than %d folders", ErrTooLarge, u.limits.Entries)
			}
		case was.name != at:
			return fmt.Errorf("%w: %q is there as well, and some systems take both for one", ErrUnsafe, was.name)
		case !was.folder || !is.folder:
			return fmt.Errorf("%w: %q is there twice", ErrUnsafe, at)
		default:
			return nil // with all above it
		}
	}
	return nil
}

// fold is a name as systems compare it that do not tell letters by their case.
func fold(name string) string { return strings.ToLower(strings.ToUpper(name)) }

func (u *unpacker) folder(name string) error {
	clean, err := local(name)
	if err != nil || clean == "." {
		return err
	}
	if err := u.claim(clean, true); err != nil {
		return err
	}
	return u.root.MkdirAll(clean, 0o755)
}

func (u *unpacker) file(name string, mode fs.FileMode, body io.Reader) error {
	clean, err := local(name)
	if err != nil {
		return err
	}
	if clean == "." || strings.HasSuffix(name, "/") {
		return fmt.Errorf("%w: a file with the name of a folder", ErrUnsafe)
	}
	if err := u.claim(clean, false); err != nil {
		return err
	}
	if err := u.root.MkdirAll(path.Dir(clean), 0o755); err != nil {
		return err
	}
	perm := fs.FileMode(0o644)
	if mode&0o100 != 0 {
		perm = 0o755
	}
	f, err := u.create(u.root, clean, perm)
	if err != nil {
		return err
	}
	err = u.copy(f, body)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// copy copies a file, as far as the limits let it.
func (u *unpacker) copy(dst io.Writer, src io.Reader) error {
	buf := make([]byte, 64<<10)
	for {
		if err := u.ctx.Err(); err != nil {
			return err
		}
		n, err := src.Read(buf)
		if u.size += int64(n); u.size > u.most {
			if u.most < u.limits.Size {
				return fmt.Errorf("%w: it unpacks to more than %d times its size", ErrTooLarge, u.limits.Ratio)
			}
			return fmt.Errorf("%w: more than %d bytes unpacked", ErrTooLarge, u.limits.Size)
		}
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return damaged(err)
		}
	}
}

func (u *unpacker) symlink(name, target string) error {
	clean, err := local(name)
	if err != nil {
		return err
	}
	if err := u.claim(clean, false); err != nil {
		return err
	}
	if target == "" || target[0] == '/' || len(target) >= maxTarget || strings.ContainsAny(target, "\x00\\") {
		return fmt.Errorf("%w: a link out of the folder, to %q", ErrUnsafe, target)
	}
	u.links = append(u.links, symlink{clean, target})
	return nil
}

// link makes the links, and sees where they lead when all of them are there: one
// by one they can look harmless. The root follows links and refuses to leave.
func (u *unpacker) link() error {
	for _, l := range u.links {
		u.entry = l.name
		if err := u.root.MkdirAll(path.Dir(l.name), 0o755); err != nil {
			return err
		}
		if err := u.root.Symlink(l.target, l.name); err != nil {
			return err
		}
	}
	for _, l := range u.links {
		u.entry = l.name
		if _, err := u.root.Stat(l.name); err != nil {
			return fmt.Errorf("%w: a link that leads out of the folder, or nowhere, to %q", ErrUnsafe, l.target)
		}
	}
	u.entry = ""
	return nil
}

// budget is a reader that reads so much and no more.
type budget struct {
	r    io.ReaderAt
	left int64
}

var errBudget = errors.New("read too much")

// ReadAt implements io.ReaderAt.
func (b *budget) ReadAt(p []byte, off int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errBudget
	}
	return b.r.ReadAt(p, off)
}

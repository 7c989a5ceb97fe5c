// Package archive unpacks what somebody else has packed, without believing it:
// no entry gets out of its folder, by name or by link, none is anything but a
// file, a folder or a link that stays inside, no two have names that differ in
// case alone, and size, number and compression are bounded. The folder is there as
// a whole or not at all.
//
// It is not for archives of the server's own: times, owners and modes are not
// kept, except for whether a file may be executed.
package archive

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/asuser"
)

// What the errors of Unpack wrap.
var (
	// ErrUnsafe: an entry that no honest archive of an application has.
	ErrUnsafe = errors.New("unsafe archive")
	// ErrTooLarge: more than the limits allow.
	ErrTooLarge = errors.New("archive too large")
	// ErrDamaged: not an archive, cut short, or with wrong checksums.
	ErrDamaged = errors.New("damaged archive")
)

// Error says what is wrong with an archive.
type Error struct {
	Archive string // its file name
	Entry   string // as it stands in the archive; "" if it is the whole
	Err     error
}

// Error is one line.
func (e *Error) Error() string {
	if e.Entry == "" {
		return fmt.Sprintf("%s: %v", e.Archive, e.Err)
	}
	entry := e.Entry
	if len(entry) > maxElement { // up to a megabyte, if it is hostile
		entry = entry[:maxElement] + "…"
	}
	return fmt.Sprintf("%s: entry %q: %v", e.Archive, entry, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Limits bound what an archive may become; 0 means the defaults.
type Limits struct {
	// Size is how many bytes all files together may have, unpacked.
	Size int64
	// Entries is how many entries there may be, folders included.
	Entries int
	// Ratio is how many times larger than the archive the files together may be.
	// It counts from freeSize on: a small text may well be all blanks.
	Ratio int64
}

// Defaults of Limits: an application with all that it needs beside it has some
// 20,000 files and 300 MB; source text shrinks to a fifth, a log to a thirtieth.
const (
	DefaultSize    = 1 << 30
	DefaultEntries = 100_000
	DefaultRatio   = 100
)

// freeSize is how many bytes may come of an archive whatever its ratio.
const freeSize = 10 << 20

func (l Limits) withDefaults() Limits {
	if l.Size == 0 {
		l.Size = DefaultSize
	}
	if l.Entries == 0 {
		l.Entries = DefaultEntries
	}
	if l.Ratio == 0 {
		l.Ratio = DefaultRatio
	}
	return l
}

// endings are those of archives, in lower case; true for a compressed tar file.
var endings = map[string]bool{".zip": false, ".whl": false, ".pyz": false, ".tar.gz": true, ".tgz": true}

// Ending returns the ending by which the file called name is an archive, as it is
// spelt there; "" if it is none.
func Ending(name string) string {
	lower := strings.ToLower(name)
	for ending := range endings {
		if len(lower) > len(ending) && strings.HasSuffix(lower, ending) {
			return name[len(name)-len(ending):]
		}
	}
	return ""
}

// Unpack unpacks the archive at path, a file with one of the known endings, into
// the folder dir, which must not exist. It works in a folder beside dir, which is
// renamed in the end: whatever goes wrong, nothing is left behind. The error is
// an *Error if the archive is to blame.
func Unpack(ctx context.Context, path, dir string, limits Limits) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("archive: unpack: %w", err)
	}
	defer f.Close()
	return UnpackFile(ctx, f, dir, limits, nil)
}

// UnpackFile is Unpack for an archive that is open, by the name that it was opened
// with. The folder is its user's, nil for who the process is, and so is all in it:
// nobody else can look into it, and what the archive has in it is written, and
// links followed, with that user's rights.
func UnpackFile(ctx context.Context, f *os.File, dir string, limits Limits, user *asuser.User) error {
	return unpack(ctx, f, dir, limits, user, createFile)
}

// createFile makes a new file.
func createFile(root *os.Root, name string, mode fs.FileMode) (io.WriteCloser, error) {
	return root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

func unpack(ctx context.Context, f *os.File, dir string, limits Limits, user *asuser.User, create creator) (err error) {
	name := filepath.Base(f.Name())
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("archive: unpack: %w", err)
	}
	if !info.Mode().IsRegular() {
		return &Error{name, "", fmt.Errorf("%w: not a regular file", ErrUnsafe)}
	}
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("archive: unpack %s: %s: %w", name, dir, fs.ErrExist)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".unpacking-")
	if err != nil {
		return fmt.Errorf("archive: unpack %s: %w", name, err)
	}
	root, err := os.OpenRoot(temp)
	if err != nil {
		return fmt.Errorf("archive: unpack %s: %w", name, err)
	}
	defer root.Close()
	defer func() {
		if err != nil { // which is what to tell
			_ = user.Do(func() error { return empty(root) })
			_ = os.RemoveAll(temp)
		}
	}()
	if user != nil {
		if err := os.Lchown(temp, int(user.UID), int(user.GID)); err != nil {
			return fmt.Errorf("archive: unpack %s: %w", name, err)
		}
	}
	u := newUnpacker(ctx, root, info.Size(), limits.withDefaults(), create)
	err = user.Do(func() (err error) {
		if endings[strings.ToLower(Ending(name))] {
			err = u.tar(f)
		} else {
			err = u.zip(f, info.Size())
		}
		if err == nil {
			err = u.link()
		}
		return err
	})
	if err == nil {
		err = os.Rename(temp, dir)
	}
	switch {
	case err == nil:
		return nil
	case u.blames(err):
		return &Error{name, u.entry, err}
	}
	return fmt.Errorf("archive: unpack %s: %w", name, err)
}

// empty removes all that is in a folder.
func empty(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	errs := []error{err}
	for _, e := range entries {
		errs = append(errs, root.RemoveAll(e.Name()))
	}
	return errors.Join(errs...)
}

// zip unpacks a zip archive, which may stand behind something else, as in .pyz.
func (u *unpacker) zip(f io.ReaderAt, size int64) error {
	directory := &budget{f, int64(u.limits.Entries) * directoryEntry}
	r, err := zip.NewReader(directory, size)
	switch {
	case errors.Is(err, errBudget):
		return fmt.Errorf("%w: more than %d entries", ErrTooLarge, u.limits.Entries)
	case err != nil && !errors.Is(err, zip.ErrInsecurePath):
		return damaged(err)
	}
	directory.left = int64(^uint64(0) >> 1) // the directory is read
	for _, e := range r.File {
		if err := u.begin(e.Name); err != nil {
			return err
		}
		if e.Flags&1 != 0 {
			return fmt.Errorf("%w: it is encrypted", ErrDamaged)
		}
		if err := u.zipEntry(e); err != nil {
			return err
		}
	}
	u.entry = ""
	return nil
}

func (u *unpacker) zipEntry(e *zip.File) error {
	mode := e.Mode()
	if mode.IsDir() {
		return u.folder(e.Name)
	}
	body, err := e.Open()
	if err != nil {
		return damaged(err)
	}
	defer body.Close()
	switch {
	case mode.IsRegular():
		return u.file(e.Name, mode, body)
	case mode&fs.ModeType == fs.ModeSymlink:
		target, err := io.ReadAll(io.LimitReader(body, maxTarget))
		if err != nil {
			return damaged(err)
		}
		return u.symlink(e.Name, string(target))
	}
	return fmt.Errorf("%w: neither a file nor a folder (%v)", ErrUnsafe, mode.Type())
}

// tar unpacks a compressed tar file.
func (u *unpacker) tar(f io.Reader) error {
	z, err := gzip.NewReader(f)
	if err != nil {
		return damaged(err)
	}
	// Headers and padding count as well: a tar file of nothing else is no use.
	bounded := &io.LimitedReader{R: z, N: u.limits.Size + int64(u.limits.Entries)*tarEntry}
	r := tar.NewReader(bounded)
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			u.entry = ""
			break
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			u.entry = ""
			return u.cut(bounded, damaged(err))
		}
		if e.Typeflag == tar.TypeXGlobalHeader {
			continue // git writes one, for a comment
		}
		if err := u.begin(e.Name); err != nil {
			return err
		}
		if err := u.tarEntry(e, r); err != nil {
			return u.cut(bounded, err)
		}
	}
	// What is behind the end of the tar file belongs to the checksum.
	_, err = io.Copy(io.Discard, bounded)
	if err == nil && bounded.N <= 0 {
		err = ErrDamaged // not read to its end
	}
	return u.cut(bounded, damaged(err))
}

// cut is err, or what explains it: that no more was read.
func (u *unpacker) cut(bounded *io.LimitedReader, err error) error {
	if bounded.N <= 0 && errors.Is(err, ErrDamaged) {
		return fmt.Errorf("%w: more than %d bytes unpacked", ErrTooLarge, u.limits.Size)
	}
	return err
}

func (u *unpacker) tarEntry(e *tar.Header, body io.Reader) error {
	switch e.Typeflag {
	case tar.TypeDir:
		return u.folder(e.Name)
	case tar.TypeReg:
		return u.file(e.Name, e.FileInfo().Mode(), body)
	case tar.TypeSymlink:
		return u.symlink(e.Name, e.Linkname)
	case tar.TypeLink:
		return fmt.Errorf("%w: a hard link; tar --hard-dereference packs a copy", ErrUnsafe)
	}
	return fmt.Errorf("%w: neither a file nor a folder (type %q)", ErrUnsafe, e.Typeflag)
}

// damaged wraps what the readers of archives say; nil stays nil.
func damaged(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return fmt.Errorf("%w: it is cut short", ErrDamaged)
	case errors.Is(err, zip.ErrFormat):
		return fmt.Errorf("%w: no zip archive, or cut short", ErrDamaged)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

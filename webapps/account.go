package webapps

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/seed-07905ac1/gatehouse/internal/asuser"
	"github.com/seed-07905ac1/gatehouse/internal/filestate"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// Account is a user of the system whom an application runs as. What the
// application has is looked for and opened with his rights as well, and what is
// made for it is his.
type Account struct {
	Name, Home string
	User       *pyapp.User // nil: whom the server runs as
}

// user is nil for the server's own.
func (a *Account) user() *pyapp.User {
	if a == nil {
		return nil
	}
	return a.User
}

// do does something with the rights of the account.
func (a *Account) do(f func() error) error { return a.user().Do(f) }

// env is what tells a process who it is.
func (a *Account) env() []string {
	if a == nil {
		return nil
	}
	return []string{"HOME=" + a.Home, "USER=" + a.Name, "LOGNAME=" + a.Name}
}

// explain says of a failure what it may have to do with whom it happened to.
func (a *Account) explain(f *Failure) *Failure {
	if a.user() != nil && f.Hint == "" && errors.Is(f.Err, fs.ErrPermission) {
		f.Hint = "it runs as " + a.Name + ", who must be able to read what is in its folder and to enter that and all above it"
	}
	return f
}

// owners are whom an entry of the folder belongs to.
type owners struct {
	entry uint32 // the folder, or the archive
	link  uint32 // the symbolic link that leads there; of no link, entry
}

// accountOf says whom the application of an entry runs as.
func (c *Config) accountOf(name ContextName, o owners) (*Account, error) {
	if c.Account == nil {
		return nil, nil
	}
	a, err := c.Account(name, o.entry)
	if err != nil {
		return nil, err
	}
	if o.link != o.entry && o.link != 0 {
		// Who may make a link here does not decide what runs as somebody else.
		if by, err := c.Account(name, o.link); err != nil || !by.user().Same(a.user()) {
			return nil, &hintError{
				fmt.Errorf("the symbolic link belongs to another user (%d) than the folder that it leads to (%d)", o.link, o.entry),
				"a link counts that belongs to root, or to whom the folder does: chown -h",
			}
		}
	}
	if a.user() == nil {
		return a, nil
	}
	info, err := os.Stat(c.Dir)
	if err != nil {
		return nil, err
	}
	if filestate.OthersMayChange(info) {
		return nil, &hintError{
			fmt.Errorf("it belongs to another user than the server's, and others than the owner of %s can change what is in there (mode %04o)", c.Dir, info.Mode().Perm()),
			"chmod go-w " + c.Dir,
		}
	}
	return a, nil
}

// ownerOf is whom a file belongs to that package os has looked at; 0 where the
// system does not tell.
func ownerOf(info fs.FileInfo) uint32 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Uid
	}
	return 0
}

// look looks at an entry of the folder: through a link, with the rights of whom it
// belongs to.
func (c *Config) look(name ContextName, path string) (info fs.FileInfo, o owners, err error) {
	if info, err = os.Lstat(path); err != nil {
		return nil, o, err
	}
	o = owners{ownerOf(info), ownerOf(info)}
	if info.Mode()&fs.ModeSymlink == 0 {
		return info, o, nil
	}
	var by *Account
	if c.Account != nil {
		by, _ = c.Account(name, o.link) // root's links lead where the server can see it
	}
	err = by.do(func() error {
		info, err = os.Stat(path)
		return err
	})
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, o, errHidden
	case err != nil || !info.IsDir():
		return nil, o, errNoFolder
	}
	o.entry = ownerOf(info)
	return info, o, nil
}

var (
	errNoFolder = errors.New("a symbolic link that leads to no folder")
	errHidden   = errors.New("a symbolic link that leads where its owner may not look, nor the server if it is root's; let it belong to whom the folder does: chown -h")
)

// stranger is whom something belongs to that is not the server's own: what he has
// made, the server cannot remove. nil if it is the server's, or root's.
func stranger(info fs.FileInfo) *asuser.User {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok || s.Uid == 0 || int(s.Uid) == os.Geteuid() {
		return nil
	}
	return &asuser.User{UID: s.Uid, GID: nobodys}
}

// nobodys is the group of who has none on most systems: what belongs to somebody
// may have a group that he is not in, such as root's.
const nobodys = 65534

// removeAll is os.RemoveAll for what is made of folders of several users.
func removeAll(path string) error {
	err := os.RemoveAll(path)
	if err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	info, lookErr := os.Lstat(path)
	if lookErr != nil || !info.IsDir() {
		return err
	}
	if user := stranger(info); user != nil {
		// He may not find the way, but knows it from here.
		parent, openErr := os.OpenRoot(filepath.Dir(path))
		if openErr != nil {
			return err
		}
		defer parent.Close()
		// All but the folder itself, which lies in one of the server's.
		_ = user.Do(func() error { return parent.RemoveAll(filepath.Base(path)) })
		return os.RemoveAll(path)
	}
	entries, readErr := os.ReadDir(path)
	if readErr != nil {
		return err
	}
	for _, e := range entries {
		_ = removeAll(filepath.Join(path, e.Name())) // the last look tells
	}
	return os.RemoveAll(path)
}

// own makes a folder that is nobody else's than the account's, or sees to it that
// one which is there is.
func own(dir string, a *Account) error {
	uid := uint32(os.Geteuid())
	if u := a.user(); u != nil {
		uid = u.UID
	}
	err := os.Mkdir(dir, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
	}
	if ownerOf(info) == uid || uid == 0 { // for root it makes no difference
		return nil
	}
	if int(ownerOf(info)) == os.Geteuid() {
		// It is new, or was not used yet.
		if entries, err := os.ReadDir(dir); err == nil && len(entries) == 0 {
			return os.Lchown(dir, int(a.User.UID), int(a.User.GID))
		}
	}
	return &hintError{
		fmt.Errorf("%s belongs to another user (%d) than the application runs as (%d)", dir, ownerOf(info), uid),
		fmt.Sprintf("if it is to be the application's: chown -R %d %s", uid, dir),
	}
}

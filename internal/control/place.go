package control

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/seed-07905ac1/gatehouse/internal/filestate"
)

// ending is that of sockets in the folders where servers are looked for.
const ending = ".sock"

// System is the folder for servers that root has started. It is a variable for
// tests, whose servers must not be found by others.
var System = "/run/gatehouse"

// Places are the folders in which sockets of servers are: that of whoever asks,
// and that of the system.
func Places() []string { return []string{own(), System} }

// own is the folder for servers of this user's.
func own() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "gatehouse")
	}
	return filepath.Join(os.TempDir(), "gatehouse-"+strconv.Itoa(os.Getuid()))
}

// Place makes the folder in which this process puts its socket, and returns the
// socket's path there: that of the system for root, unless root's session has one
// of its own and the server stays root's; becomes reports that it does not.
func Place(becomes bool) (path string, err error) {
	dir, mode := own(), fs.FileMode(0o700)
	if os.Geteuid() == 0 && (becomes || !isOurs(os.Getenv("XDG_RUNTIME_DIR"))) {
		dir, mode = System, 0o755 // names are no secret; each socket is its user's
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return "", fmt.Errorf("control: folder for sockets: %w", err)
	}
	if err := private(dir); err != nil {
		return "", fmt.Errorf("control: folder for sockets: %w", err)
	}
	if dir == System {
		// A umask must not keep the users of servers out.
		if err := os.Chmod(dir, mode); err != nil {
			return "", fmt.Errorf("control: folder for sockets: %w", err)
		}
	}
	return filepath.Join(dir, strconv.Itoa(os.Getpid())+ending), nil
}

// isOurs reports whether a folder is that of this user: sudo may leave a variable
// that names another's.
func isOurs(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// private refuses a folder in which somebody else than root and this user could
// have put a socket.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", dir)
	case filestate.OthersMayChange(info):
		return fmt.Errorf("others can change %s", dir)
	case !ok || stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to somebody else", dir)
	}
	return nil
}

// Sockets are the paths of sockets in a folder, none if nobody has made it. Those
// of servers that have died are among them.
func Sockets(dir string) ([]string, error) {
	if _, err := os.Lstat(dir); os.IsNotExist(err) {
		return nil, nil
	}
	if err := private(dir); err != nil {
		return nil, fmt.Errorf("control: look for servers: %w", err)
	}
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("control: look for servers: %w", err)
	}
	var paths []string
	for _, e := range all {
		if e.Type() == fs.ModeSocket && filepath.Ext(e.Name()) == ending {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths, nil
}

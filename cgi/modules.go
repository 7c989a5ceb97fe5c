package cgi

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi/compat"
	"github.com/seed-07905ac1/gatehouse/internal/nofollow"
)

const (
	// modulesPrefix begins the names of folders of modules.
	modulesPrefix = "gatehouse-modules-"
	// orphanAge is how long ago a folder of modules must have been made to be
	// taken for a dead server's when nobody holds its lock: one that is being made
	// has none yet.
	orphanAge = time.Minute
)

// modules is a folder of the Python modules that scripts find where the standard
// library has them no more. It is locked as long as it is in use, by which
// systemd-tmpfiles leaves it alone, too.
type modules struct {
	path string
	lock *os.File // the folder itself
}

// modules returns the folder of modules, nil if there shall be none or cannot be,
// and the environment in which Python finds them.
func (c *Config) modules(environment []string) (*modules, []string) {
	if c.NoCompat {
		return nil, environment
	}
	m, err := openModules(os.TempDir())
	if err != nil {
		c.Log.Warn("scripts run without the modules cgi and cgitb for newer Pythons; TMPDIR names another folder for them", "error", err)
		return nil, environment
	}
	return m, m.environment(environment)
}

// openModules makes a folder of modules in the folder in, which everybody may
// read and only we may change.
func openModules(in string) (*modules, error) {
	if err := removeOrphans(in); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(in, modulesPrefix)
	if err != nil {
		return nil, err
	}
	m := &modules{path: path}
	if err := m.fill(); err != nil {
		_ = m.close()
		return nil, err
	}
	return m, nil
}

func (m *modules) fill() (err error) {
	if m.lock, err = os.Open(m.path); err != nil {
		return err
	}
	if err := syscall.Flock(int(m.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("lock %s: %w", m.path, err)
	}
	if err := compat.Write(m.path); err != nil {
		return err
	}
	return os.Chmod(m.path, 0o755)
}

// close removes the folder.
func (m *modules) close() error {
	err := os.RemoveAll(m.path)
	if m.lock != nil {
		m.lock.Close()
	}
	return err
}

// removeOrphans removes the folders of modules that servers of the same user
// have left behind which were killed.
func removeOrphans(in string) error {
	root, err := os.OpenRoot(in)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil // it may be one that can only be written to
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), modulesPrefix) && isOrphan(root, e.Name()) {
			_ = root.RemoveAll(e.Name()) // or the next server does
		}
	}
	return nil
}

func isOrphan(root *os.Root, name string) bool {
	folder, info, err := nofollow.Folder(root, name)
	if err != nil {
		return false
	}
	defer folder.Close()
	status, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(status.Uid) != os.Geteuid() || time.Since(info.ModTime()) < orphanAge {
		return false
	}
	f, err := folder.Open(".")
	if err != nil {
		return false
	}
	defer f.Close() // and with it the lock
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// environment returns env with the folder in PYTHONPATH, behind what is there
// already.
func (m *modules) environment(env []string) []string {
	const name = "PYTHONPATH="
	path := m.path
	for _, pair := range env {
		if old, ok := strings.CutPrefix(pair, name); ok && old != "" {
			path = old + string(filepath.ListSeparator) + m.path
		}
	}
	env = slices.DeleteFunc(slices.Clone(env), func(pair string) bool { return strings.HasPrefix(pair, name) })
	return append(env, name+path)
}

// runsPython reports whether a program is a Python 3, as far as names tell: that
// of the interpreter, or what a link of that name leads to.
func (h *Handler) runsPython(s *script, p program) bool {
	if p.path != s.path {
		return p.args[0] == h.config.Python || namesPython3(p.path)
	}
	bang, ok := parseShebang(s.start) // which the system reads
	if ok && filepath.Base(bang.interpreter) == "env" {
		// Options, variables, and somewhere the interpreter.
		return slices.ContainsFunc(strings.Fields(bang.argument), namesPython3)
	}
	return ok && namesPython3(bang.interpreter)
}

// namesPython3 reports whether a path or name is that of a Python 3, or a PyPy of
// it.
func namesPython3(path string) bool {
	if filepath.IsAbs(path) {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			if major, ok := pythonVersion(real); ok && major == 2 {
				return false
			}
		}
	}
	name := filepath.Base(path)
	if version, ok := strings.CutPrefix(name, "pypy"); ok {
		return version != "" && version[0] == '3' && strings.Trim(version, "0123456789.") == ""
	}
	major, ok := pythonVersion(name)
	return ok && major != 2
}

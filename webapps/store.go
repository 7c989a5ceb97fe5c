package webapps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/seed-07905ac1/gatehouse/internal/archive"
	"github.com/seed-07905ac1/gatehouse/internal/filestate"
)

// store is the folder of what the Deployer keeps beside the applications:
//
//	lock                 held while a server runs
//	key                  of version cookies
//	data/NAME/           GATEHOUSE_DATA of the application at a path
//	apps/NAME/state      what is to be remembered of one version
//	apps/NAME/1, 2, …    what its archives were unpacked to
//	apps/NAME/1.files    what was in them
//	apps/NAME/venv/KEY   environments with its requirements
//	incoming/            archives that are being received, and what is thrown away
//
// What is an application's own (its data, each folder that was unpacked for it and
// each environment) belongs to the user that it runs as, and only he can look into
// it; where there may be several, all can pass through the folders above.
//
// The methods about one application are called by one at a time.
type store struct {
	dir    string
	shared bool // by several users
	lock   *os.File
	remove func(path string) error // removeAll; a test's own
}

// openStore opens the folder, makes it if it is not there, and takes it for this
// process alone.
func openStore(dir string, shared bool, log *slog.Logger) (*store, error) {
	s := &store{dir: dir, shared: shared, remove: removeAll}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("webapps: open store: %w", err)
	}
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() || filestate.OthersMayChange(info) {
		return nil, fmt.Errorf("webapps: open store: %s is not a folder that only its owner can change", dir)
	}
	var err error
	if s.lock, err = os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("webapps: open store: %w", err)
	}
	if err := syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = s.lock.Close() // err is what to tell
		return nil, fmt.Errorf("webapps: another server runs these applications (%s is locked)", s.lock.Name())
	}
	err = s.tidy(log)
	if err == nil && s.shared {
		err = s.share()
	}
	if err != nil {
		_ = s.close() // as above
		return nil, fmt.Errorf("webapps: open store: %w", err)
	}
	return s, nil
}

// share lets other users through to what is theirs. What a server of one user has
// left behind there is for him alone first.
func (s *store) share() error {
	data, apps := filepath.Join(s.dir, "data"), filepath.Join(s.dir, "apps")
	versions, err := foldersIn(apps)
	if err != nil {
		return err
	}
	kept, err := foldersIn(versions...)
	if err != nil {
		return err
	}
	private, err := foldersIn(data)
	if err != nil {
		return err
	}
	var environments []string
	for _, path := range kept {
		if filepath.Base(path) == environmentsName {
			environments = append(environments, path)
		} else {
			private = append(private, path)
		}
	}
	made, err := foldersIn(environments...)
	if err != nil {
		return err
	}
	for _, path := range append(private, made...) {
		info, err := os.Lstat(path)
		if err != nil || stranger(info) != nil {
			continue
		}
		if err := os.Chmod(path, 0o700); err != nil {
			return err
		}
	}
	return s.mkdir(append([]string{s.dir, data, apps}, versions...)...)
}

// foldersIn are the paths of the folders that lie in dirs.
func foldersIn(dirs ...string) (paths []string, err error) {
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir() {
				paths = append(paths, filepath.Join(dir, e.Name()))
			}
		}
	}
	return paths, nil
}

// mkdir makes folders of the server's own, where they are not there yet. What lies
// in them is each user's own.
func (s *store) mkdir(dirs ...string) error {
	for _, dir := range dirs {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if s.shared {
			// A umask must not keep the users out.
			if err := os.Chmod(dir, 0o711); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *store) close() error { return s.lock.Close() }

// tidy removes what a server that was killed has left half done. What cannot be
// removed, because an application has seen to that, harms nobody.
func (s *store) tidy(log *slog.Logger) error {
	_ = removeAll(s.incoming())
	for _, dir := range []string{s.incoming(), filepath.Join(s.dir, "data"), filepath.Join(s.dir, "apps")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	folders, err := os.ReadDir(filepath.Join(s.dir, "apps"))
	if err != nil {
		return err
	}
	for _, f := range folders {
		name, err := ParseBase(f.Name())
		if err != nil {
			continue // not made by us
		}
		recoverMoved(s.apps(name), log)
		recoverMoved(filepath.Join(s.apps(name), environmentsName), log)
		m, err := s.recall(name)
		if err != nil {
			continue // told when it is deployed; until then nothing of it is removed
		}
		_ = s.keep(name, m)
	}
	return nil
}

func (s *store) incoming() string { return filepath.Join(s.dir, "incoming") }

// data is the folder of the application at name's path, made if it is new.
func (s *store) data(name ContextName, a *Account) (string, error) {
	dir := filepath.Join(s.dir, "data", ContextName{prefix: name.prefix}.Base())
	if err := own(dir, a); err != nil {
		return "", fmt.Errorf("folder for data: %w", err)
	}
	return dir, nil
}

func (s *store) apps(name ContextName) string { return filepath.Join(s.dir, "apps", name.Base()) }

// unpacked is the folder that the archive with that number was unpacked to.
func (s *store) unpacked(name ContextName, number int) string {
	return filepath.Join(s.apps(name), strconv.Itoa(number))
}

// memory is what is remembered of one version over restarts of the server.
type memory struct {
	Print    string `json:"print,omitempty"`    // of the archive that Current or, after a rollback, Previous is of
	Current  int    `json:"current,omitempty"`  // number of what runs, unpacked; 0 for a folder
	Previous int    `json:"previous,omitempty"` // of what was before it; 0 if there is none
	Stopped  bool   `json:"stopped,omitempty"`  // somebody has stopped it, or it is retired
}

// recall returns what is remembered, nothing of one that is new.
func (s *store) recall(name ContextName) (memory, error) {
	var m memory
	text, err := os.ReadFile(filepath.Join(s.apps(name), "state"))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return m, fmt.Errorf("webapps: what is remembered of %v: %w", name, err)
	}
	return m, nil
}

// remember replaces what is remembered.
func (s *store) remember(name ContextName, m memory) error {
	if err := s.mkdir(s.apps(name)); err != nil {
		return fmt.Errorf("webapps: remember %v: %w", name, err)
	}
	text, err := json.Marshal(m)
	if err == nil {
		err = writeFile(filepath.Join(s.apps(name), "state"), text)
	}
	if err != nil {
		return fmt.Errorf("webapps: remember %v: %w", name, err)
	}
	return nil
}

// keep removes all that was unpacked of name but what m names, as far as that is
// possible.
func (s *store) keep(name ContextName, m memory) error {
	all, err := os.ReadDir(s.apps(name))
	errs := []error{err}
	for _, e := range all {
		number, _, _ := strings.Cut(e.Name(), ".")
		n, err := strconv.Atoi(number)
		if e.Name() == "state" || e.Name() == environmentsName || err == nil && (n == m.Current || n == m.Previous) {
			continue
		}
		errs = append(errs, removeAll(filepath.Join(s.apps(name), e.Name())))
	}
	return errors.Join(errs...)
}

// unpack unpacks an archive beside what is there, for whom it will run as, and
// returns its number.
func (s *store) unpack(ctx context.Context, name ContextName, f *os.File, a *Account, limits archive.Limits) (int, error) {
	if err := s.mkdir(s.apps(name)); err != nil {
		return 0, fmt.Errorf("webapps: unpack: %w", err)
	}
	number, err := s.free(name)
	if err != nil {
		return 0, fmt.Errorf("webapps: unpack: %w", err)
	}
	if err := archive.UnpackFile(ctx, f, s.unpacked(name, number), limits, a.user()); err != nil {
		return 0, err
	}
	if err := s.note(name, number); err != nil {
		_ = removeAll(s.unpacked(name, number)) // err is what to tell
		return 0, err
	}
	return number, nil
}

// free returns a number that nothing unpacked of name has.
func (s *store) free(name ContextName) (int, error) {
	entries, err := os.ReadDir(s.apps(name))
	last := 0
	for _, e := range entries { // none if the folder cannot be read
		if n, err := strconv.Atoi(e.Name()); err == nil {
			last = max(last, n)
		}
	}
	return last + 1, err
}

// take makes a folder one that was unpacked, as it were, under that number, or
// leaves it where it is.
func (s *store) take(name ContextName, number int, path string) error {
	if err := rename(path, s.unpacked(name, number)); err != nil {
		return fmt.Errorf("webapps: keep %s: %w", path, err)
	}
	if err := s.note(name, number); err != nil {
		return errors.Join(err, rename(s.unpacked(name, number), path))
	}
	return nil
}

// drop removes what was unpacked under that number.
func (s *store) drop(name ContextName, number int) error {
	return errors.Join(removeAll(s.unpacked(name, number)), os.RemoveAll(s.unpacked(name, number)+".files"))
}

// kept is a file as it was unpacked.
type kept struct {
	Size int64 `json:"size"`
	Time int64 `json:"time"` // of modification, Unix nanoseconds
}

// note notes which files were unpacked.
func (s *store) note(name ContextName, number int) error {
	files, err := s.list(name, number)
	if err != nil {
		return fmt.Errorf("webapps: note what was unpacked: %w", err)
	}
	text, err := json.Marshal(files)
	if err == nil {
		err = writeFile(s.unpacked(name, number)+".files", text)
	}
	if err != nil {
		return fmt.Errorf("webapps: note what was unpacked: %w", err)
	}
	return nil
}

// list lists what lies now where something was unpacked, as its owner sees it.
func (s *store) list(name ContextName, number int) (files map[string]kept, err error) {
	dir := s.unpacked(name, number)
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	err = stranger(info).Do(func() error {
		files, err = listFiles(dir)
		return err
	})
	return files, err
}

// isOf reports whether there is something unpacked under that number, and it is
// the account's.
func (s *store) isOf(name ContextName, number int, a *Account) bool {
	info, err := os.Lstat(s.unpacked(name, number))
	if err != nil || !info.IsDir() {
		return false
	}
	u, is := a.user(), stranger(info)
	return u == nil && is == nil || u != nil && is != nil && u.UID == is.UID
}

// listFiles lists the files below dir that an application could miss: not those
// that Python makes by itself.
func listFiles(dir string) (map[string]kept, error) {
	files := map[string]kept{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "__pycache__":
			return filepath.SkipDir
		case d.IsDir():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = kept{info.Size(), info.ModTime().UnixNano()}
		return err
	})
	return files, err
}

// written returns an error, a *WrittenError, if files of what was unpacked under
// that number are new or changed since.
func (s *store) written(name ContextName, number int) error {
	text, err := os.ReadFile(s.unpacked(name, number) + ".files")
	var before map[string]kept
	if err == nil {
		err = json.Unmarshal(text, &before)
	}
	if err != nil {
		return fmt.Errorf("webapps: look for files of the running version: %w", err)
	}
	now, err := s.list(name, number)
	if err != nil {
		return fmt.Errorf("webapps: look for files of the running version: %w", err)
	}
	e := &WrittenError{Dir: s.unpacked(name, number)}
	for file, is := range now {
		if was, ok := before[file]; !ok || was != is {
			e.Files = append(e.Files, file)
		}
	}
	if len(e.Files) == 0 {
		return nil
	}
	slices.Sort(e.Files)
	const told = 100
	if e.More = max(0, len(e.Files)-told); e.More > 0 {
		e.Files = e.Files[:told]
	}
	return e
}

// forget removes what is kept of one version, but not its path's data.
func (s *store) forget(name ContextName) error { return s.discard(s.apps(name)) }

// discard removes a file or folder so that it is gone at once, though removing
// all that is in it may take its time.
func (s *store) discard(path string) error {
	aside, err := s.setAside(path)
	if aside == "" {
		return err
	}
	if removeErr := s.remove(aside); removeErr != nil {
		err = errors.Join(err, fmt.Errorf("webapps: remove: %w", removeErr))
	}
	return err
}

// setAside puts a file or folder, if it is there, where it is nobody's any more, and
// takes no longer for a large one. The caller removes aside, also after an error;
// "" if there is nothing to remove.
func (s *store) setAside(path string) (aside string, err error) {
	if aside, err = os.MkdirTemp(s.incoming(), "gone-"); err != nil {
		return "", fmt.Errorf("webapps: remove: %w", err)
	}
	err = s.mkdir(aside)
	if err == nil {
		err = rename(path, filepath.Join(aside, "it"))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return aside, fmt.Errorf("webapps: remove: %w", err)
	}
	return aside, nil
}

// top is the folder of an unpacked archive that the application lies in: archives
// are often made of one folder with everything in it.
func top(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return dir
	}
	inner := ""
	for _, e := range entries {
		switch {
		case e.Name() == "__MACOSX" || e.Name() == ".DS_Store":
		case inner != "" || !e.IsDir() || slices.Contains(scriptFolders, e.Name()):
			return dir
		default:
			inner = filepath.Join(dir, e.Name())
		}
	}
	if inner == "" {
		return dir
	}
	if _, err := os.Lstat(filepath.Join(inner, "__init__.py")); err == nil {
		return dir // a package is imported by its name
	}
	return inner
}

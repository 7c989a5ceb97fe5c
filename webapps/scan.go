package webapps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// entry is one entry of the folder of applications.
type entry struct {
	file    string // its name
	path    string
	name    ContextName
	archive bool
	info    fs.FileInfo
	owners  owners
	// received is of an archive that has not got its place yet: owners are those
	// that it will have.
	received bool
}

// same reports whether e is the entry that it was when it was deployed. A folder
// stays the same whatever is in it: what counts as a change of that, package
// watch knows.
func (e *entry) same(was *entry) bool {
	if e.file != was.file || e.owners != was.owners || !os.SameFile(e.info, was.info) {
		return false
	}
	return !e.archive || e.print() == was.print()
}

// print tells one content of an archive from another, over restarts of the
// server too.
func (e *entry) print() string {
	return fmt.Sprintf("%s %d %d", e.file, e.info.Size(), e.info.ModTime().UnixNano())
}

// Problem is an entry that is no application.
type Problem struct {
	Entry string // the file or folder, by its name
	Err   error
}

// scan looks at the folder of applications. Entries come by name; those that
// cannot be applications are told with the reason. Hidden names are nobody's, as
// editors, version control and copying tools make them.
func (c *Config) scan() (map[ContextName]*entry, []Problem, error) {
	all, err := os.ReadDir(c.Dir)
	if err != nil {
		return nil, nil, fmt.Errorf("webapps: look at the applications: %w", err)
	}
	entries := map[ContextName]*entry{}
	var problems []Problem
	twice := map[ContextName][]string{}
	for _, d := range all {
		if strings.HasPrefix(d.Name(), ".") {
			continue
		}
		e, err := c.newEntry(d.Name())
		switch {
		case errors.Is(err, fs.ErrNotExist): // it has just gone
		case err != nil:
			problems = append(problems, Problem{d.Name(), err})
		default:
			twice[e.name] = append(twice[e.name], e.file)
			entries[e.name] = e
		}
	}
	for name, files := range twice {
		if len(files) == 1 {
			continue
		}
		// Which of them is meant, nobody can say.
		delete(entries, name)
		for i, file := range files {
			others := slices.Delete(slices.Clone(files), i, i+1)
			problems = append(problems, Problem{file, fmt.Errorf("%v is the context of %s as well; keep one of them", name, strings.Join(others, ", "))})
		}
	}
	slices.SortFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Entry, b.Entry) })
	return entries, problems, nil
}

func (c *Config) newEntry(file string) (*entry, error) {
	e := &entry{file: file, path: filepath.Join(c.Dir, file)}
	base, ending := SplitArchive(file)
	info, err := os.Lstat(e.path)
	if err != nil {
		return nil, err
	}
	switch mode := info.Mode(); {
	case mode.IsDir(), mode&fs.ModeSymlink != 0:
		base = file
	case !mode.IsRegular():
		return nil, errors.New("neither a folder nor an archive")
	case ending == "":
		return nil, errors.New("neither a folder nor an archive (.zip, .tar.gz, .tgz, .whl, .pyz)")
	default:
		e.archive = true
	}
	name, nameErr := ParseBase(base)
	// Of a link, such as to a release, what counts is where it leads.
	if e.info, e.owners, err = c.look(name, e.path); err != nil {
		return nil, err
	}
	if nameErr == nil && e.archive == e.info.IsDir() {
		nameErr = errBusy // it has just been exchanged
	}
	e.name = name
	return e, nameErr
}

// settled reports whether nothing of an entry has changed since that time: what
// is being copied still changes. It is asked again and again until it is true. It
// looks at all that is in a folder, until ctx ends, and then that is not settled.
func settled(ctx context.Context, e *entry, a *Account, since time.Time) bool {
	is := false
	_ = a.do(func() error { // what cannot be looked at is not settled
		is = e.settled(ctx, since)
		return nil
	})
	return is
}

func (e *entry) settled(ctx context.Context, since time.Time) bool {
	if e.archive {
		info, err := os.Lstat(e.path)
		return err == nil && unchanged(info, since)
	}
	top, err := filepath.EvalSymlinks(e.path)
	if err != nil {
		return errors.Is(err, fs.ErrPermission) // as below
	}
	err = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrPermission) {
			return nil // it will not get better; the deployment says what is missing
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err // it changes right now, or nobody wants to know any more
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !unchanged(info, since) {
			return errBusy
		}
		if d.IsDir() && d.Name() == "__pycache__" {
			return filepath.SkipDir
		}
		return nil
	})
	return err == nil
}

// unchanged reports whether nothing has happened to a file since that time.
func unchanged(info fs.FileInfo, since time.Time) bool {
	changed := changeTime(info)
	// A time to come is the fault of a clock, which nobody waits for.
	return changed.Before(since) || changed.After(time.Now().Add(time.Minute))
}

// open opens the archive: with the rights of whom it runs as if it is his, else
// with the server's, who alone can put it there.
func (e *entry) open(a *Account) (f *os.File, err error) {
	u := a.user()
	if u != nil && (e.received || u.UID != e.owners.entry) {
		u = nil
	}
	err = u.Do(func() error {
		f, err = os.OpenFile(e.path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
		return err
	})
	return f, err
}

var errBusy = errors.New("still being copied")

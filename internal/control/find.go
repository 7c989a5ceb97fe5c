package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrNoServer: no server of this user's runs, as far as one can see.
var ErrNoServer = errors.New("no gatehouse runs here")

// SeveralError says that it is not clear which server is meant.
type SeveralError struct{ Found []Found }

// Found is a server that answers.
type Found struct {
	Client *Client
	Server Server
}

// Error is one line; the servers are on further lines.
func (e *SeveralError) Error() string { return "several servers run; --control PATH chooses one" }

// List is a line for each server.
func (e *SeveralError) List() string {
	var b strings.Builder
	for _, f := range e.Found {
		fmt.Fprintf(&b, "--control %s   %s, %s\n", f.Client.Path(), f.Server.Dir, strings.Join(f.Server.Listen, " "))
	}
	return b.String()
}

// askTime is how long a server may take to tell who it is.
const askTime = 5 * time.Second

// Find returns the one server of the folder cwd, which is its project's or lies in
// it, or the only server at all, of those whose sockets are in places. The error is
// ErrNoServer or a *SeveralError if there is no such one.
func Find(ctx context.Context, places []string, cwd string) (*Found, error) {
	var paths []string
	var errs []error
	for _, dir := range places {
		all, err := Sockets(dir)
		paths, errs = append(paths, all...), append(errs, err)
	}
	answers := make([]*Found, len(paths))
	var wg sync.WaitGroup
	for i, path := range paths {
		wg.Go(func() { answers[i] = ask(ctx, path) })
	}
	wg.Wait()
	found := slices.DeleteFunc(answers, func(f *Found) bool { return f == nil })
	here := nearest(found, cwd)
	if len(here) == 0 {
		here = found
	}
	switch len(here) {
	case 0:
		return nil, errors.Join(append([]error{ErrNoServer}, errs...)...)
	case 1:
		return here[0], nil
	}
	e := &SeveralError{}
	for _, f := range here {
		e.Found = append(e.Found, *f)
	}
	return nil, e
}

// ask is the server at a socket, nil if none answers to this user.
func ask(ctx context.Context, path string) *Found {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	f := &Found{Client: Dial(path)}
	if err := f.Client.Get(ctx, "status", nil, &f.Server); err != nil {
		return nil
	}
	return f
}

// nearest are the servers of the innermost folder that cwd lies in.
func nearest(all []*Found, cwd string) []*Found {
	cwd = resolved(cwd)
	depth := func(f *Found) int {
		best := 0
		for _, dir := range []string{f.Server.Dir, f.Server.Webapps} {
			dir = resolved(dir)
			rel, err := filepath.Rel(dir, cwd)
			if dir != "" && err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
				best = max(best, len(dir))
			}
		}
		return best
	}
	slices.SortStableFunc(all, func(a, b *Found) int { return cmp.Compare(depth(b), depth(a)) })
	n := 0
	for n < len(all) && depth(all[n]) > 0 && depth(all[n]) == depth(all[0]) {
		n++
	}
	return all[:n]
}

// resolved is a path without links, where that can be told.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// Tidy removes the sockets of servers that have died from a folder, as far as this
// user may.
func Tidy(dir string, remove func(path string) error) error {
	all, err := Sockets(dir)
	errs := []error{err}
	for _, path := range all {
		if err := remove(path); err != nil && !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, fs.ErrPermission) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

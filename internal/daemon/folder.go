package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/static"
)

// folder is a site of files, and of scripts where they are to run.
type folder struct {
	dir   string
	files *static.Handler
	drain time.Duration
	runs  *scriptFolders // nil: nothing is executed
}

// findFolder is the absolute path of the folder that the configuration names.
func findFolder(cfg *config.Static) (string, error) {
	dir := cmp.Or(cfg.Dir, ".")
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", folderError(dir, err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return "", folderError(dir, err)
	}
	if !info.IsDir() {
		return "", &Error{
			Err:  fmt.Errorf("cannot serve %s: it is not a folder", dir),
			Hint: "name the folder that it lies in",
		}
	}
	return abs, nil
}

// openFolder opens the folder that was found.
func openFolder(ctx context.Context, cfg *config.Config, dir string, log *slog.Logger) (*folder, error) {
	files, err := static.Open(static.Config{
		Roots:          []string{dir},
		Listing:        cfg.Static.Listing,
		FollowSymlinks: cfg.Static.FollowSymlinks,
		Charset:        cfg.Static.Charset,
		Withheld:       scriptNames(),
		Project:        projectRule(cfg.Static.ProjectFiles),
		Log:            log,
	})
	if err != nil {
		return nil, folderError(dir, err)
	}
	f := &folder{dir: dir, files: files, drain: cfg.Drain}
	if !cfg.CGI.On {
		return f, nil
	}
	if f.runs, err = openScripts(ctx, cfg, dir, files, log); err != nil {
		_ = files.Close() // err is what to tell
		return nil, err
	}
	return f, nil
}

// projectRule is what the configuration's word means.
func projectRule(word string) static.ProjectRule {
	switch word {
	case config.Hide:
		return static.ProjectAlways
	case config.Show:
		return static.ProjectNever
	}
	return static.ProjectAuto
}

func folderError(dir string, err error) *Error {
	e := &Error{Err: fmt.Errorf("cannot serve %s: %w", dir, cause(err))}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Err = fmt.Errorf("cannot serve %s: no such folder", dir)
	case errors.Is(err, fs.ErrPermission):
		e.Hint = "the user that runs gatehouse may not read it"
	}
	return e
}

func (f *folder) handler() http.Handler {
	if f.runs != nil {
		return &f.runs.router
	}
	return f.files
}

// asksOrigin implements site: scripts are told scheme and address.
func (f *folder) asksOrigin() bool { return f.runs != nil }

// patience implements site: a download that is cut can be resumed, so nobody who
// presses Ctrl-C waits for one. What a script does may not come again.
func (f *folder) patience(sig os.Signal) time.Duration {
	switch {
	case sig != syscall.SIGINT:
		return f.drain
	case f.runs != nil:
		return f.runs.interrupt
	}
	return 0
}

// announce says what is served where. The address comes last: what is said next
// is about it.
func (f *folder) announce(s *screen, _ time.Time, addrs []address) {
	if hidden := f.files.Hidden(); hidden != "" {
		s.line("hidden", "%s", hidden)
		if found, err := detect.Folder(f.dir, detect.Options{}); err == nil {
			s.line("", "gatehouse run runs the application in it, %s", found.App)
		}
	}
	if f.runs != nil {
		f.runs.announce(s)
	} else {
		announceWithheld(s, f.dir)
	}
	for _, addr := range addrs {
		s.line("serving", "%-28s %-27s static files", f.dir, addr.url)
	}
}

func (f *folder) reload(context.Context) ([]string, error) { return nil, nil } // files are always as they are now

func (f *folder) fallback() string { return "" } // reload does not fail

func (f *folder) changed() <-chan string { return nil }

func (f *folder) risks() []string { return nil }

func (f *folder) dump(context.Context) {} // nothing of Python runs here

func (f *folder) close(context.Context) error {
	if f.runs == nil {
		return f.files.Close()
	}
	return errors.Join(f.runs.close(), f.files.Close())
}

var _ site = (*folder)(nil)

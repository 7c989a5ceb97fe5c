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

// folder is a site of files, and of scripts and pages where they are to run.
type folder struct {
	dir       string // of the files
	files     *static.Handler
	drain     time.Duration
	interrupt time.Duration  // how long what is executed may go on after Ctrl-C
	runs      *scriptFolders // nil: there are no scripts
	pages     *pages         // nil: there are no pages
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
	public, err := publicFolder(cfg, dir)
	if err != nil {
		return nil, err
	}
	files, err := static.Open(static.Config{
		Roots:          []string{public},
		Listing:        cfg.Static.Listing,
		FollowSymlinks: cfg.Static.FollowSymlinks,
		Charset:        cfg.Static.Charset,
		Index:          cfg.Static.Index,
		Withheld:       scriptNames(),
		Project:        projectRule(cfg),
		Log:            log,
	})
	if err != nil {
		return nil, folderError(public, err)
	}
	f := &folder{dir: public, files: files, drain: cfg.Drain, interrupt: cfg.InterruptDrain}
	root := http.Handler(files)
	if cfg.Pages.On {
		// Its local redirects lead to whatever is served there.
		site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.handler().ServeHTTP(w, r) })
		if f.pages, err = openPages(ctx, cfg, dir, files, site, log); err == nil {
			root = f.pages.handler
		}
	}
	if err == nil && cfg.CGI.On {
		f.runs, err = openScripts(ctx, cfg, dir, root, files, log)
	}
	if err != nil {
		_ = f.close(ctx) // err is what to tell
		return nil, err
	}
	return f, nil
}

// publicFolder is the folder of the files, which pages may have beside their own.
func publicFolder(cfg *config.Config, dir string) (string, error) {
	if cfg.Pages.HTML == "" {
		return dir, nil
	}
	return findFolder(&config.Static{Dir: cfg.Pages.HTML})
}

// projectRule is what the configuration says about the private files of projects.
func projectRule(cfg *config.Config) static.ProjectRule {
	switch word := cfg.Static.ProjectFiles; {
	case word == config.Hide, cfg.Pages.On:
		return static.ProjectAlways
	case word == config.Show:
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
	switch {
	case f.runs != nil:
		return &f.runs.router
	case f.pages != nil:
		return &f.pages.router
	}
	return f.files
}

// executes reports whether anything but files is served.
func (f *folder) executes() bool { return f.runs != nil || f.pages != nil }

// asksOrigin implements site: scripts and pages are told scheme and address.
func (f *folder) asksOrigin() bool { return f.executes() }

// patience implements site: a download that is cut can be resumed, so nobody who
// presses Ctrl-C waits for one. What a script does may not come again.
func (f *folder) patience(sig os.Signal) time.Duration {
	switch {
	case sig != syscall.SIGINT:
		return f.drain
	case f.executes():
		return f.interrupt
	}
	return 0
}

// announce says what is served where. The address comes last: what is said next
// is about it.
func (f *folder) announce(s *screen, _ time.Time, addrs []address) {
	if hidden := f.files.Hidden(); hidden != "" {
		s.line("hidden", "%s", hidden)
		if found, err := detect.Folder(f.dir, detect.Options{}); err == nil && f.pages == nil {
			s.line("", "gatehouse run runs the application in it, %s", found.App)
		}
	}
	if f.pages != nil {
		f.pages.announce(s)
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

// configuration implements site: it reads no file.
func (f *folder) configuration() (*config.Loaded, error) { return nil, nil }

// reload implements site. Files and scripts are always as they are now, and pages
// see of most changes by themselves.
func (f *folder) reload(context.Context, *config.Loaded) ([]error, error) {
	if f.pages != nil {
		f.pages.handler.Refresh()
	}
	return nil, nil
}

func (f *folder) fallback() string { return "" } // reload does not fail

func (f *folder) changed() <-chan string { return nil }

func (f *folder) risks() []string { return nil }

// dump implements site.
func (f *folder) dump(ctx context.Context) {
	if f.pages != nil {
		f.pages.dump(ctx)
	}
}

// close implements site.
func (f *folder) close(ctx context.Context) error {
	var errs []error
	if f.pages != nil {
		errs = append(errs, f.pages.handler.Shutdown(ctx))
	}
	if f.runs != nil {
		errs = append(errs, f.runs.close())
	}
	return errors.Join(append(errs, f.files.Close())...)
}

var _ site = (*folder)(nil)

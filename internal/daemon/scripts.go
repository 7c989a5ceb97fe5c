package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/filestate"
	"github.com/seed-07905ac1/gatehouse/internal/router"
)

// scriptNames are the folders of scripts right below a served one: those that
// python -m http.server --cgi knew.
func scriptNames() []string { return []string{"cgi-bin", "htbin"} }

// scriptFolders runs the scripts below a folder and has its files answer for all
// other paths.
type scriptFolders struct {
	router  router.Router
	folders []*scriptFolder
	python  python
}

// openScripts opens the folders of scripts below dir. All other paths are root's;
// files withholds what is not open.
func openScripts(ctx context.Context, cfg *config.Config, dir string, root, files http.Handler, log *slog.Logger) (*scriptFolders, error) {
	if err := guarded(dir); err != nil {
		return nil, &Error{Err: fmt.Errorf("cannot run scripts: %w", err)}
	}
	python, err := findPython(ctx, cfg.CGI.Python)
	if err != nil {
		return nil, err
	}
	common, err := cgiConfig(&cfg.CGI)
	if err != nil {
		return nil, &Error{Err: fmt.Errorf("cannot run scripts: %w", err)}
	}
	all := &scriptFolders{python: python}
	routes := []router.Route{{Prefix: "/", Handler: root}}
	for _, name := range scriptNames() {
		c := common
		c.Dir, c.Prefix, c.DocumentRoot = filepath.Join(dir, name), "/"+name+"/", dir
		c.Python, c.Redirect, c.Log = python.path, &all.router, log
		f := &scriptFolder{config: c, files: files}
		all.folders = append(all.folders, f)
		routes = append(routes, router.Route{Prefix: "/" + name, Handler: f})
	}
	table, err := router.NewTable(routes)
	if err != nil {
		return nil, fmt.Errorf("daemon: route: %w", err)
	}
	all.router.Swap(table)
	return all, nil
}

// cgiConfig is what the configuration says about scripts wherever they are.
func cgiConfig(c *config.CGI) (cgi.Config, error) {
	queue := c.Queue
	if queue == 0 {
		queue = -1 // to cgi, zero is the default
	}
	var env []string
	for _, v := range c.Env {
		value, err := v.Resolve()
		if err != nil {
			return cgi.Config{}, err
		}
		env = append(env, v.Name+"="+value)
	}
	return cgi.Config{
		NoCompat:          !c.Compat,
		Warm:              c.Warm,
		Interpreters:      interpreters(c.Interpreters),
		Env:               env,
		PassAuthorization: c.PassAuthorization,
		Scheme:            scheme,
		Timeout:           limit(c.Timeout),
		StallTimeout:      limit(c.StallTimeout),
		KillGrace:         limit(c.KillGrace),
		MaxHead:           int(c.MaxHead),
		MaxBody:           bound(c.MaxBody),
		MaxOutput:         int64(c.MaxOutput),
		MaxScripts:        c.Scripts,
		Queue:             queue,
		QueueWait:         limit(c.QueueWait),
		Limits: cgi.Limits{
			CPU: c.Limits.CPU, Memory: int64(c.Limits.Memory), FileSize: int64(c.Limits.FileSize),
			Files: c.Limits.Files, Processes: c.Limits.Processes,
		},
	}, nil
}

// interpreters are those that package cgi knows, changed as the configuration says.
func interpreters(changes map[string]string) map[string]string {
	all := cgi.DefaultInterpreters()
	for ending, program := range changes {
		switch program {
		case config.NoProgram:
			delete(all, ending)
		case config.AnyPython:
			all[ending] = ""
		default:
			all[ending] = program
		}
	}
	return all
}

// guarded says why what lies in dir must not run: whoever may write to it could
// put scripts there, or a folder of them. Package cgi asks the same of what it
// finds below.
func guarded(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if filestate.OthersMayChange(info) {
		return fmt.Errorf("%s can be changed by others than its owner (mode %04o); chmod go-w %[1]s", dir, info.Mode().Perm())
	}
	return nil
}

// announce says what runs where, and with which Python.
func (s *scriptFolders) announce(screen *screen) {
	none := true
	for _, f := range s.folders {
		err := f.open()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		none = false
		if err == nil {
			err = guarded(f.config.Dir) // told now, and not only to whoever asks for a script
		}
		if err != nil {
			screen.line("warning", "%s → no scripts: %v", f.config.Prefix, err)
			continue
		}
		screen.line("cgi", "%s → scripts, %s", f.config.Prefix, s.python)
	}
	if none {
		screen.line("cgi", "there is neither cgi-bin nor htbin; scripts run as soon as there is one")
	}
}

// announceWithheld says why folders of scripts in dir are not served, if there
// are any.
func announceWithheld(screen *screen, dir string) {
	for _, name := range scriptNames() {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			screen.line("hidden", "%s is not served; --cgi runs its scripts", name)
		}
	}
}

// close ends the scripts that still run, those of all folders at the same time.
func (s *scriptFolders) close() error {
	errs := make([]error, len(s.folders))
	var wg sync.WaitGroup
	for i, f := range s.folders {
		wg.Go(func() { errs[i] = f.close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// scriptFolder is one folder of scripts. It may be made after the start, since it
// is opened when it is first asked for. Safe for concurrent use.
type scriptFolder struct {
	config cgi.Config
	files  http.Handler // answers for a folder that is not open, and withholds it

	opened atomic.Pointer[cgi.Handler] // nil if it is not
	mu     sync.Mutex                  // held while opening and closing
	closed bool
}

// open opens the folder, unless it is open or closed already.
func (f *scriptFolder) open() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.opened.Load() != nil {
		return nil
	}
	info, err := os.Lstat(f.config.Dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder; symbolic links are not followed", f.config.Dir)
	}
	if err := guarded(f.config.DocumentRoot); err != nil {
		return err
	}
	h, err := cgi.Open(f.config)
	if err != nil {
		return err
	}
	f.opened.Store(h)
	return nil
}

// ServeHTTP implements http.Handler.
func (f *scriptFolder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.opened.Load() == nil {
		if err := f.open(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.config.Log.Warn("scripts do not run", "path", r.URL.Path, "error", err)
		}
	}
	if h := f.opened.Load(); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	f.files.ServeHTTP(w, r)
}

// close ends the scripts that still run.
func (f *scriptFolder) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if h := f.opened.Load(); h != nil {
		return h.Close()
	}
	return nil
}

var _ http.Handler = (*scriptFolder)(nil)

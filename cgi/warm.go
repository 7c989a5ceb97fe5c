package cgi

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

const (
	// coldTime is how long scripts are run cold after their interpreter could not
	// be started, or has ended.
	coldTime = 30 * time.Second
	// maxInterpreters bounds how many interpreters are kept: there are few, but
	// scripts name them.
	maxInterpreters = 8
)

var (
	//go:embed interpreter.py
	interpreterSource string
	//go:embed script.py
	scriptSource string
)

// warm runs Python scripts in processes forked from an interpreter that has
// started before, and all others cold.
//
// The interpreter is started when the first script wants it. Nothing that goes
// wrong with it keeps a script from being run: then it is run cold.
type warm struct {
	cold    runner
	command pyproc.Command // of the interpreters, Python apart
	log     *slog.Logger
	nursery *nursery

	mu    sync.Mutex
	slots map[string]*slot // by the interpreter's path
}

// A slot is for the interpreter at a path, which may have to be started again.
type slot struct {
	mu          sync.Mutex   // held while it starts
	interpreter *interpreter // nil if there is none
	retry       time.Time    // before that, none is started
	unfit       bool         // none will ever be
}

func newWarm(cold runner, c *Config, environment []string) *warm {
	// Symbols are looked up once, and not anew in each process.
	given := append(slices.Clone(environment), "LD_BIND_NOW=1")
	return &warm{
		cold: cold, log: c.Log, slots: map[string]*slot{}, nursery: newNursery(),
		command: pyproc.Command{
			// Not the folder of the scripts: what is in it must not be imported here.
			Dir: "/", Env: given, User: c.User, Cell: c.Cell,
			NewPrivileges: true, // form mailers start a setgid sendmail (ADR 8)
			Service:       "interpreter",
			Modules:       map[string]string{"interpreter": interpreterSource, "script": scriptSource},
			Settings:      map[string]string{"dir": "/", "limits": c.Limits.text(), "environment": strings.Join(given, "\x00")},
		},
	}
}

// start implements runner.
func (w *warm) start(c *command) (process, error) {
	at := slices.Index(c.program.args, c.script.path)
	if i := w.interpreter(c.program.python); i != nil && at >= 0 {
		leave, ended := w.nursery.enter(), c.ended
		c.ended = func() {
			leave()
			ended()
		}
		p, err := i.start(c, c.program.args[at+1:])
		if err == nil {
			return p, nil
		}
		leave()
		w.log.Debug("a script is run cold", "script", c.script.path, "error", err)
	}
	return w.cold.start(c)
}

// interpreter returns the one at that path, which is started if there is none;
// nil if that is not possible.
func (w *warm) interpreter(python string) *interpreter {
	if python == "" {
		return nil
	}
	python = filepath.Clean(python)
	w.mu.Lock()
	s, ok := w.slots[python]
	if !ok {
		if len(w.slots) >= maxInterpreters {
			w.mu.Unlock()
			return nil
		}
		s = &slot{}
		w.slots[python] = s
	}
	w.mu.Unlock()

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.interpreter != nil && s.interpreter.isOver() {
		s.interpreter.close()
		w.log.Warn("an interpreter for scripts has ended; they are run without for a while", "interpreter", python, "reason", s.interpreter.cause())
		s.interpreter, s.retry = nil, time.Now().Add(coldTime)
	}
	if s.unfit || s.interpreter != nil || time.Now().Before(s.retry) {
		return s.interpreter
	}
	command := w.command
	command.Python = python
	i, err := openInterpreter(command)
	if errors.Is(err, errUnfit) {
		s.unfit = true
		w.log.Info("an interpreter is started for each script", "interpreter", python, "reason", err)
		return nil
	}
	if err != nil {
		s.retry = time.Now().Add(coldTime)
		w.log.Warn("an interpreter for scripts could not be prepared; they are run without", "interpreter", python, "error", err)
		return nil
	}
	s.interpreter = i
	return i
}

// close implements runner.
func (w *warm) close() {
	for _, s := range w.slots {
		if s.interpreter != nil {
			s.interpreter.close()
		}
	}
	w.cold.close()
}

// racy is the time in which a file may change twice without its time of change
// telling: that of the coarsest file systems.
const racy = 2 * time.Second

// identity is what tells one state of a file or a folder from another, in the
// same form as script.py has it; nothing if that is not certain.
func identity(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || time.Since(info.ModTime()).Abs() < racy {
		return ""
	}
	return fmt.Sprintf("%d %d %d %d", stat.Dev, stat.Ino, info.Size(), info.ModTime().UnixNano())
}

// identityOf is identity for a path, as its user sees it.
func identityOf(path string, user *User) string {
	var info fs.FileInfo
	err := user.Do(func() (err error) {
		info, err = os.Stat(path)
		return err
	})
	if err != nil {
		return ""
	}
	return identity(info)
}

var _ runner = (*warm)(nil)

package cgi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/confine"
	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// Handler runs the scripts of a folder. Safe for concurrent use. Made by Open.
type Handler struct {
	config      Config
	environment []string // of every script
	modules     *modules // nil if there are none
	// pythonEnvironment is environment for scripts that Python runs.
	pythonEnvironment []string
	executables       *executables
	looks             looks
	admission         *admission
	runner            runner
	null              *os.File
	log               *slog.Logger
	exitWait          time.Duration // exitWait, but in tests

	closing chan struct{} // closed by Close
	mu      sync.Mutex
	closed  bool
	running map[process]struct{}
	scripts sync.WaitGroup // counts what belongs to scripts: processes and their logs
}

// Open returns a Handler for c. The error says which setting or folder is wrong.
// The caller calls Close in the end.
func Open(c Config) (*Handler, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	err = c.User.Do(func() error {
		info, err := os.Stat(c.Dir)
		if err == nil && !info.IsDir() {
			err = &fs.PathError{Op: "open", Path: c.Dir, Err: syscall.ENOTDIR}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cgi: open: %w", err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("cgi: open: %w", err)
	}
	environment := c.environment()
	modules, pythonEnvironment := c.modules(environment)
	h := &Handler{
		config: c, environment: environment, pythonEnvironment: pythonEnvironment, modules: modules, null: null, log: c.Log, exitWait: exitWait,
		admission: newAdmission(c.MaxScripts, c.Queue, c.QueueWait),
		runner:    newCold(&c),
		closing:   make(chan struct{}), running: map[process]struct{}{},
	}
	if c.Warm {
		h.runner = newWarm(h.runner, &h.config, pythonEnvironment)
	}
	h.executables = &executables{}
	for _, pair := range h.environment {
		if path, ok := strings.CutPrefix(pair, "PATH="); ok {
			h.executables.path = path
		}
	}
	return h, nil
}

// Close ends all scripts that still run and returns when they have ended.
// Requests are answered with 503 from then on. It is called once.
func (h *Handler) Close() error {
	h.mu.Lock()
	h.closed = true
	close(h.closing)
	for p := range h.running {
		h.terminate(p)
	}
	h.mu.Unlock()
	h.scripts.Wait()
	h.runner.close()
	err := h.null.Close()
	if h.modules != nil {
		err = errors.Join(err, h.modules.close())
	}
	return err
}

// ServeHTTP answers r with what the script prints that its path means.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{h: h, w: w, r: r, id: requestid.Of(w)}
	target, err := x.run()
	switch {
	case err != nil:
		x.refuse(err)
	case target != nil:
		x.redirect(target, target.RequestURI())
	}
}

// An exchange is one request, the script that runs for it, and its answer.
type exchange struct {
	h  *Handler
	w  http.ResponseWriter
	r  *http.Request
	id string

	script   *script // nil until it is found
	program  program
	python   bool // Python runs it
	nph      bool // the script writes the whole message (RFC 3875, section 5)
	process  process
	stdout   *output
	begun    time.Time // when the process was started
	printed  int64     // bytes that the script has printed
	discards bool      // what it prints is not for the client

	mu     sync.Mutex
	reason error // why the script was told to end, nil if it was not
}

// run runs the script and answers. The error means that nothing has been
// answered yet, and why; the target is that of a local redirect, which is the
// answer.
func (x *exchange) run() (*url.URL, error) {
	if err := x.identify(); err != nil {
		return nil, err
	}
	if other := x.script.other; other != nil {
		other.ServeHTTP(x.w, x.r)
		return nil, nil
	}
	body, err := x.h.takeBody(x.r)
	if err != nil {
		return nil, err
	}
	defer body.close()
	if err := x.h.admission.enter(x.r.Context(), x.h.closing); err != nil {
		return nil, err
	}
	end, err := x.start(body)
	if errors.Is(err, errDiverted) {
		x.script.other.ServeHTTP(x.w, body.request(x.r))
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer end()
	target, err := x.respond()
	if err != nil {
		x.stop(err) // whose answer is refused has nothing to go on for
	}
	return target, err
}

// identify finds the script and what runs it, with the rights of whom it runs as.
func (x *exchange) identify() error { return x.h.config.User.Do(x.look) }

func (x *exchange) look() (err error) {
	if x.script, err = x.h.find(x.r); err != nil {
		return err
	}
	if x.script.other != nil && !x.h.config.Off {
		return nil
	}
	x.nph = strings.HasPrefix(filepath.Base(x.script.path), "nph-")
	if x.program, err = x.h.program(x.script); err == nil {
		x.python = x.h.runsPython(x.script, x.program)
	}
	return err
}

// identifyAgain makes sure that what is run now is what was looked at before the
// body came and the turn did.
func (x *exchange) identifyAgain() error {
	return x.h.config.User.Do(func() error {
		same, err := x.script.unchanged()
		if err != nil || same {
			return err
		}
		return x.look()
	})
}

// start starts the script. The caller has a turn, which is given back when the
// script has ended, and calls end when it is done with the answer.
func (x *exchange) start(b *body) (end func(), err error) {
	running := false
	defer func() {
		if !running {
			x.h.admission.leave()
		}
	}()
	if err := x.identifyAgain(); err != nil {
		return nil, err
	}
	if x.script.other != nil {
		return nil, errDiverted
	}
	outR, outW, err := newPipe(readEnd)
	if err != nil {
		return nil, fmt.Errorf("cgi: %w", err)
	}
	defer outW.Close()
	errR, errW, err := newPipe(readEnd)
	if err != nil {
		outR.Close()
		return nil, fmt.Errorf("cgi: %w", err)
	}
	defer errW.Close()
	x.h.config.User.Own(outW)
	x.h.config.User.Own(errW)
	stdin, feed := x.h.null, (*os.File)(nil)
	switch {
	case b.file != nil:
		stdin = b.file
	case b.stream != nil:
		if stdin, feed, err = newPipe(writeEnd); err != nil {
			outR.Close()
			errR.Close()
			return nil, fmt.Errorf("cgi: %w", err)
		}
		defer stdin.Close()
	}
	stderr := &output{file: errR}
	x.stdout = &output{file: outR}
	c := &command{
		program: x.program, script: x.script, env: x.environ(b.length), dir: filepath.Dir(x.script.path),
		stdin: stdin, stdout: outW, stderr: errW,
		ended: func() {
			x.stdout.scriptEnded()
			stderr.scriptEnded()
			x.h.admission.leave()
		},
	}
	c.program.args = append(c.program.args, x.arguments()...)
	if err := x.h.start(x, c); err != nil {
		outR.Close()
		errR.Close()
		if feed != nil {
			feed.Close()
		}
		return nil, x.startFailure(err)
	}
	x.begun = time.Now() // and not before: an interpreter may have had to be started first
	running = true
	x.h.scripts.Go(func() {
		stderr.logErrors(x.h.log.With("script", x.script.path, "request", x.id), x.script)
	})
	var f *feeder
	if feed != nil {
		f = x.feed(b, feed)
	}
	unwatch := context.AfterFunc(x.r.Context(), func() { x.stop(errGone) })
	return func() {
		unwatch()
		if f != nil {
			f.end()
		}
		outR.Close()
		x.h.dismiss(x.process)
	}, nil
}

// start starts the process and takes care of its end.
func (h *Handler) start(x *exchange, c *command) error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return errClosed
	}
	h.scripts.Add(1)
	h.mu.Unlock()
	p, err := h.runner.start(c)
	if err != nil {
		h.scripts.Done()
		return err
	}
	x.process = p
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running[p] = struct{}{}
	if h.closed {
		h.terminate(p)
	}
	return nil
}

// dismiss is called when the answer has been given: the script has ended or will
// soon. One that works on without output gets as long as between two parts of it.
func (h *Handler) dismiss(p process) {
	select {
	case <-p.done():
		h.forget(p)
		return
	default:
	}
	stop := func() bool { return true }
	if h.config.StallTimeout > 0 {
		stop = time.AfterFunc(h.config.StallTimeout, func() { h.terminate(p) }).Stop
	}
	go func() {
		<-p.done()
		stop()
		h.forget(p)
	}()
}

func (h *Handler) forget(p process) {
	h.mu.Lock()
	delete(h.running, p)
	h.mu.Unlock()
	h.scripts.Done()
}

// stop ends the script for that reason, unless it was told to end before.
func (x *exchange) stop(reason error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.reason == nil {
		x.reason = reason
		x.h.terminate(x.process)
	}
}

// terminate asks the script and all that it has started to end, and has them
// killed if they do not.
func (h *Handler) terminate(p process) {
	if h.config.KillGrace <= 0 {
		p.signal(syscall.SIGKILL)
		return
	}
	p.signal(syscall.SIGTERM)
	kill := time.AfterFunc(h.config.KillGrace, func() { p.signal(syscall.SIGKILL) })
	go func() {
		<-p.done()
		kill.Stop()
	}()
}

// exit says how the script ended. It waits a little for one that has closed its
// output; known says whether it has ended.
func (x *exchange) exit() (exit pyproc.Exit, known bool) {
	timer := time.NewTimer(x.h.exitWait)
	defer timer.Stop()
	select {
	case <-x.process.done():
		return x.process.exit(), true
	case <-timer.C:
		return pyproc.Exit{}, false
	}
}

// startFailure is what it means that a process could not be started.
func (x *exchange) startFailure(err error) error {
	var number syscall.Errno
	if errors.Is(err, confine.ErrUnlimited) || !errors.As(err, &number) {
		return err
	}
	f := &failure{status: http.StatusInternalServerError, reason: "the script could not be started", err: err}
	switch number {
	case syscall.ENOENT:
		if err := x.vanished(); err != nil {
			return notThere(err) // it has vanished since it was looked at
		}
		return noInterpreter(x.interpreter())
	case syscall.EACCES, syscall.EPERM:
		f.status = http.StatusBadGateway
		f.hint = "may the user that scripts run as execute " + x.interpreter() + ", read the script and enter its folder?"
	case syscall.ENOEXEC:
		return forbidden("the file is executable, but neither a program for this machine nor does it begin with #!", "write #! and the interpreter into its first line, or chmod -x it")
	case syscall.E2BIG:
		f.status = http.StatusRequestHeaderFieldsTooLarge
	case syscall.EAGAIN, syscall.ENOMEM:
		f.status = http.StatusServiceUnavailable
	}
	return f
}

// vanished returns an error if the script is not there any more.
func (x *exchange) vanished() error {
	return x.h.config.User.Do(func() error {
		_, err := os.Lstat(x.script.path)
		return err
	})
}

// interpreter is the program that the script's start needs.
func (x *exchange) interpreter() string {
	if bang, ok := parseShebang(x.script.start); ok && x.program.path == x.script.path {
		return bang.interpreter
	}
	return x.program.path
}

var _ http.Handler = (*Handler)(nil)

package webapps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// releaseTime is how long one command may take: migrations of large tables do.
const releaseTime = 10 * time.Minute

// commandError is that of a release command.
type commandError struct {
	command, output string
	err             error
}

func (e *commandError) Error() string { return fmt.Sprintf("release command %q: %v", e.command, e.err) }
func (e *commandError) Unwrap() error { return e.err }

// release runs the commands that come before new code takes over, one after the
// other, while the old code serves.
func (d *Deployer) release(ctx context.Context, i *instance) error {
	if len(i.app.Release) == 0 {
		return nil
	}
	i.at(Releasing)
	data, err := d.store.data(i.name)
	if err != nil {
		return err
	}
	env := environment(nil, i.app.CGI.Env, data)
	if r := i.found.wsgi; r != nil {
		env = environment(r.Env, i.app.WSGI.Env, data)
		env = withInterpreter(env, r.Python.Path, r.Python.Venv)
	}
	done, err := d.takePlace(ctx)
	if err != nil {
		return err
	}
	defer done()
	for _, command := range i.app.Release {
		begun := time.Now()
		output, err := runCommand(ctx, command, i.dir, env)
		if err != nil {
			return &commandError{command, output, err}
		}
		i.log.Info("release command ended", "command", command, "in", time.Since(begun).Round(time.Millisecond).String(), "output", output)
	}
	return nil
}

// withInterpreter has commands find the application's Python first.
func withInterpreter(env []string, python, venv string) []string {
	for n, pair := range env {
		if path, ok := strings.CutPrefix(pair, "PATH="); ok {
			env[n] = "PATH=" + filepath.Dir(python) + string(os.PathListSeparator) + path
		}
	}
	if venv != "" {
		env = append(env, "VIRTUAL_ENV="+venv)
	}
	return env
}

// runCommand runs one command and returns the end of what it has printed. When
// ctx ends, it is killed with all that it has started.
func runCommand(ctx context.Context, command, dir string, env []string) (string, error) {
	limited, cancel := context.WithTimeout(ctx, releaseTime)
	defer cancel()
	// The signal that ends the command with the server follows the thread which has
	// started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(limited, "/bin/sh", "-c", command)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, env, commandAttributes()
	var out tail
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	// What it leaves behind may hold its output open; nobody waits for that.
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if cmd.Process != nil {
		_ = killGroup(cmd.Process.Pid) // nothing outlives the command
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case limited.Err() != nil:
		err = fmt.Errorf("it took more than %v", releaseTime)
	case errors.Is(err, exec.ErrWaitDelay):
		err = nil
	}
	return out.String(), err
}

// tail keeps the end of what is written to it. Safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	text []byte
	cut  bool
}

// tailSize is how much of the output of a command is kept, in bytes: a traceback
// and what led to it.
const tailSize = 16 << 10

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - tailSize; over > 0 {
		t.text, t.cut = append(t.text[:0], t.text[over:]...), true
	}
	return len(p), nil
}

// String is what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(strings.ToValidUTF8(string(t.text), "?"))
	if t.cut {
		return "…" + text
	}
	return text
}

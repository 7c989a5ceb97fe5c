package webapps

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// releaseTime is how long one command may take: migrations of large tables do.
const releaseTime = 10 * time.Minute

// commandError is that of a command which a deployment needs.
type commandError struct {
	what, output string
	err          error
}

func (e *commandError) Error() string { return fmt.Sprintf("%s: %v", e.what, e.err) }
func (e *commandError) Unwrap() error { return e.err }

// release runs the commands that come before new code takes over, one after the
// other, while the old code serves.
func (d *Deployer) release(ctx context.Context, i *instance) error {
	if len(i.app.Release) == 0 {
		return nil
	}
	i.at(Releasing)
	data, err := d.store.data(i.name, i.account)
	if err != nil {
		return err
	}
	under := i.conditions(data)
	done, err := d.takePlace(ctx)
	if err != nil {
		return err
	}
	defer done()
	for _, line := range i.app.Release {
		begun := time.Now()
		output, err := command{argv: []string{"/bin/sh", "-c", line}, conditions: under, limit: releaseTime}.run(ctx)
		if err != nil {
			return &commandError{fmt.Sprintf("release command %q", line), output, err}
		}
		i.log.Info("release command ended", "command", line, "in", time.Since(begun).Round(time.Millisecond).String(), "output", output)
	}
	return nil
}

// commandEnvironment is that of commands which the application names.
func (i *instance) commandEnvironment(data string) []string {
	if r := i.found.wsgi; r != nil {
		return withInterpreter(environment(i.account, r.Env, i.variables(), data), r.Python.Path, r.Python.Venv)
	}
	env := environment(i.account, nil, i.variables(), data)
	if i.environment != "" {
		env = withInterpreter(env, filepath.Join(i.environment, "bin", "python"), i.environment)
	}
	return env
}

// variables are those that are configured for it.
func (i *instance) variables() []string {
	switch i.found.kind {
	case WSGI:
		return i.app.WSGI.Env
	case Pages:
		return i.app.Pages.Scripts.Env
	}
	return i.app.CGI.Env
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

// command is one that a deployment needs.
type command struct {
	conditions
	argv  []string
	limit time.Duration // what it may take
}

// run runs it and returns the end of what it has printed. When ctx ends, it is
// killed with all that it has started.
func (c command) run(ctx context.Context) (output string, err error) {
	limited, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	var out tail
	cmd.Stdout, cmd.Stderr = &out, &out
	if limited.Err() == nil {
		err = c.conditions.run(cmd, func(int) {}, order{limited.Done(), syscall.SIGKILL})
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case limited.Err() != nil:
		err = fmt.Errorf("it took more than %v", c.limit)
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

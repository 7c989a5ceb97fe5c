package pyapp

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
	pyworker "github.com/seed-07905ac1/gatehouse/pyapp/worker"
)

// A generation is one loading of the application: a template process and the
// workers made from it. A reload makes a new one beside the old.
type generation struct {
	pool   *Pool
	info   Info
	born   time.Time
	alone  bool // workers are not forked: each has an interpreter of its own
	ctx    context.Context
	cancel context.CancelFunc // ends the respawning
	tasks  sync.WaitGroup     // all goroutines of the generation

	template *pyproc.Template // forks the workers

	mu       sync.Mutex
	spare    *pyproc.Template // with alone: loaded, and not yet a worker
	failures int              // workers in a row that ended soon after their start
}

// newGeneration loads the application and starts its workers; it returns when
// all of them are ready. The error is a *StartError or the context's.
func (p *Pool) newGeneration(ctx context.Context) (*generation, error) {
	g := &generation{pool: p, born: time.Now(), alone: p.config.NoPreload}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	if err := g.start(ctx); err != nil {
		g.stop(BootFailure)
		return nil, startError(&p.config, err)
	}
	return g, nil
}

func (g *generation) start(ctx context.Context) error {
	t, loaded, err := g.load(ctx)
	if err != nil {
		return err
	}
	g.template = t
	if err := json.Unmarshal(loaded.Info, &g.info); err != nil {
		return fmt.Errorf("what the worker tells about the application: %w", err)
	}
	c := &g.pool.config
	g.info.Workers, g.info.Threads = c.Workers, c.Threads
	if loaded.Threads > 1 && !g.alone {
		g.alone = true
		g.info.Warnings = append(g.info.Warnings, fmt.Sprintf("importing the application started %d threads, so it cannot be forked: each worker imports it by itself", loaded.Threads-1))
	}
	for _, warning := range g.info.Warnings {
		g.pool.log.Warn(warning)
	}
	if g.alone {
		g.template, g.spare = nil, t
	}
	return g.startAll(ctx)
}

// startAll starts as many workers as are configured, all at once.
func (g *generation) startAll(ctx context.Context) error {
	results := make(chan error)
	for range g.pool.config.Workers {
		g.tasks.Go(func() {
			w, err := g.startWorker(ctx)
			results <- err
			if err == nil {
				g.keep(w)
			}
		})
	}
	var first error
	for range g.pool.config.Workers {
		if err := <-results; first == nil {
			first = err // the others fail for the same reason, most likely
		}
	}
	if first == nil && g.template != nil {
		g.tasks.Go(g.watchTemplate)
	}
	return first
}

// load starts an interpreter and has it import the application.
func (g *generation) load(ctx context.Context) (*pyproc.Template, pyproc.Loaded, error) {
	var outputs, pipes [2]*os.File
	for i, name := range []string{"stdout", "stderr"} {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, pyproc.Loaded{}, fmt.Errorf("pipe: %w", err)
		}
		defer w.Close()
		outputs[i], pipes[i] = r, w
		g.tasks.Go(func() {
			defer r.Close()
			logLines(r, g.pool.log, "stream", name)
		})
	}
	c := &g.pool.config
	t, err := pyproc.Start(pyproc.Command{
		Python: c.Python, Dir: c.Dir, Env: c.Env, User: c.User,
		Service: "worker", Modules: pyworker.Sources(),
		Settings: map[string]string{
			"dir": c.Dir, "app": c.App, "mount": c.Mount, "signals": signals,
			"debug":    strconv.FormatBool(c.Debug != nil),
			"sendfile": onOff(c.Sendfile), "redirects": joinRedirects(c.AccelRedirect),
		},
		Stdout: pipes[0], Stderr: pipes[1],
	})
	if err != nil {
		return nil, pyproc.Loaded{}, err
	}
	g.tasks.Go(func() {
		<-t.Done()
		// A process that the import started may hold the pipes open for ever.
		deadline := time.Now().Add(lastWords)
		for _, r := range outputs {
			_ = r.SetReadDeadline(deadline) // fails only on a closed pipe
		}
	})
	loaded, err := t.Ready(ctx)
	if err != nil {
		t.Close()
		return nil, pyproc.Loaded{}, err
	}
	return t, loaded, nil
}

// keep replaces w whenever it ends or takes no more requests, until the
// generation ends. Workers that end soon after their start are replaced ever
// more slowly, so that a crash loop costs little and may still heal.
func (g *generation) keep(w *worker) {
	for {
		select {
		case <-w.leaving:
		case <-g.ctx.Done():
			return
		}
		delay := g.ended(w)
		var err error
		for {
			if !g.pause(delay) {
				return
			}
			ctx, cancel := context.WithTimeout(g.ctx, g.pool.config.StartTimeout)
			w, err = g.startWorker(ctx)
			cancel()
			if err == nil {
				break
			}
			if g.ctx.Err() != nil {
				return
			}
			delay = g.failed(math.MaxInt)
			g.pool.log.Error("cannot start a worker", "error", err, "next", delay)
		}
	}
}

// stable is the age from which a worker's end is not blamed on its start.
const stable = 10 * time.Second

// ended notes that a worker has ended and returns how long to wait before the
// next one is started.
func (g *generation) ended(w *worker) time.Duration {
	g.pool.mu.Lock()
	reason, served := w.reason, w.served
	g.pool.mu.Unlock()
	if time.Since(w.born) > stable || reason == TimedOut {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.failures = 0
		return 0
	}
	if served {
		return g.failed(crashLoop - 1) // it can serve: not a loop, whatever one request did to it
	}
	return g.failed(math.MaxInt)
}

// crashLoop is how many workers in a row that never served a request mean that
// the application cannot run: requests are then refused at once.
const crashLoop = 3

// failed counts a failure, up to limit, and returns how long to wait: nothing
// after the first, then twice as long each time.
func (g *generation) failed(limit int) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failures = min(g.failures+1, limit)
	if g.failures == 1 {
		return 0
	}
	first := g.pool.backOff
	return min(first<<min(g.failures-2, 10), maxBackOff*first)
}

// Back-off between starts: 0.1 s first, 10 s at most.
const (
	firstBackOff = 100 * time.Millisecond
	maxBackOff   = 100
)

// loops reports whether the application is in a crash loop.
func (g *generation) loops() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failures >= crashLoop
}

// pause waits and reports whether the generation still lives.
func (g *generation) pause(d time.Duration) bool {
	if g.ctx.Err() != nil {
		return false
	}
	if d == 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-g.ctx.Done():
		return false
	}
}

// watchTemplate has the application loaded anew if the template dies: without
// it no worker could be replaced.
func (g *generation) watchTemplate() {
	select {
	case <-g.ctx.Done():
		return
	case <-g.template.Done():
	}
	if g.ctx.Err() == nil {
		// One that ends soon after its start may do so every time.
		var delay time.Duration
		if time.Since(g.born) < stable {
			delay = maxBackOff * g.pool.backOff
		}
		g.pool.log.Error("the template process ended; loading the application anew", "exit", g.template.Exit().String(), "next", delay)
		g.pool.replace(g, delay)
	}
}

// drain ends the generation when its workers have finished what they have, or
// when ctx ends.
func (g *generation) drain(ctx context.Context, reason Reason) error {
	g.cancel()
	workers := g.pool.workersOf(g)
	for _, w := range workers {
		w.drain(reason)
	}
	var err error
	for _, w := range workers {
		select {
		case <-w.child.Done():
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	g.stop(reason)
	return err
}

// stop ends all processes of the generation at once and waits for them.
func (g *generation) stop(reason Reason) {
	g.cancel()
	for _, w := range g.pool.workersOf(g) {
		w.kill(reason)
	}
	g.mu.Lock()
	spare := g.spare
	g.spare = nil
	g.mu.Unlock()
	for _, t := range []*pyproc.Template{g.template, spare} {
		if t != nil {
			t.Close()
		}
	}
	g.tasks.Wait()
}

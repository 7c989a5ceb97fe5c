package pyapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/confine"
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

	cell     *confine.Cell    // where all processes of the generation are
	template *pyproc.Template // forks the workers
	more     chan struct{}    // a token asks for one more worker; see Pool.fit

	slots     int       // workers there are to be; guarded by Pool.mu
	growFrom  time.Time // likewise; no more of them before that
	renewing  *worker   // likewise; whose successor is being started, one at a time
	renewFrom time.Time // likewise; no successor before that

	mu          sync.Mutex
	spare       *pyproc.Template // with alone: loaded, and not yet a worker
	failures    int              // workers in a row that ended soon after their start
	lastFailure time.Time        // when the last of them did
}

// newGeneration loads the application and starts that many workers; it returns
// when all of them are ready and in good health. The error is a *StartError or
// the context's.
func (p *Pool) newGeneration(ctx context.Context, workers int) (*generation, error) {
	g := &generation{pool: p, born: time.Now(), alone: p.config.NoPreload, slots: workers, more: make(chan struct{}, 1)}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	if err := g.start(ctx, workers); err != nil {
		g.stop(Refused)
		return nil, startError(&p.config, err)
	}
	return g, nil
}

func (g *generation) start(ctx context.Context, workers int) error {
	cell, err := g.pool.openCell()
	if err != nil {
		return err
	}
	g.cell = cell
	t, loaded, err := g.load(ctx)
	if err != nil {
		return err
	}
	g.template = t
	if err := json.Unmarshal(loaded.Info, &g.info); err != nil {
		return fmt.Errorf("what the worker tells about the application: %w", err)
	}
	c := &g.pool.config
	g.info.Workers, g.info.MaxWorkers, g.info.Threads = c.Workers, c.MaxWorkers, c.Threads
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
	return g.startAll(ctx, workers)
}

// startAll starts the first workers, all at once, and asks them for their
// health: one first, so that what is broken is told once. Only these are asked:
// those that come later run the code that these have shown to work, and a
// database that is down for a minute must not keep workers from being replaced.
func (g *generation) startAll(ctx context.Context, n int) error {
	workers := make([]*worker, n)
	err := all(n, func(i int) (err error) {
		workers[i], err = g.startWorker(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if err := workers[0].checkHealth(ctx); err != nil {
		return err
	}
	if err := all(n-1, func(i int) error { return workers[i+1].checkHealth(ctx) }); err != nil {
		return err
	}
	for _, w := range workers {
		g.tasks.Go(func() { g.keep(w) })
	}
	if g.template != nil {
		g.tasks.Go(g.watchTemplate)
	}
	g.tasks.Go(g.grow)
	return nil
}

// all calls do for every number below n, at the same time, and returns one of the
// errors: the others have the same reason, most likely.
func all(n int, do func(int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
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
		g.pool.config.User.Own(w)
		outputs[i], pipes[i] = r, w
		g.tasks.Go(func() {
			defer r.Close()
			logLines(r, g.pool.log, "stream", name)
		})
	}
	c := &g.pool.config
	t, err := pyproc.Start(pyproc.Command{
		Python: c.Python, Dir: c.Dir, Env: c.Env, User: c.User, NewPrivileges: c.NewPrivileges, Cell: g.cell,
		Service: "worker", Modules: pyworker.Sources(),
		Settings: map[string]string{
			"dir": c.Dir, "app": c.App, "mount": c.Mount, "signals": signals,
			"debug":    strconv.FormatBool(c.Debug != nil),
			"sendfile": onOff(c.Sendfile), "redirects": joinRedirects(c.AccelRedirect),
		},
		Stdout: pipes[0], Stderr: pipes[1],
		Patience: min(max(c.StartTimeout, 0), pyproc.DefaultPatience),
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
		if t.Exit().Signal == syscall.SIGKILL && ctx.Err() == nil && g.cell.KilledForMemory() {
			err = errTooLarge
		}
		return nil, pyproc.Loaded{}, err
	}
	return t, loaded, nil
}

// keep replaces w whenever it ends or takes no more requests, until the
// generation ends. Workers that end soon after their start are replaced ever
// more slowly, so that a crash loop costs little and may still heal.
func (g *generation) keep(w *worker) {
	for w != nil {
		select {
		case <-w.leaving:
			w = g.follow(w)
		case reason := <-w.renew:
			w = g.renew(w, reason)
		case <-g.ctx.Done():
			return
		}
	}
}

// follow returns the worker that takes the place of w, which takes no more
// requests; nil if none does.
func (g *generation) follow(w *worker) *worker {
	if g.vacate(w) {
		return nil
	}
	for delay := g.ended(w); g.pause(delay); {
		next, err := g.startInTime()
		if err == nil {
			return next
		}
		if g.template != nil && errors.Is(err, pyproc.ErrEnded) {
			// No worker can come of it, and that says nothing about the application:
			// it is being loaded anew. See watchTemplate.
			if errors.Is(err, pyproc.ErrForeign) {
				g.pool.log.Error("the template process was ended", "error", err)
			}
			<-g.ctx.Done()
		}
		if g.ctx.Err() != nil {
			return nil
		}
		delay = g.failed(math.MaxInt)
		g.pool.log.Error("cannot start a worker", "error", err, "next", delay)
	}
	return nil
}

// startInTime is startWorker for one that is not the generation's first.
func (g *generation) startInTime() (*worker, error) {
	ctx, cancel := g.pool.starting(g.ctx)
	defer cancel()
	return g.startWorker(ctx)
}

// ended notes that a worker has ended and returns how long to wait before the
// next one is started.
func (g *generation) ended(w *worker) time.Duration {
	g.pool.mu.Lock()
	reason, served := w.reason, w.served > 0 || w.tried
	g.pool.mu.Unlock()
	if time.Since(w.born) > g.pool.timing.stable || reason == TimedOut {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.failures = 0
		return 0
	}
	if served {
		return g.failed(crashLoop - 1) // not a loop, whatever one request did to it
	}
	return g.failed(math.MaxInt)
}

// crashLoop is how many workers in a row that never began a request mean that
// the application cannot run: requests are then refused at once.
const crashLoop = 3

// failed counts a failure, up to limit, and returns how long to wait: nothing
// after the first, then twice as long each time.
func (g *generation) failed(limit int) time.Duration {
	g.mu.Lock()
	before := g.failures
	g.failures, g.lastFailure = min(g.failures+1, limit), time.Now()
	failures := g.failures
	g.mu.Unlock()
	if before < crashLoop && failures >= crashLoop {
		g.pool.log.Error("the application is in a crash loop; when no worker is left, requests get 503 at once", "failures", failures)
	}
	if failures == 1 {
		return 0
	}
	first := g.pool.timing.backOff
	return min(first<<min(failures-2, 10), maxBackOff*first)
}

// recovers reports, once, that the crash loop is over: a worker that was started
// after the last failure has served a request. Pool.mu is held.
func (g *generation) recovers() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	serves := func(w *worker) bool {
		return w.gen == g && w.takesCalls() && w.served > 0 && w.born.After(g.lastFailure)
	}
	if g.failures < crashLoop || !slices.ContainsFunc(g.pool.workers, serves) {
		return false
	}
	g.failures = 0
	return true
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
		if time.Since(g.born) < g.pool.timing.stable {
			delay = maxBackOff * g.pool.timing.backOff
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
	if err := g.cell.Close(); err != nil {
		g.pool.log.Error("cannot end all that the application has started", "error", err)
	}
}

package pyapp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// A worker is a process that runs the application.
type worker struct {
	pool   *Pool
	gen    *generation
	number int // counts up over the life of the pool
	born   time.Time
	page   *page
	lanes  []*lane
	child  *pyproc.Child
	own    *pyproc.Template // the process itself, if it was not forked
	output []*os.File       // reading ends of its pipes: stdout, stderr, dump

	state    State         // guarded by Pool.mu; changed by move only
	reason   Reason        // likewise; why it ends
	served   int           // likewise; requests it has finished
	tried    bool          // likewise; it had begun a request when it ended
	memory   int64         // likewise; bytes at the last look; see measure
	looked   time.Time     // likewise; when that was
	tooBig   bool          // likewise; it is being ended because of its memory
	drained  time.Time     // likewise; when it was told to end
	pushed   bool          // likewise; it was killed because it did not
	enlisted bool          // likewise; its lanes are or were among the pool's
	quota    int           // requests it shall finish; 0: any number
	isUp     chan struct{} // closed when it is ready
	leaving  chan struct{} // closed when it takes no more calls, for whatever reason
	renew    chan Reason   // why it is to be replaced once its successor is up; one at most
	readers  sync.WaitGroup
	dumps    chan string // what faulthandler wrote
	told     chan string // the stacks of all threads, as Python tells them
	buried   atomic.Bool // the process has ended: what is left is read once
}

// startWorker starts a worker and returns when it is ready.
func (g *generation) startWorker(ctx context.Context) (*worker, error) {
	w, err := g.spawn(ctx)
	if err != nil {
		return nil, err
	}
	g.tasks.Go(w.bury)
	select {
	case <-w.isUp:
		return w, nil
	case <-w.child.Done():
		return nil, fmt.Errorf("worker %d ended with %s before it was ready", w.number, w.child.Exit())
	case <-ctx.Done():
		w.kill(BootFailure)
		return nil, errors.New("the worker did not become ready in time")
	}
}

// spawn makes the process and all that connects us with it.
func (g *generation) spawn(ctx context.Context) (_ *worker, err error) {
	p := g.pool
	w := &worker{
		pool: p, gen: g, number: int(p.workersMade.Add(1)), born: time.Now(),
		isUp: make(chan struct{}), leaving: make(chan struct{}), renew: make(chan Reason, 1),
		dumps: make(chan string, 1), told: make(chan string, 1), quota: spread(p.config.MaxRequests, rand.Float64()),
	}
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
		if err != nil {
			w.close()
		}
	}()
	if w.page, err = newPage(p.config.Threads); err != nil {
		return nil, err
	}
	files := []*os.File{w.page.file}
	for range 3 {
		r, f, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("pipe: %w", err)
		}
		p.config.User.Own(f)
		w.output, theirs, files = append(w.output, r), append(theirs, f), append(files, f)
	}
	for i := range p.config.Threads {
		l, f, err := newLane(w, i)
		if err != nil {
			return nil, err
		}
		w.lanes, theirs, files = append(w.lanes, l), append(theirs, f...), append(files, f...)
	}
	if err := w.makeProcess(ctx, files); err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.workers = append(p.workers, w)
	p.mu.Unlock()
	for i, name := range []string{"stdout", "stderr"} {
		w.readers.Go(func() { logLines(w.output[i], p.log, "worker", w.number, "stream", name) })
	}
	w.readers.Go(func() { w.readDumps(w.output[2]) })
	for _, l := range w.lanes {
		w.readers.Go(l.serve)
	}
	return w, nil
}

// makeProcess forks the process, or makes an interpreter of its own for it.
func (w *worker) makeProcess(ctx context.Context, files []*os.File) (err error) {
	g := w.gen
	if !g.alone {
		w.child, err = g.template.Fork(w.number, files...)
		return err
	}
	g.mu.Lock()
	w.own, g.spare = g.spare, nil
	g.mu.Unlock()
	if w.own == nil {
		if w.own, _, err = g.load(ctx); err != nil {
			return err
		}
	}
	if w.child, err = w.own.Become(w.number, files...); err != nil {
		w.own.Close()
	}
	return err
}

// move changes the state. Pool.mu is held.
func (w *worker) move(next State) {
	if !w.state.mayMove(next) {
		panic(fmt.Sprintf("pyapp: worker %d moves from %s to %s", w.number, w.state, next))
	}
	w.state = next
	if !w.takesCalls() && next != Starting {
		w.pool.lanes = slices.DeleteFunc(w.pool.lanes, func(l *lane) bool { return l.worker == w })
		select {
		case <-w.leaving:
		default:
			close(w.leaving)
		}
	}
}

// takesCalls reports whether calls may be dispatched to it. Pool.mu is held.
func (w *worker) takesCalls() bool { return w.state == Ready || w.state == Busy }

// ready is called when the worker says that it takes requests.
func (w *worker) ready() error {
	p := w.pool
	p.mu.Lock()
	switch w.state {
	case Starting:
	case Draining, Failed:
		p.mu.Unlock()
		return nil // too late
	default:
		p.mu.Unlock()
		return fmt.Errorf("%w: ready twice", errFrame)
	}
	w.move(Ready)
	close(w.isUp)
	var sends []dispatch
	if p.current == w.gen {
		p.enlist(w)
		sends = p.dispatch()
	}
	p.mu.Unlock()
	p.sendAll(sends)
	return nil
}

// rest notes that one of its lanes is idle. Pool.mu is held.
func (w *worker) rest() {
	if w.state == Busy && w.idle() {
		w.move(Ready)
	}
}

// idle reports whether it has nothing to do. Pool.mu is held.
func (w *worker) idle() bool {
	return !slices.ContainsFunc(w.lanes, func(l *lane) bool { return l.load.depth > 0 })
}

// restsSince returns since when, if it is idle, it could have ended. Pool.mu is
// held.
func (w *worker) restsSince() time.Time {
	since := w.born
	if w.drained.After(since) {
		since = w.drained
	}
	for _, l := range w.lanes {
		if l.load.since.After(since) {
			since = l.load.since
		}
	}
	return since
}

// drain has the worker end when it has finished what it has.
func (w *worker) drain(reason Reason) {
	w.pool.mu.Lock()
	if w.reason == Running {
		w.reason = reason
	}
	drains := w.takesCalls()
	if drains {
		w.move(Draining)
		w.drained = time.Now()
	}
	starting := w.state == Starting
	w.pool.mu.Unlock()
	if starting {
		w.kill(reason)
	}
	if drains {
		for _, l := range w.lanes {
			l.stop(time.Now())
		}
		w.pool.sweeper.wake(false)
	}
}

// kill ends the process at once; reason is kept if it is the first.
func (w *worker) kill(reason Reason) {
	w.pool.mu.Lock()
	if w.reason == Running {
		w.reason = reason
	}
	w.pool.mu.Unlock()
	_ = w.child.Signal(syscall.SIGKILL) // it may have ended
}

// lastWords is how long we read on from what a dead worker left: a process that
// it started may hold its pipes and sockets open for ever.
const lastWords = 100 * time.Millisecond

// maxEnds is with how many ends of workers a request is given up that none of
// them has begun, as far as they told.
const maxEnds = 4

// bury waits for the process's end and gives back what it held. Calls that it
// had begun fail, the others go to other workers.
func (w *worker) bury() {
	<-w.child.Done()
	p := w.pool
	tried := slices.ContainsFunc(w.lanes, (*lane).hasBegunAny)
	p.mu.Lock()
	w.tried = tried
	if w.reason == Running {
		w.reason = w.gen.endOf(w, w.child.Exit())
	}
	asTold := w.state == Draining
	if asTold {
		w.move(Stopped)
	} else {
		w.move(Failed)
	}
	reason := w.reason
	p.mu.Unlock()

	w.buried.Store(true)
	deadline := time.Now().Add(lastWords)
	for _, l := range w.lanes {
		_ = l.conn.SetReadDeadline(deadline) // fails only on a closed connection
	}
	for _, f := range w.output {
		_ = f.SetReadDeadline(deadline) // likewise
	}
	stop := context.AfterFunc(p.ctx, func() { w.loseAll(reason) })
	w.readers.Wait()
	stop()
	for _, l := range w.lanes {
		l.collect(time.Now()) // answers that it had no time to announce
	}
	w.logEnd(asTold, reason)
	for _, l := range w.lanes {
		begun, rest := l.close()
		again := rest[:0]
		for _, c := range rest {
			if c.ends++; c.ends < maxEnds && !c.pinned {
				again = append(again, c)
			} else {
				begun = append(begun, c)
			}
		}
		for _, c := range begun {
			w.lose(c, reason)
			c.release()
		}
		p.resubmit(again)
	}
	w.close()
	if w.own != nil {
		w.own.Close()
	}
	p.mu.Lock()
	p.workers = slices.DeleteFunc(p.workers, func(other *worker) bool { return other == w })
	p.noteEmpty()
	p.mu.Unlock()
}

// lose fails a call that ended with the worker.
func (w *worker) lose(c *call, reason Reason) {
	if c.over() {
		return
	}
	w.pool.log.Error("a request is lost with its worker", "request", c.id, "method", c.method, "path", c.path, "worker", w.number, "pid", w.child.PID(), "reason", reason.String())
	c.fail(errLost)
}

// loseAll fails all calls at once, also one whose client keeps a lane from being
// read.
func (w *worker) loseAll(reason Reason) {
	for _, l := range w.lanes {
		l.mu.Lock()
		for _, c := range l.calls {
			w.lose(c, reason)
		}
		l.mu.Unlock()
	}
}

// logEnd logs how the worker ended, if that was not what everybody expects.
func (w *worker) logEnd(asTold bool, reason Reason) {
	level := slog.LevelError
	switch reason {
	case Shutdown, Reloaded, Refused:
		return
	case Recycled, MemoryLimit, Surplus:
		if asTold {
			level = slog.LevelInfo
		}
	}
	w.pool.log.Log(context.Background(), level, "a worker ended", "worker", w.number, "pid", w.child.PID(), "reason", reason.String(), "exit", w.child.Exit().String())
}

// close gives back files and memory. Nobody uses them any more.
func (w *worker) close() {
	for _, l := range w.lanes {
		l.hangUp()
	}
	for _, f := range w.output {
		f.Close()
	}
	if w.page != nil {
		w.page.close()
	}
}

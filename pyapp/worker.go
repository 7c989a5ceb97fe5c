package pyapp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// A worker is a process that runs the application.
type worker struct {
	pool   *Pool
	gen    *generation
	number int // counts up over the life of the pool
	page   *page
	lanes  []*lane
	child  *pyproc.Child
	output []*os.File // reading ends of what it prints

	state  State  // guarded by Pool.mu; changed by move only
	reason Reason // likewise
	isUp   chan struct{}
	tasks  sync.WaitGroup
}

// move changes the state. Pool.mu is held.
func (w *worker) move(next State) {
	if !w.state.mayMove(next) {
		panic(fmt.Sprintf("pyapp: worker %d moves from %s to %s", w.number, w.state, next))
	}
	w.state = next
}

// takesCalls reports whether calls may be dispatched to it. Pool.mu is held.
func (w *worker) takesCalls() bool { return w.state == Ready || w.state == Busy }

// rest notes that one of its lanes is idle. Pool.mu is held.
func (w *worker) rest() {
	if w.state != Busy {
		return
	}
	for _, l := range w.lanes {
		if l.depth > 0 {
			return
		}
	}
	w.move(Ready)
}

// ready is called when the worker says that it takes requests.
func (w *worker) ready() error {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	if w.state != Starting {
		return fmt.Errorf("%w: ready twice", errFrame)
	}
	w.move(Ready)
	close(w.isUp)
	if w.pool.current == w.gen {
		w.pool.lanes = append(w.pool.lanes, w.lanes...)
	}
	return nil
}

// startWorker starts a worker and returns when it is ready.
func (g *generation) startWorker(ctx context.Context, number int) (_ *worker, err error) {
	w := &worker{pool: g.pool, gen: g, number: number, isUp: make(chan struct{})}
	if w.page, err = newPage(g.pool.config.Threads); err != nil {
		return nil, err
	}
	files := []*os.File{w.page.file}
	var pipes []*os.File
	defer func() {
		for _, f := range pipes {
			f.Close()
		}
	}()
	for range 2 {
		r, wr, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		w.output, pipes, files = append(w.output, r), append(pipes, wr), append(files, wr)
	}
	for i := range g.pool.config.Threads {
		l, err := newLane(w, i)
		if err != nil {
			return nil, err
		}
		w.lanes, files = append(w.lanes, l), append(files, l.theirs)
	}
	if w.child, err = g.template.Fork(number, files...); err != nil {
		return nil, err
	}
	for i, name := range []string{"stdout", "stderr"} {
		w.tasks.Go(func() { logLines(w.output[i], g.pool.log, "worker", number, "stream", name) })
	}
	for _, l := range w.lanes {
		w.tasks.Go(func() {
			if err := l.read(); err != nil {
				g.pool.log.Error("a worker broke the protocol", "worker", number, "error", err)
				w.end(Nonsense)
			}
		})
	}
	select {
	case <-w.isUp:
	case <-w.child.Done():
		w.bury()
		return nil, fmt.Errorf("worker %d ended with %s before it was ready", number, w.child.Exit())
	case <-ctx.Done():
		w.end(BootFailure)
		w.bury()
		return nil, errors.New("the worker did not become ready in time")
	}
	return w, nil
}

// drain has the worker end when it has finished what it has.
func (w *worker) drain(reason Reason) {
	p := w.pool
	p.mu.Lock()
	if w.reason == Running {
		w.reason = reason
	}
	if w.takesCalls() {
		w.move(Draining)
	}
	p.lanes = without(p.lanes, w)
	p.mu.Unlock()
	for _, l := range w.lanes {
		l.stop()
	}
}

// end kills the process; reason is kept if it is the first.
func (w *worker) end(reason Reason) {
	w.pool.mu.Lock()
	if w.reason == Running {
		w.reason = reason
	}
	w.pool.mu.Unlock()
	_ = w.child.Signal(syscall.SIGKILL) // it may have ended
}

// bury waits for the process's end and gives back what it held; its calls are
// failed or given to other workers.
func (w *worker) bury() {
	<-w.child.Done()
	p := w.pool
	p.mu.Lock()
	p.lanes = without(p.lanes, w)
	if w.state == Draining {
		w.move(Stopped)
	} else {
		w.move(Failed)
	}
	p.mu.Unlock()
	for _, l := range w.lanes {
		l.conn.SetReadDeadline(time.Now().Add(lastWords))
		l.theirs.Close()
	}
	for _, f := range w.output {
		f.SetReadDeadline(time.Now().Add(lastWords))
	}
	w.tasks.Wait()
	for _, l := range w.lanes {
		begun := int32(l.running.Load())
		for _, c := range l.close() {
			if c.number <= begun {
				c.fail(errLost)
			} else {
				p.submit(c)
			}
			c.release()
		}
	}
	for _, f := range w.output {
		f.Close()
	}
	w.page.close()
}

// lastWords is how long we read on from what a dead worker left: a process that
// it started may hold its pipes and sockets open for ever.
const lastWords = 100 * time.Millisecond

func without(lanes []*lane, w *worker) []*lane {
	var kept []*lane
	for _, l := range lanes {
		if l.worker != w {
			kept = append(kept, l)
		}
	}
	return kept
}

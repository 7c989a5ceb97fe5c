package pyapp

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// WorkerStacks is what all threads of one worker are doing.
type WorkerStacks struct {
	Worker   int // its number
	PID      int
	Requests []RequestStatus // that it runs
	// Text has one part for each thread: a line with its name and the request it
	// runs, then its calls like a traceback's, the innermost one last. Where the
	// interpreter did not come round to telling, it is what faulthandler writes,
	// the innermost call first. "" if the worker did not tell at all.
	Text string
}

// Stacks asks all workers at once what their threads are doing, and returns the
// answers by the workers' numbers. It takes little more than a second at most, less
// if ctx ends before that. Requests are not disturbed.
func (p *Pool) Stacks(ctx context.Context) []WorkerStacks {
	p.asking.Lock()
	defer p.asking.Unlock()
	p.mu.Lock()
	workers := slices.DeleteFunc(slices.Clone(p.workers), func(w *worker) bool { return w.state == Starting })
	p.mu.Unlock()
	all := make([]WorkerStacks, len(workers))
	var wg sync.WaitGroup
	for i, w := range workers {
		wg.Go(func() {
			all[i] = WorkerStacks{Worker: w.number, PID: w.child.PID(), Requests: w.requests(time.Now()), Text: w.tellAll(ctx)}
		})
	}
	wg.Wait()
	slices.SortFunc(all, func(a, b WorkerStacks) int { return cmp.Compare(a.Worker, b.Worker) })
	return all
}

// tellAll returns the stacks of all threads, asked for in the same steps as that
// of a slow request. Pool.asking is held.
func (w *worker) tellAll(ctx context.Context) string {
	for _, late := range []chan string{w.told, w.dumps} { // answers to earlier questions
		select {
		case <-late:
		default:
		}
	}
	if !w.lanes[0].askAll() {
		return ""
	}
	_ = w.child.Signal(sigStack) // it may have ended
	if text := w.hear(ctx, w.told, softPatience); text != "" {
		return text
	}
	_ = w.child.Signal(sigHardStack)
	return w.hear(ctx, w.dumps, hardPatience)
}

// hear waits for an answer of the worker.
func (w *worker) hear(ctx context.Context, answer <-chan string, patience time.Duration) string {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case text := <-answer:
		return text
	case <-t.C:
	case <-w.child.Done():
	case <-ctx.Done():
	}
	return ""
}

// askAll marks that the stacks of all threads are wanted, and reports whether
// there is a worker to tell them.
func (l *lane) askAll() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.worker.page.cell(l.index, cellAskedAll).Store(1)
	}
	return !l.closed
}

// tell passes on the stacks of all threads, which the worker sent.
func (w *worker) tell(text []byte) {
	select {
	case w.told <- string(text):
	default: // nobody asked for so many
	}
}

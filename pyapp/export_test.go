package pyapp

import (
	"context"
	"slices"
	"syscall"
	"time"
)

// OpenWithBackOff is Open with another first pause between two starts of a
// worker that dies.
func OpenWithBackOff(c Config, first time.Duration) (*Pool, error) {
	timing := usual
	timing.backOff = first
	return open(context.Background(), c, timing)
}

// OpenWithExitWait is Open with another patience with workers that are to end.
func OpenWithExitWait(c Config, wait time.Duration) (*Pool, error) {
	timing := usual
	timing.exitWait = wait
	return open(context.Background(), c, timing)
}

// Waiting returns how many requests wait for a worker.
func Waiting(p *Pool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queue)
}

// InFlight returns how many requests workers have been given.
func InFlight(p *Pool) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.workers {
		for _, l := range w.lanes {
			n += l.load.depth
		}
	}
	return n
}

// IsHeldUp reports whether a worker waits for a client to take what is stored.
func IsHeldUp(p *Pool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.lanes, func(l *lane) bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return slices.ContainsFunc(l.calls, func(c *call) bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.phase == streaming && c.answer.stream.waitsForReader()
		})
	})
}

// TemplatePID returns the number of the process that workers are forked from.
func TemplatePID(p *Pool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current.template.PID()
}

// WorkerPID returns the number of a worker's process.
func WorkerPID(p *Pool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.workers[0].child.PID()
}

// Workers returns how many workers there are, those that are ending included.
func Workers(p *Pool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.workers)
}

// OpenImpatiently is Open without patience: a worker of any age may be replaced,
// one that is not needed ends after that time, and no start waits.
func OpenImpatiently(c Config, surplus time.Duration) (*Pool, error) {
	timing := usual
	timing.backOff, timing.stable, timing.surplus = time.Millisecond, 0, surplus
	return open(context.Background(), c, timing)
}

// What tests see of the inside.
var (
	PrivateMemory = privateMemory
	Spread        = spread
)

// OpenWithHaste is Open with both of these.
func OpenWithHaste(c Config, first, wait time.Duration) (*Pool, error) {
	timing := usual
	timing.backOff, timing.exitWait = first, wait
	return open(context.Background(), c, timing)
}

// SignalWorker sends sig to the n-th worker, counted round and round.
func SignalWorker(p *Pool, n int, sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.workers) > 0 {
		_ = p.workers[n%len(p.workers)].child.Signal(sig) // it may have ended
	}
}

// EndTemplate kills the process that workers are forked from.
func EndTemplate(p *Pool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.current.template.Done():
	default:
		_ = syscall.Kill(p.current.template.PID(), syscall.SIGKILL) // it has not been reaped, or a moment ago
	}
}

// SigStack asks a worker for its stacks.
const SigStack = sigStack

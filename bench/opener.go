//go:build linux

package main

import (
	"runtime"
	"sync"
	"syscall"
	"time"
)

// opener sends requests at their moments over as many connections as it takes.
type opener struct {
	addr  string
	idle  chan *client
	tasks sync.WaitGroup

	mu   sync.Mutex
	took []time.Duration // of the requests that were answered
	late []time.Duration // by how much each was sent after it was due
	errs []error
}

// warm opens n connections and asks once on each.
func (o *opener) warm(n int) error {
	for range n {
		c, err := dial(o.addr, "/")
		if err != nil {
			return err
		}
		if err := c.send(); err != nil {
			return err
		}
		if _, _, err := c.receive(); err != nil {
			return err
		}
		o.idle <- c
	}
	return nil
}

// run sends all requests and waits for all answers.
func (o *opener) run(at []time.Duration) {
	// Go's timers may be a millisecond late, which would count as the server's; a
	// thread that sleeps in the kernel, without slack, is back within some tens of
	// microseconds.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const setTimerSlack = 29 // PR_SET_TIMERSLACK, prctl(2)
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, 1, 0)
	begin := time.Now()
	for _, due := range at {
		for wait := due - time.Since(begin); wait > 0; wait = due - time.Since(begin) {
			nap := syscall.NsecToTimespec(wait.Nanoseconds())
			_ = syscall.Nanosleep(&nap, nil) // a signal may end it early: then it sleeps again
		}
		o.ask(begin.Add(due))
	}
	o.tasks.Wait()
}

// ask sends the request that is due now, and has its answer waited for. It waits
// itself for nothing.
func (o *opener) ask(due time.Time) {
	var c *client
	var err error
	late := time.Since(due)
	select {
	case c = <-o.idle:
		err = c.send()
	default:
	}
	o.tasks.Go(func() {
		if c == nil {
			if c, err = dial(o.addr, "/"); err == nil {
				err = c.send()
			}
		}
		if err == nil {
			err = o.await(c)
		}
		took := time.Since(due)
		o.mu.Lock()
		defer o.mu.Unlock()
		if err != nil {
			o.errs = append(o.errs, err)
			return
		}
		o.took, o.late = append(o.took, took), append(o.late, late)
	})
}

// await takes an answer and keeps the connection for the next request.
func (o *opener) await(c *client) error {
	_, again, err := c.receive()
	if err == nil && again {
		select {
		case o.idle <- c:
			return nil
		default: // more than there were at first
		}
	}
	return joinClose(c.conn, err)
}

// close ends what is left of the connections.
func (o *opener) close() {
	for {
		select {
		case c := <-o.idle:
			c.conn.Close()
		default:
			return
		}
	}
}

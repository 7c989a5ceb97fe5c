//go:build linux

package main

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// crowd is a closed-loop load: each of its clients asks again as soon as it was
// answered.
type crowd struct {
	quit    chan struct{}
	clients sync.WaitGroup

	mu   sync.Mutex
	seen experience
}

// experience is what clients have met with.
type experience struct {
	times  []time.Duration // of the requests that were answered
	errors []error         // of all others
}

func startCrowd(addr, path string, size int) *crowd {
	c := &crowd{quit: make(chan struct{})}
	for range size {
		c.clients.Go(func() {
			e := c.ask(addr, path)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.seen.times = append(c.seen.times, e.times...)
			c.seen.errors = append(c.seen.errors, e.errors...)
		})
	}
	return c
}

// stop returns when the last answers have come.
func (c *crowd) stop() experience {
	close(c.quit)
	c.clients.Wait()
	slices.Sort(c.seen.times)
	return c.seen
}

// maxErrors ends a client that meets with nothing else.
const maxErrors = 100

// ask is one client. An error costs it its connection.
func (c *crowd) ask(addr, path string) (e experience) {
	var conn *client
	defer func() {
		if conn != nil {
			conn.conn.Close()
		}
	}()
	for len(e.errors) < maxErrors {
		select {
		case <-c.quit:
			return e
		default:
		}
		begin := time.Now()
		again, err := false, error(nil)
		if conn == nil {
			conn, err = dial(addr, path)
		}
		if err == nil {
			if err = conn.send(); err == nil {
				_, again, err = conn.receive()
			}
		}
		if err != nil {
			e.errors = append(e.errors, err)
		} else {
			e.times = append(e.times, time.Since(begin))
		}
		if !again && conn != nil {
			conn.conn.Close()
			conn = nil
		}
	}
	return e
}

func (e experience) failed() int { return len(e.errors) }

func (e experience) median() time.Duration { return percentile(e.times, 50) }

func (e experience) longest() time.Duration { return percentile(e.times, 100) }

func (e experience) String() string {
	first := ""
	if e.failed() > 0 {
		first = fmt.Sprintf("; the first failure: %v", e.errors[0])
	}
	return fmt.Sprintf("%d answers, %d failed; median %v, p99 %v, longest %v%s", len(e.times), e.failed(),
		e.median().Round(10*time.Microsecond), percentile(e.times, 99).Round(10*time.Microsecond), e.longest().Round(10*time.Microsecond), first)
}

// percentile of sorted times: the smallest that p % of them do not exceed; 0 of none.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

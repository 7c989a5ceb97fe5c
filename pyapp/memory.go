package pyapp

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// How often the memory of a worker is looked at if it is limited: often enough
// while it runs requests that it cannot grow by much more than what the system
// can give it in that time, seldom while it idles. A look takes less than 0.1 ms.
const (
	lookBusy = 100 * time.Millisecond
	lookIdle = time.Second
)

// limitsMemory reports whether anybody wants to know how large workers are.
func (p *Pool) limitsMemory() bool { return p.config.MemorySoft > 0 || p.config.MemoryHard > 0 }

// mustLook reports whether it is time to look at the worker's memory, and notes
// that this is done. Pool.mu is held.
func (w *worker) mustLook(now time.Time) bool {
	every := lookIdle
	if w.state == Busy || w.state == Draining {
		every = lookBusy
	}
	if !w.pool.limitsMemory() || now.Sub(w.looked) < every {
		return false
	}
	w.looked = now
	return true
}

// look measures the worker's memory, and ends a worker that has too much.
func (w *worker) look() {
	size, err := privateMemory(w.child.PID())
	if err != nil {
		return // it has ended
	}
	p := w.pool
	hard := p.config.MemoryHard
	p.mu.Lock()
	w.memory = size
	exceeds := hard > 0 && size > hard && !w.tooBig
	w.tooBig = w.tooBig || exceeds
	p.mu.Unlock()
	if exceeds {
		p.log.Error("a worker has more memory than it may have, and is ended", "worker", w.number, "pid", w.child.PID(), "memory", size, "limit", hard)
		w.kill(MemoryLimit)
	}
}

// privateMemory returns how many bytes of memory a process has that are no
// file's, swapped or not.
//
// A page that a worker has inherited from its template counts, although the
// worker may never have written to it. Only the proportional size would tell,
// and to compute that the kernel walks all pages of the process, with its memory
// locked: a worker of a gigabyte would stand still for milliseconds at each
// look. What is counted here errs to one side, by an amount that does not change,
// and a leak shows in full.
func privateMemory(pid int) (int64, error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	var sum int64
	found := false
	for line := range bytes.Lines(status) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if string(name) != "RssAnon" && string(name) != "VmSwap" {
			continue
		}
		number, _, _ := bytes.Cut(bytes.TrimSpace(value), []byte(" ")) // kB follows, always
		n, err := strconv.ParseInt(string(number), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("memory of process %d: %w", pid, err)
		}
		sum += n << 10
		found = true
	}
	if !found {
		return 0, fmt.Errorf("memory of process %d: it has ended", pid) // and is not reaped yet
	}
	return sum, nil
}

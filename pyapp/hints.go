package pyapp

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"sync/atomic"
)

// Bounds of what a worker may send ahead of a response, as in the worker.
const (
	maxHints = 16   // frames for one request
	maxHint  = 8192 // bytes of one head
)

// hints are the heads that go ahead of the response to one call (RFC 8297).
// They are guarded by the call's mutex.
type hints struct {
	any     atomic.Bool // some have come: the handler looks for them; not guarded
	seen    int         // how many have come
	pending [][]byte    // copies of those that the handler has not sent
}

// add takes a copy of the head that f brings.
func (h *hints) add(f frame) error {
	if h.seen++; h.seen > maxHints || len(f.head) > maxHint {
		return fmt.Errorf("%w: more early hints than may be", errFrame)
	}
	h.any.Store(true)
	h.pending = append(h.pending, bytes.Clone(f.head))
	return nil
}

// reset forgets all, for the next call.
func (h *hints) reset() {
	if h.seen > 0 {
		h.any.Store(false)
		h.seen, h.pending = 0, nil
	}
}

// awaitHinted gives the client what goes ahead of the response, until there is
// one. The token that said so has been taken already.
func (c *call) awaitHinted(w http.ResponseWriter, r *http.Request) {
	for {
		c.mu.Lock()
		heads, done := c.hints.pending, c.phase != waiting
		c.hints.pending = nil
		c.mu.Unlock()
		for _, head := range heads {
			c.sendHint(w, r, head)
		}
		if done {
			return
		}
		<-c.answered
	}
}

// sendHint sends one head as 103 Early Hints. The header of the response itself
// stays as it is.
func (c *call) sendHint(w http.ResponseWriter, r *http.Request, head []byte) {
	if _, err := checkHead(head); err != nil {
		c.pool.log.Error("a worker sent early hints that make no sense", "request", c.id, "method", c.method, "path", c.path, "error", err)
		return
	}
	if !r.ProtoAtLeast(1, 1) {
		return // it would take them for the response (RFC 9110, section 15.2)
	}
	h := w.Header()
	kept := maps.Clone(h)
	clear(h)
	setHeader(h, head)
	w.WriteHeader(http.StatusEarlyHints)
	clear(h)
	maps.Copy(h, kept)
}

package pyapp

import (
	"io"
	"sync"
)

// A spool holds a body between the one who makes it and the one who takes it,
// so that a slow client does not hold a worker. One goroutine writes and
// another reads at the same time.
type spool struct {
	mu     sync.Mutex
	change sync.Cond
	memory []byte
	done   bool
	err    error // why it ended early
	closed bool  // the reader has gone
}

func (p *Pool) newSpool() *spool {
	s := &spool{}
	s.change.L = &s.mu
	return s
}

// write stores a copy of b.
func (s *spool) write(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && !s.done {
		s.memory = append(s.memory, b...)
		s.change.Signal()
	}
	return nil
}

// finish ends what can be read, after what is stored with err or io.EOF.
func (s *spool) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done {
		s.done, s.err = true, err
		s.change.Signal()
	}
}

// next returns all that is stored, at least a byte, and blocks for it; buf is
// given in exchange. more reports whether the end is still open.
func (s *spool) next(buf []byte) (b []byte, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.memory) == 0 && !s.done {
		s.change.Wait()
	}
	if len(s.memory) == 0 {
		if s.err != nil {
			return nil, false, s.err
		}
		return nil, false, io.EOF
	}
	b, s.memory = s.memory, buf[:0]
	return b, !s.done, nil
}

func (s *spool) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.memory = true, nil
	s.change.Broadcast()
}

package pyapp

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/seed-07905ac1/gatehouse/internal/unlinked"
)

// A spool holds a response's body between the worker that makes it and the
// client that takes it, so that a slow client does not hold a worker: first in
// memory, then in a file without a name, and only then the worker waits. One
// goroutine writes while another one reads.
type spool struct {
	maxMemory, maxStored int64
	dir                  string

	mu     sync.Mutex
	change sync.Cond // broadcast when anything below changes

	memory   []byte   // what comes first
	file     *os.File // what comes after it; nil until needed
	from, to int64    // the part of file that has not been read

	rest     *os.File // what comes last: a file of the application
	restFrom int64
	restSize int64

	ended  bool
	err    error // why it ended, if not because all is there
	closed bool  // the reader wants no more
	full   bool  // the writer waits for the reader
}

func (p *Pool) newSpool() *spool {
	s := &spool{maxMemory: p.config.SpoolMemory, maxStored: p.config.ResponseSpool, dir: p.config.SpoolDir}
	s.change.L = &s.mu
	return s
}

// write stores a copy of b. It blocks while too much is stored. After close it
// stores nothing.
func (s *spool) write(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.to-s.from >= s.maxStored && !s.closed && !s.ended {
		s.full = true
		s.change.Wait()
	}
	s.full = false
	if s.closed || s.ended || len(b) == 0 {
		return nil
	}
	defer s.change.Broadcast()
	if s.to == s.from && int64(len(s.memory)+len(b)) <= max(s.maxMemory, int64(len(b))) {
		s.memory = append(s.memory, b...)
		return nil
	}
	if s.file == nil {
		f, err := unlinked.File(s.dir)
		if err != nil {
			return s.fail(err)
		}
		s.file = f
	}
	if s.from == s.to {
		s.from, s.to = 0, 0 // all of it has been read: begin anew
	}
	n, err := s.file.WriteAt(b, s.to)
	s.to += int64(n)
	if err != nil {
		return s.fail(err)
	}
	return nil
}

// fail ends the body because it cannot be stored. s.mu is held.
func (s *spool) fail(err error) error {
	s.ended, s.err = true, fmt.Errorf("store the response: %w", err)
	return s.err
}

// attach ends the body with size bytes of a file, which the spool then owns.
func (s *spool) attach(f *os.File, from, size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.ended || s.rest != nil {
		f.Close()
		return
	}
	s.rest, s.restFrom, s.restSize = f, from, size
}

// finish ends the body: with nil, all is there; with an error, it breaks off
// where it is.
func (s *spool) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended, s.err = true, err
		s.change.Broadcast()
	}
}

// waitsForReader reports whether the writer is held up by the reader.
func (s *spool) waitsForReader() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.full
}

// next returns a part of the body, which is valid until the following call, and
// blocks until there is one. more reports whether the part is all there is at
// the moment, and others may come. buf is memory to use. After the last part
// the error is io.EOF, or what broke the body off.
func (s *spool) next(buf []byte) (b []byte, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.memory) == 0 && s.from == s.to && !s.ended {
		s.change.Wait()
	}
	switch {
	case len(s.memory) > 0:
		b, s.memory = s.memory, buf[:0]
	case s.from < s.to:
		b = buf[:cap(buf)]
		if len(b) < maxPacket {
			b = make([]byte, maxPacket)
		}
		b = b[:min(int64(len(b)), s.to-s.from)]
		n, err := s.file.ReadAt(b, s.from)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, false, s.fail(err)
		}
		b = b[:n]
		s.from += int64(n)
		s.change.Broadcast()
	case s.err != nil:
		return nil, false, s.err
	default:
		return nil, false, io.EOF
	}
	return b, !s.ended && s.from == s.to, nil
}

// tail returns the file that ends the body, nil if there is none, positioned at
// the part that is meant, and that part's size. The spool keeps owning it.
func (s *spool) tail() (_ *os.File, size int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rest == nil {
		return nil, 0, nil
	}
	if _, err := s.rest.Seek(s.restFrom, io.SeekStart); err != nil {
		return nil, 0, err
	}
	return s.rest, s.restSize, nil
}

// close is called when the reader wants no more. What is stored is dropped.
func (s *spool) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.memory = true, nil
	for _, f := range []*os.File{s.file, s.rest} {
		if f != nil {
			f.Close()
		}
	}
	s.file, s.rest, s.from, s.to = nil, nil, 0, 0
	s.change.Broadcast()
}

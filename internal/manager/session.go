package manager

import (
	"crypto/rand"
	"sync"
	"time"
)

const (
	// sessionIdle is how long a session lasts without a click; what a page asks for
	// by itself is none.
	sessionIdle = time.Hour
	// sessionTime is how long it lasts in any case: a working day with its breaks.
	sessionTime = 12 * time.Hour
	// maxSessions bounds how many there are; the one that was used longest ago goes.
	maxSessions = 32
)

// session is somebody who has logged in.
type session struct {
	begun time.Time
	used  time.Time     // guarded by sessions.mu
	ended chan struct{} // closed when it is not one any more
}

// sessions are all of them, in memory: a restart logs everybody out. The zero
// value has none. Safe for concurrent use.
type sessions struct {
	mu  sync.Mutex
	all map[digest]*session
}

// begin makes a session and returns its secret.
func (s *sessions) begin() string {
	secret := rand.Text()
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[digest]*session{}
	}
	s.expire(now)
	for len(s.all) >= maxSessions {
		var idle digest
		last := now
		for d, v := range s.all {
			if !v.used.After(last) {
				idle, last = d, v.used
			}
		}
		s.drop(idle)
	}
	s.all[digestOf(secret)] = &session{begun: now, used: now, ended: make(chan struct{})}
	return secret
}

// find returns the session with that secret; nil if there is none. click says
// that somebody uses it now.
func (s *sessions) find(secret string, click bool) *session {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	v := s.all[digestOf(secret)]
	if v != nil && click {
		v.used = now
	}
	return v
}

// end ends the session with that secret.
func (s *sessions) end(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(digestOf(secret))
}

// expire ends the sessions whose time has come. s.mu is held.
func (s *sessions) expire(now time.Time) {
	for d, v := range s.all {
		if now.Sub(v.used) >= sessionIdle || now.Sub(v.begun) >= sessionTime {
			s.drop(d)
		}
	}
}

// drop ends one, if it is there. s.mu is held.
func (s *sessions) drop(d digest) {
	if v := s.all[d]; v != nil {
		close(v.ended)
		delete(s.all, d)
	}
}

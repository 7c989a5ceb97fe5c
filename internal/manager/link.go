package manager

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// linkTime is how long a link may be used: time enough to paste it.
	linkTime = 10 * time.Minute
	// maxLinks is how many unused ones there may be; the oldest goes.
	maxLinks = 8
)

// digest stands for a secret where it is kept: who reads the memory of the
// server has no link and no session, and a lookup takes as long for a guess that
// is nearly right as for any other.
type digest [sha256.Size]byte

func digestOf(secret string) digest { return sha256.Sum256([]byte(secret)) }

// links are the one-time links that nobody has used yet. The zero value has
// none. Safe for concurrent use.
type links struct {
	mu  sync.Mutex
	all map[digest]time.Time // when it was made
}

// make returns the secret of a new link.
func (l *links) make() string {
	secret := rand.Text() // 130 bits: nothing to try out
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[digest]time.Time{}
	}
	l.forget(now)
	for len(l.all) >= maxLinks {
		oldest, first := digest{}, now
		for d, made := range l.all {
			if !made.After(first) {
				oldest, first = d, made
			}
		}
		delete(l.all, oldest)
	}
	l.all[digestOf(secret)] = now
	return secret
}

// valid reports whether a link could be used now.
func (l *links) valid(secret string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(time.Now())
	_, ok := l.all[digestOf(secret)]
	return ok
}

// use reports whether a link could be used, and nobody can any more.
func (l *links) use(secret string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(time.Now())
	d := digestOf(secret)
	_, ok := l.all[d]
	delete(l.all, d)
	return ok
}

// forget drops what is too old. l.mu is held.
func (l *links) forget(now time.Time) {
	for d, made := range l.all {
		if now.Sub(made) >= linkTime {
			delete(l.all, d)
		}
	}
}

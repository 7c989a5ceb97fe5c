package static

import (
	"hash/maphash"
	"strings"
	"sync"
)

// cacheShards is how many parts the cache has, each with a lock of its own, so
// that many cores can look up at once.
const cacheShards = 16

// cache keeps resources by the path of the requests that they answer, up to a
// size in bytes. Safe for concurrent use.
//
// What goes first when it is full is decided as by a clock: a hand goes round,
// takes the mark of those that were used since it last came by, and throws out
// the first one without. A path that was asked for once goes before those asked
// for again and again, and a hit writes nothing but, now and then, that mark.
type cache struct {
	seed   maphash.Seed
	limit  int64 // of each shard
	shards [cacheShards]shard
}

type shard struct {
	mu      sync.RWMutex
	entries map[string]*entry
	ring    []*entry
	hand    int
	bytes   int64
	_       [64]byte // the next shard's lock is in another cache line
}

type entry struct {
	key  string
	res  *resource
	cost int64
	at   int // index in ring
}

// newCache returns a cache of at most limit bytes.
func newCache(limit int64) *cache {
	c := &cache{seed: maphash.MakeSeed(), limit: limit / cacheShards}
	for i := range c.shards {
		c.shards[i].entries = map[string]*entry{}
	}
	return c
}

func (c *cache) shard(key string) *shard {
	return &c.shards[maphash.String(c.seed, key)%cacheShards]
}

// get returns the resource at key, or nil.
func (c *cache) get(key string) *resource {
	s := c.shard(key)
	s.mu.RLock()
	e := s.entries[key]
	var res *resource
	if e != nil {
		res = e.res
	}
	s.mu.RUnlock()
	if res != nil && !res.used.Load() {
		res.used.Store(true)
	}
	return res
}

// put keeps res at key, in place of what was there. A resource that is too large
// for the cache is not kept.
func (c *cache) put(key string, res *resource) {
	cost := res.cost() + int64(len(key))
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[key]; e != nil {
		s.remove(e)
	}
	if cost > c.limit {
		return
	}
	for s.bytes+cost > c.limit {
		s.evict()
	}
	// The key of a request may be a piece of its whole head.
	e := &entry{key: strings.Clone(key), res: res, cost: cost, at: len(s.ring)}
	s.entries[e.key] = e
	s.ring = append(s.ring, e)
	s.bytes += cost
}

// drop forgets key if it still stands for res.
func (c *cache) drop(key string, res *resource) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[key]; e != nil && e.res == res {
		s.remove(e)
	}
}

// evict throws out one entry; there is one.
func (s *shard) evict() {
	for {
		if s.hand >= len(s.ring) {
			s.hand = 0
		}
		e := s.ring[s.hand]
		if !e.res.used.Swap(false) {
			s.remove(e)
			return
		}
		s.hand++
	}
}

func (s *shard) remove(e *entry) {
	last := len(s.ring) - 1
	s.ring[e.at] = s.ring[last]
	s.ring[e.at].at = e.at
	s.ring[last] = nil
	s.ring = s.ring[:last]
	delete(s.entries, e.key)
	s.bytes -= e.cost
}

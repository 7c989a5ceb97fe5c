package static

import "time"

// What the tests of the package see of its inside.

type (
	ByteRange    = byteRange
	RangeVerdict = rangeVerdict
)

const (
	RangeIgnored     = rangeIgnored
	RangeSatisfiable = rangeSatisfiable
	RangeNot         = rangeNot

	Confirm    = confirm
	Restless   = restless
	Reidentify = reidentify
	MaxRanges  = maxRanges
	MaxEntries = maxEntries
	Sample     = sample
)

var (
	MediaType     = mediaType
	ContentType   = contentType
	CharsetOf     = charsetOf
	CacheControl  = cacheControl
	ContentHashed = contentHashed
	ParseRange    = parseRange
	Acceptances   = acceptances
	EntityTag     = entityTag
	NameOf        = nameOf
)

// PathServable is the verdict of NameOf for paths that name a file.
const PathServable = pathServable

// SetClock has h take the time from now. Before the first request only.
func (h *Handler) SetClock(now func() time.Time) {
	epoch := now()
	h.now = now
	h.elapsed = func() int64 { return int64(now().Sub(epoch)) }
}

// Bounds returns the first byte of b and how many there are.
func (b byteRange) Bounds() (start, length int64) { return b.start, b.length }

// Cached counts the paths in the cache and their cost in bytes.
func (h *Handler) Cached() (paths int, bytes int64) {
	for i := range h.cache.shards {
		s := &h.cache.shards[i]
		s.mu.RLock()
		paths += len(s.entries)
		bytes += s.bytes
		s.mu.RUnlock()
	}
	return paths, bytes
}

// Package logbook keeps the latest records of a log in memory, page by page: one
// for each application, so that one that talks much leaves the others theirs. It
// is for whoever looks into a running server; what has to last, files hold.
package logbook

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Bounds of a book. A record's size is that of its texts.
const (
	// maxRecords and maxBytes bound a page: some screens full, or one very long
	// traceback and what led there.
	maxRecords = 500
	maxBytes   = 128 << 10
	// maxTotal bounds all pages together.
	maxTotal = 16 << 20
	// maxText bounds one text of a record; the rest of it is cut off.
	maxText = 32 << 10
)

// Record is one record of the log.
type Record struct {
	// Number counts up over the whole book, from 1.
	Number  uint64    `json:"number"`
	Time    time.Time `json:"time"`
	Level   string    `json:"level"`
	App     string    `json:"app,omitempty"`
	Message string    `json:"message"`
	Attrs   []Attr    `json:"attrs,omitempty"`
}

// Attr is what a record says beside its message. The value may have several lines.
type Attr struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// size is how much room a record takes.
func (r *Record) size() int {
	n := 64 + len(r.Message) + len(r.App)
	for _, a := range r.Attrs {
		n += len(a.Key) + len(a.Value)
	}
	return n
}

// Book keeps records. It is safe for concurrent use. Made by New.
type Book struct {
	mu     sync.Mutex
	last   uint64 // number of the latest record
	bytes  int
	pages  map[string]*page // by application, "" for the server
	more   chan struct{}    // closed at the next record
	closed bool
}

// page is what is kept of one application, the oldest first.
type page struct {
	records []Record
	bytes   int
	lost    uint64 // number of the latest record that is not kept any more
}

// New returns an empty book.
func New() *Book { return &Book{pages: map[string]*page{}, more: make(chan struct{})} }

// add writes a record down.
func (b *Book) add(r Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	r.Number = b.last
	p := b.pages[r.App]
	if p == nil {
		p = &page{}
		b.pages[r.App] = p
	}
	p.records = append(p.records, r)
	p.bytes += r.size()
	b.bytes += r.size()
	for len(p.records) > maxRecords || p.bytes > maxBytes && len(p.records) > 1 {
		b.drop(p)
	}
	for b.bytes > maxTotal {
		b.dropOldest()
	}
	if !b.closed {
		close(b.more)
		b.more = make(chan struct{})
	}
}

// drop forgets the oldest record of a page.
func (b *Book) drop(p *page) {
	n := p.records[0].size()
	p.bytes, b.bytes, p.lost = p.bytes-n, b.bytes-n, p.records[0].Number
	p.records[0] = Record{} // its texts are garbage
	p.records = p.records[1:]
}

// dropOldest forgets the oldest record of all.
func (b *Book) dropOldest() {
	var oldest string
	var from *page
	for app, p := range b.pages {
		if from == nil || p.records[0].Number < from.records[0].Number {
			oldest, from = app, p
		}
	}
	if b.drop(from); len(from.records) == 0 {
		delete(b.pages, oldest) // an application that has gone leaves nothing
	}
}

// All is in place of an application's name: the records of all, and the server's.
const All = "*"

// After returns the latest records of an application, or of All, that came after
// that number, most at most, the oldest first; the number of the latest record of
// all, which is where to go on; whether some that came after that number are not
// kept any more; and a channel that is closed when there may be more.
func (b *Book) After(app string, number uint64, most int) (records []Record, last uint64, lost bool, more <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, p := range b.pages {
		if app != All && app != name {
			continue
		}
		from, _ := slices.BinarySearchFunc(p.records, number+1, func(r Record, n uint64) int { return cmp.Compare(r.Number, n) })
		records = append(records, p.records[from:]...)
		lost = lost || p.lost > number
	}
	slices.SortFunc(records, func(a, b Record) int { return cmp.Compare(a.Number, b.Number) })
	if len(records) > most {
		records, lost = records[len(records)-most:], true
	}
	return records, b.last, lost, b.more
}

// Close ends the wait of everybody who reads on: from now on the channel of After
// is closed. Records are still written down.
func (b *Book) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		close(b.more)
	}
}

// Closed reports whether Close was called.
func (b *Book) Closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

package static

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/nofollow"
)

// restless is how long after its last change a file counts as still being
// written: it may change again without its times showing it, where a file system
// keeps them in steps of up to two seconds.
const restless = 2 * time.Second

// resource is what is known of a file that answers a path. All but the atomic
// fields never change, so that many requests can use it at once.
type resource struct {
	location
	reps []*representation // the file itself, then its neighbours

	// resting says that an equal location means equal content.
	resting bool
	// confirmed is when the location was last compared with what is on the disk,
	// by the Handler's elapsed.
	confirmed atomic.Int64
	// used is set by each request and taken away by the cache when it looks for
	// something to throw out.
	used atomic.Bool
}

// representation is one form of a resource: the file, or a neighbour that holds
// it encoded.
type representation struct {
	form
	id         fileID
	size       int64
	etag       string    // with quotes, and W/ if weak
	modified   time.Time // in whole seconds
	validators []field   // what a 304 holds too
	fields     []field   // everything that a 200 and a 206 have in common
	body       []byte    // nil: too large to keep, comes from the file

	ok          []byte // finished head of a 200
	notModified []byte // and of a 304
}

// field is one line of a response head.
type field struct{ name, value string }

// load reads what loc describes. What it returns describes what was read, even if
// that is not what loc says any more.
func (h *Handler) load(loc location) (*resource, error) {
	top, err := loc.root.acquire()
	if err != nil {
		return nil, err
	}
	defer loc.root.release(top)
	res := &resource{location: loc, resting: true}
	res.confirmed.Store(h.elapsed())
	var present [1 + neighbours]bool
	for i := range loc.ids {
		present[i] = loc.ids[i] != fileID{}
	}
	vary := present != [1 + neighbours]bool{true}
	for i, there := range present {
		if !there {
			continue
		}
		fm := form{name: loc.name, original: loc.name, coding: fixedEncoding(loc.name), vary: vary}
		if i > 0 {
			c := codings()[i-1]
			fm.name, fm.coding, fm.rank = loc.name+c.ending, c.name, i
			fm.contentType = res.reps[0].contentType
		}
		rep, resting, err := h.loadFile(top.Root, fm)
		if err != nil && i > 0 {
			continue // a neighbour that went: the next confirmation sees it
		}
		if err != nil {
			return nil, err
		}
		res.ids[i] = rep.id
		res.reps = append(res.reps, rep)
		res.resting = res.resting && resting
	}
	return res, nil
}

// form says as what a file is to be read.
type form struct {
	name        string // of the file itself, below the root
	original    string // of the file that it is a form of
	coding      string
	rank        int    // 0 for the original, else its place in codings, from 1
	contentType string // "" is to be told from name and content
	vary        bool   // the original has neighbours
}

// loadFile reads the file of fm.
func (h *Handler) loadFile(top *os.Root, fm form) (rep *representation, resting bool, err error) {
	f, info, err := nofollow.FileBelow(top, fm.name)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	return h.represent(f, info, fm)
}

// represent makes a representation of the open file f: with its body if that is
// small enough to keep. resting is false if f may be changing.
func (h *Handler) represent(f *os.File, info fs.FileInfo, fm form) (rep *representation, resting bool, err error) {
	rep = &representation{form: fm, id: identify(info), size: info.Size()}
	want := rep.size
	if want > h.keepFile {
		want = min(want, sample)
	}
	head := make([]byte, want)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, false, fmt.Errorf("static: read %q: %w", fm.name, err)
	}
	head = head[:n]
	after, err := f.Stat()
	if err != nil {
		return nil, false, fmt.Errorf("static: stat %q: %w", fm.name, err)
	}
	now := h.now()
	resting = identify(after) == rep.id && int64(n) == want &&
		now.Sub(time.Unix(0, max(rep.id.modified, rep.id.changed))) >= restless

	if rep.size <= h.keepFile {
		// The body is what was read, its length and its tag are the body's own: so
		// the three belong together whatever happens to the file meanwhile.
		rep.body, rep.size = head, int64(n)
		rep.etag = entityTagOf(sha256.Sum256(head), fm.coding)
	} else {
		rep.etag = entityTagOf(rep.id.sum(), fm.coding)
		if !resting {
			rep.etag = "W/" + rep.etag
		}
	}
	// A Last-Modified in the future would be a lie (RFC 9110 section 8.8.2.1).
	rep.modified = info.ModTime().Truncate(time.Second)
	if rep.modified.After(now) {
		rep.modified = now.Truncate(time.Second)
	}
	if rep.contentType == "" {
		rep.contentType = contentType(fm.original, head, int64(n) == rep.size, h.charset)
	}
	rep.finish()
	return rep, resting, nil
}

// finish makes the fields and finished heads of rep.
func (rep *representation) finish() {
	rep.validators = []field{{"ETag", rep.etag}}
	if rep.dated() {
		rep.validators = append(rep.validators, field{"Last-Modified", rep.modified.UTC().Format(http.TimeFormat)})
	}
	if value := cacheControl(rep.original, rep.contentType); value != "" {
		rep.validators = append(rep.validators, field{"Cache-Control", value})
	}
	if rep.vary {
		rep.validators = append(rep.validators, field{"Vary", "Accept-Encoding"})
	}
	rep.fields = append([]field{{"Content-Type", rep.contentType}}, rep.validators...)
	if rep.coding != "" {
		rep.fields = append(rep.fields, field{"Content-Encoding", rep.coding})
	}
	// Types come from names and are meant: without nosniff a browser would make a
	// page of an uploaded text that looks like one.
	rep.fields = append(rep.fields, field{"Accept-Ranges", "bytes"}, field{"X-Content-Type-Options", "nosniff"})

	rep.ok = appendFields(nil, rep.fields)
	rep.ok = appendFields(rep.ok, []field{{"Content-Length", strconv.FormatInt(rep.size, 10)}})
	rep.notModified = appendFields(nil, rep.validators)
}

// dated reports whether the file's time means anything. Tools that build the
// same archive from the same source set it to the start of 1970 or a second
// later.
func (rep *representation) dated() bool { return rep.modified.Unix() > 1 }

// cost is about how much memory res takes, in bytes.
func (res *resource) cost() int64 {
	const overhead = 1 << 10
	total := int64(overhead)
	for _, rep := range res.reps {
		total += int64(len(rep.body)) + overhead
	}
	return total
}

// sum is a hash of id, for the tags of files that are too large to be read for
// it. It differs between machines that serve copies of one file.
func (id fileID) sum() [sha256.Size]byte {
	var b []byte
	for _, v := range []uint64{id.device, id.inode, uint64(id.size), uint64(id.modified), uint64(id.changed)} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return sha256.Sum256(b)
}

// entityTagOf makes a strong entity tag of the first 120 bits of sum, which nobody
// hits by chance. The coding is part of it: two codings of one resource never
// share a tag, whatever is in their files.
func entityTagOf(sum [sha256.Size]byte, coding string) string {
	tag := base64.RawURLEncoding.EncodeToString(sum[:15])
	if coding != "" {
		tag += "-" + coding
	}
	return `"` + tag + `"`
}

// appendFields appends fields as lines of a head. Their values are made in this
// package of what can hold no line end.
func appendFields(dst []byte, fields []field) []byte {
	for _, f := range fields {
		dst = append(dst, f.name...)
		dst = append(dst, ": "...)
		dst = append(dst, f.value...)
		dst = append(dst, "\r\n"...)
	}
	return dst
}

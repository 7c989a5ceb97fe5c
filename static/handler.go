// Package static serves the files of folders: with index files and listings,
// validators and ranges, encoded neighbours, and a cache of the files that are
// asked for often. It keeps dotfiles, whatever lies outside of its folders, and
// the private files of software projects from clients.
//
// Handler is a plain http.Handler. With a ResponseWriter that has WriteFinished
// it hands small files over as a whole; any other writer gets the same response
// by the usual methods.
//
// The package is not for files that a program names while it runs (X-Sendfile):
// it opens with the rights of the server, or of one user.
package static

import (
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/asuser"
	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/nofollow"
)

const (
	// DefaultCacheBytes is how much memory the cache of a Handler may take: a
	// site's styles, scripts and small pictures, many times over.
	DefaultCacheBytes = 64 << 20
	// DefaultCacheFile is the size of the largest file that is kept in memory.
	// Above it the system calls that sending from the file costs no longer show.
	DefaultCacheFile = 256 << 10
)

// confirm is how long a response is given from memory before the file is looked
// at again.
const confirm = 500 * time.Millisecond

// Config says what a Handler serves. Its zero value but for Roots is the usual
// site without listings.
type Config struct {
	// Roots are the folders whose files are served. The first that has a file
	// wins. They must exist on Open; afterwards each may go, come back, and be
	// exchanged for another, which is seen within a second.
	Roots []string
	// Prefix is what the paths of requests begin with before the name of a file,
	// such as "/static/"; "" means "/". It begins and ends with a slash. (Behind
	// http.StripPrefix redirects of unclean paths would lose the prefix.)
	Prefix string
	// Index are the names of the files that answer for their folder; nil means
	// index.html and index.htm.
	Index []string
	// Listing has folders without index file answered with a listing.
	Listing bool
	// FollowSymlinks serves what symbolic links lead to, as long as they are
	// relative and stay below the root. The rules for hidden names hold for what
	// they lead to as well.
	FollowSymlinks bool
	// Project says when the private files of software projects are hidden.
	Project ProjectRule
	// Withheld are names right below the roots, in any case, that are not served:
	// neither they nor what lies in them, by whatever link or spelling, which is
	// answered with 403 and left out of listings.
	Withheld []string
	// Charset is the charset of all text, such as "gbk"; "" has it told from each
	// file. Files are never re-encoded.
	Charset string
	// Try are files below the roots that answer for a path without a file, the
	// first that is there. A star at the beginning stands for the path, without a
	// slash at its end: "*.html" has /about answered with about.html.
	Try []string
	// Fallback is the file that answers, behind Try, for paths whose last part has
	// no dot: the page of a single-page application, which has addresses of its
	// own but no files for them.
	Fallback string
	// User is with whose rights files are looked for and opened; nil means the
	// server's own. Where it is set, what is not in the cache costs a thread for as
	// long as it takes. Only Linux can do that; elsewhere it has no effect.
	User *User
	// NotFound answers requests for which there is no file, with any method; nil
	// means the root's 404.html or NotFound.html, else a plain page.
	NotFound http.Handler
	// CacheBytes bounds the cache; 0 means DefaultCacheBytes, less than 0 none.
	CacheBytes int64
	// CacheFile is the size in bytes of the largest file that is kept in memory;
	// 0 means DefaultCacheFile. It is not more than a 128th of CacheBytes.
	CacheFile int64
	// Log gets the faults of the machine that cost a request; nil means nobody.
	Log *slog.Logger
}

// User is an identity that files are opened as.
type User = asuser.User

// Handler serves files. Safe for concurrent use. Made by Open.
type Handler struct {
	roots    []*root
	prefix   string
	index    []string
	page     *template.Template // of listings; nil: there are none
	follow   bool
	project  ProjectRule
	apart    []string // what is withheld
	charset  string
	try      []string
	fallback string
	user     *User
	other    http.Handler
	keepFile int64
	log      *slog.Logger
	cache    *cache
	now      func() time.Time
	elapsed  func() int64 // nanoseconds by a clock that nobody sets
}

// Open returns a Handler for c. An error says which setting or folder is wrong.
func Open(c Config) (*Handler, error) {
	h := &Handler{
		prefix: c.Prefix, index: c.Index, follow: c.FollowSymlinks, project: c.Project, apart: slices.Clone(c.Withheld),
		charset: c.Charset, try: slices.Clone(c.Try), fallback: strings.TrimPrefix(c.Fallback, "/"), user: c.User, other: c.NotFound, keepFile: c.CacheFile, log: c.Log, now: time.Now,
	}
	epoch := time.Now()
	h.elapsed = func() int64 { return int64(time.Since(epoch)) } // half the cost of time.Now
	if len(c.Roots) == 0 {
		return nil, errors.New("static: open: no roots")
	}
	if h.prefix == "" {
		h.prefix = "/"
	}
	if h.prefix[0] != '/' || !strings.HasSuffix(h.prefix, "/") {
		return nil, fmt.Errorf("static: open: prefix %q does not begin and end with a slash", c.Prefix)
	}
	if h.charset != "" && !charsetName(h.charset) {
		return nil, fmt.Errorf("static: open: %q is no name of a charset", c.Charset)
	}
	if h.index == nil {
		h.index = []string{"index.html", "index.htm"}
	}
	for _, index := range h.index {
		if index == "" || strings.ContainsAny(index, "/\x00") || index == "." || index == ".." {
			return nil, fmt.Errorf("static: open: index %q is no file name", index)
		}
	}
	if h.keepFile == 0 {
		h.keepFile = DefaultCacheFile
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if c.Listing {
		h.page = newListingPage()
	}
	limit := c.CacheBytes
	if limit == 0 {
		limit = DefaultCacheBytes
	}
	h.cache = newCache(max(limit, 0))
	// A file with all its neighbours has to fit into a part of the cache, or it
	// would be read into memory again for each request.
	h.keepFile = min(h.keepFile, h.cache.limit/8)
	err := h.user.Do(func() error {
		for _, path := range c.Roots {
			r, err := openRoot(path, func() time.Time { return h.now() })
			if err != nil {
				return err
			}
			h.roots = append(h.roots, r)
		}
		return nil
	})
	if err != nil {
		_ = h.Close() // err is what to tell
		return nil, err
	}
	return h, nil
}

// Close gives the folders back. Requests that are being answered end well, later
// ones get 500 unless the cache has their answer.
func (h *Handler) Close() error {
	for _, r := range h.roots {
		r.close()
	}
	return nil
}

// Hidden says in one line which files beside dotfiles are kept from clients and
// why, for the server to announce, or "" if none are. Under ProjectAuto it tells
// about the roots; a project further below is recognised when it is asked for.
func (h *Handler) Hidden() string {
	const what = "sources, databases, keys and backups are not served"
	switch h.project {
	case ProjectNever:
		return ""
	case ProjectAlways:
		return what
	}
	sign := ""
	_ = h.user.Do(func() error { // what cannot be looked at is not served either
		for _, r := range h.roots {
			top, err := r.acquire()
			if err != nil {
				continue
			}
			sign = projectSign(top.Root, ".")
			r.release(top)
			if sign != "" {
				break
			}
		}
		return nil
	})
	if sign == "" {
		return ""
	}
	return what + ": the folder looks like a project (" + sign + ")"
}

// ServeHTTP answers r with the file that its path names.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// What is in the cache was found under exactly this path, so the path needs
	// no second look. RawPath is set where an unusual encoding does need one.
	if r.URL.RawPath == "" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		if res := h.cache.get(r.URL.Path); res != nil && h.elapsed()-res.confirmed.Load() < int64(confirm) {
			h.respond(w, r, res)
			return
		}
	}
	h.serve(w, r)
}

// serve answers what is not in the cache, or has to be confirmed.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	name, slash, verdict := nameOf(r, h.prefix)
	if verdict == pathUnclean && get {
		redirect(w, cleanLocation(r))
		return
	}
	if verdict != pathServable {
		h.notFound(w, r)
		return
	}
	res, found, err := h.lookup(r.URL.Path, name, slash)
	switch {
	case errors.Is(err, errWithheld):
		withhold(w, r)
	case err != nil:
		h.fail(w, r, err)
	case found == foundNothing:
		h.missing(w, r, name)
	case !get:
		notForFiles(w, r)
	case found == foundFile:
		h.respond(w, r, res)
	case !slash:
		redirect(w, slashLocation(r))
	case h.page != nil:
		h.list(w, r, name)
	default:
		h.missing(w, r, name)
	}
}

// fresh reports whether res may be given without a look at the file. Of several
// requests that come when it no longer may, one gets false and looks; the others
// do not wait for it, so that a slow disk holds up one request and not all.
func (h *Handler) fresh(res *resource) bool {
	now, confirmed := h.elapsed(), res.confirmed.Load()
	return now-confirmed < int64(confirm) || !res.confirmed.CompareAndSwap(confirmed, now)
}

// lookup returns what name stands for, from the cache at key or from the disk.
func (h *Handler) lookup(key, name string, slash bool) (*resource, finding, error) {
	cached := h.cache.get(key)
	if cached != nil && h.fresh(cached) {
		return cached, foundFile, nil
	}
	var found finding
	var res *resource
	err := h.user.Do(func() (err error) {
		var loc location
		loc, found, err = h.find(name, slash)
		switch {
		case err != nil || found != foundFile:
		case cached != nil && cached.resting && cached.location == loc:
			res = cached
		default:
			res, err = h.load(loc)
		}
		return err
	})
	if res != nil && err == nil {
		if res != cached {
			h.keep(key, res)
		}
		return res, foundFile, nil
	}
	if cached != nil {
		h.cache.drop(key, cached)
	}
	if err != nil && nofollow.Missing(err) {
		return nil, foundNothing, nil
	}
	return nil, found, err
}

// keep puts res into the cache, unless more than its own file decides whether it
// may be served: a folder can become a project.
func (h *Handler) keep(key string, res *resource) {
	if h.project == ProjectAuto && secret(res.name) {
		return
	}
	h.cache.put(key, res)
}

// notForFiles answers methods other than GET and HEAD.
func notForFiles(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", "GET, HEAD, OPTIONS")
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	errorpage.Write(w, r, http.StatusMethodNotAllowed, "")
}

var _ http.Handler = (*Handler)(nil)

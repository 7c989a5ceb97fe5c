package cgi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"time"
)

const (
	// pieceSize is how much of a script's output is taken at once: all that a pipe
	// holds, usually.
	pieceSize = 64 << 10
	// togetherness is how long the first part of an answer waits for the rest. A
	// short script has ended by then, and its answer leaves as a whole; a slow one
	// cannot tell.
	togetherness = 5 * time.Millisecond
	// exitWait is how long a script that has closed its output is waited for, to
	// know how it ended.
	exitWait = 250 * time.Millisecond
	// wideAfter is how much output makes a pipe be widened.
	wideAfter = 1 << 20
	// minPass is how much is worth being passed on without a copy.
	minPass = 32 << 10
	// maxRedirects bounds local redirects that follow one another.
	maxRedirects = 10
)

// pieces holds memory for output: *[pieceSize]byte.
var pieces = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// respond turns what the script prints into the answer. It returns the local
// redirect that this is, if it is one. The error means that nothing has been
// answered. Something that has been begun and cannot be completed is broken off.
func (x *exchange) respond() (*url.URL, error) {
	piece := pieces.Get().(*[pieceSize]byte)
	defer pieces.Put(piece)
	head, rest, err := x.readHead(piece[:])
	if err != nil {
		return nil, err
	}
	if target, ok := x.localRedirect(head); ok && len(rest) == 0 {
		more, err := x.next(piece[:], x.h.config.StallTimeout)
		if err == io.EOF && len(more) == 0 {
			return target, nil
		}
		if err != nil && err != io.EOF {
			return nil, x.why(err)
		}
		rest = more
	}
	if !head.typed && !x.nph && !bodiless(head.status) && len(rest) == 0 && x.r.Method != http.MethodHead {
		// A body needs a type (RFC 3875, section 6.3.1): see whether there is one.
		more, err := x.next(piece[:], x.h.config.StallTimeout)
		if err != nil && err != io.EOF {
			return nil, x.why(err)
		}
		rest = more
	}
	if len(rest) > 0 && !head.typed && !x.nph && !bodiless(head.status) {
		if head.location == "" {
			return nil, x.malformed(errors.New("a body without a Content-Type"))
		}
		rest = nil // the text of a redirect, which no browser shows
		x.discards = true
	}
	x.commit(head)
	if x.discards {
		_ = http.NewResponseController(x.w).Flush() // a writer that cannot flush sends it in the end
		x.discard(piece[:])
		return nil, nil
	}
	if head.chunked {
		x.streamChunks(rest, piece[:])
		return nil, nil
	}
	x.stream(rest, piece[:], head.length)
	return nil, nil
}

// readHead reads up to the end of the head. rest is the part of the body that
// came with it, in buf.
func (x *exchange) readHead(buf []byte) (h *head, rest []byte, err error) {
	n := 0
	limit := x.h.config.MaxHead // buf holds more
	for {
		wait := x.h.config.Timeout
		if wait > 0 {
			wait = max(time.Until(x.begun.Add(wait)), 0)
		}
		k, err := x.stdout.read(buf[n:], wait)
		x.printed += int64(k)
		n += k
		if err := x.tooMuch(); err != nil {
			return nil, nil, err
		}
		end := endOfHead(buf[:n], n-k-2)
		if x.h.config.HeadOptional && !x.nph && n > 0 && isBare(buf[:n], end, err == io.EOF, n > limit) {
			return bareHead(), buf[:n], nil
		}
		if end >= 0 && end <= limit {
			h, err := parseHead(buf[:end], x.nph)
			if err != nil {
				return nil, nil, x.malformed(err)
			}
			return h, buf[end:n], nil
		}
		switch {
		case n > limit:
			return nil, nil, x.malformed(errors.New("the head is too long"))
		case errors.Is(err, os.ErrDeadlineExceeded):
			x.stop(errOverdue)
			return nil, nil, x.why(err)
		case err == io.EOF && n == 0:
			return nil, nil, x.silent()
		case err == io.EOF:
			return nil, nil, x.malformed(errors.New("the output ends inside of the head"))
		case err != nil:
			return nil, nil, x.why(err)
		}
	}
}

// next reads a piece of the body.
func (x *exchange) next(buf []byte, wait time.Duration) ([]byte, error) {
	n, err := x.stdout.read(buf, wait)
	before := x.printed
	x.printed += int64(n)
	if before < wideAfter && x.printed >= wideAfter {
		widen(x.stdout.file)
	}
	if err := x.tooMuch(); err != nil {
		return nil, err
	}
	return buf[:n], err
}

func (x *exchange) tooMuch() error {
	if limit := x.h.config.MaxOutput; limit > 0 && x.printed > limit {
		x.stop(errFlood)
		return errFlood
	}
	return nil
}

// commit writes the head.
func (x *exchange) commit(h *head) {
	fields := x.w.Header()
	maps.Copy(fields, h.fields)
	if !h.typed {
		fields["Content-Type"] = nil // it is not to be guessed
	}
	if h.chunked || bodiless(h.status) || x.discards {
		fields.Del("Content-Length")
	}
	if bodiless(h.status) || x.r.Method == http.MethodHead {
		x.discards = true
	}
	x.w.WriteHeader(h.status)
}

// stream writes the body as it comes: rest, and what the script still prints.
// length is what it has announced, -1 if nothing.
func (x *exchange) stream(rest, buf []byte, length int64) {
	control := http.NewResponseController(x.w)
	held := true // nothing has been flushed yet
	together := time.Now().Add(togetherness)
	for {
		if length >= 0 && int64(len(rest)) > length {
			_, _ = x.w.Write(rest[:length]) // a client that left is no error of ours
			x.record(badGateway("the script prints more than its Content-Length announces", "compute Content-Length from bytes, or leave it out"))
			return
		}
		if len(rest) > 0 {
			if _, err := x.w.Write(rest); err != nil {
				x.stop(errGone)
				return
			}
			if length >= 0 {
				length -= int64(len(rest))
			}
			if !held && len(rest) < len(buf) {
				_ = control.Flush() // what cannot be flushed is sent in the end
			}
		}
		passed, late, err := x.pass(control, length)
		switch {
		case err != nil:
			x.stop(errGone)
			return
		case late:
			x.breakOff(os.ErrDeadlineExceeded)
		case length >= 0:
			length -= passed
		}
		wait := x.h.config.StallTimeout
		if held {
			wait = max(time.Until(together), 0)
		}
		rest, err = x.next(buf, wait)
		switch {
		case err == nil:
		case held && errors.Is(err, os.ErrDeadlineExceeded):
			held = false
			_ = control.Flush() // as above
		case err == io.EOF:
			x.complete(length > 0)
			return
		default:
			x.breakOff(err)
		}
	}
}

// pass lets the server take what the script prints right out of the pipe, as long
// as that is much: servers know ways that need no copy. length is what may still
// come, -1 if that is not known. late says that the script has stalled. The error
// is the client's.
func (x *exchange) pass(control *http.ResponseController, length int64) (passed int64, late bool, err error) {
	to, ok := x.w.(io.ReaderFrom)
	for ok && x.printed >= wideAfter {
		n, err := x.stdout.await(togetherness)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			_ = control.Flush() // as in stream
			n, err = x.stdout.await(x.h.config.StallTimeout)
			late = errors.Is(err, os.ErrDeadlineExceeded)
		}
		if err != nil {
			break // and be read again, where it is dealt with
		}
		if length >= 0 {
			n = min(n, length-passed)
		}
		if limit := x.h.config.MaxOutput; limit > 0 {
			n = min(n, limit-x.printed)
		}
		if n < minPass {
			break
		}
		k, err := to.ReadFrom(x.stdout.held(n))
		x.printed += k
		passed += k
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break // set meanwhile for the next read, or the client's: then the next write tells
		}
		if err != nil {
			return passed, false, err
		}
	}
	return passed, late, nil
}

// streamChunks writes the body of an NPH script that frames it in chunks. They
// are taken apart, since the server frames the message itself.
func (x *exchange) streamChunks(rest, buf []byte) {
	control := http.NewResponseController(x.w)
	_ = control.Flush() // as in stream
	body := httputil.NewChunkedReader(io.MultiReader(bytes.NewReader(bytes.Clone(rest)), (*rawOutput)(x)))
	for {
		n, err := body.Read(buf)
		if n > 0 {
			if _, err := x.w.Write(buf[:n]); err != nil {
				x.stop(errGone)
				return
			}
			_ = control.Flush() // as above
		}
		if err == io.EOF {
			x.complete(false)
			return
		}
		if err != nil {
			x.breakOff(err)
		}
	}
}

// rawOutput reads what a script prints.
type rawOutput exchange

// Read implements io.Reader.
func (o *rawOutput) Read(b []byte) (int, error) {
	x := (*exchange)(o)
	piece, err := x.next(b, x.h.config.StallTimeout)
	return len(piece), err
}

// discard lets the script print what nobody wants to see: it may do something
// else by the way.
func (x *exchange) discard(buf []byte) {
	for {
		if _, err := x.next(buf, x.h.config.StallTimeout); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				x.stop(errStalled)
			}
			return
		}
	}
}

// complete ends an answer after the script has closed its output. short says
// that it announced more than it printed.
func (x *exchange) complete(short bool) {
	exit, known := x.exit()
	switch {
	case short:
		x.breakOff(badGateway("the script prints less than its Content-Length announces", "compute Content-Length from bytes, or leave it out"))
	case known && exit.Signal != 0:
		x.breakOff(badGateway("the script was ended by "+exit.String()+" in the middle of its answer", ""))
	case known && exit.Code != 0:
		// What it printed may well be all it had to say.
		x.h.log.Warn("the script ended with "+exit.String()+" after its answer", "request", x.id, "script", x.script.path)
	}
}

// breakOff ends the connection, so that the client does not take what it has for
// the whole answer.
func (x *exchange) breakOff(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		x.stop(errStalled)
	}
	var f *failure
	if !errors.As(x.why(err), &f) {
		f = &failure{status: http.StatusBadGateway, reason: "the answer was broken off", err: err}
	}
	x.record(f)
	_ = http.NewResponseController(x.w).Flush() // what there was the client may see
	panic(http.ErrAbortHandler)
}

// why returns the reason for which the script was ended, if it was, else err.
func (x *exchange) why(err error) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.reason != nil {
		return x.reason
	}
	return err
}

// malformed is the failure of a script that prints what is no answer.
func (x *exchange) malformed(err error) error {
	f := badGateway("the script's answer is malformed", "a CGI script prints fields such as Content-Type, an empty line, and the body")
	f.err = err
	return x.fault(f)
}

// silent is the failure of a script that prints nothing. One that has vanished
// before its interpreter could open it was not there.
func (x *exchange) silent() error {
	if exit, known := x.exit(); known && exit.Code != 0 {
		if err := x.vanished(); err != nil {
			return x.why(notThere(err))
		}
	}
	return x.fault(badGateway("the script printed nothing", ""))
}

// fault adds to f how the script ended, where that is known and no success.
func (x *exchange) fault(f *failure) error {
	if exit, known := x.exit(); known && (exit.Code != 0 || exit.Signal != 0) {
		f.reason += " and ended with " + exit.String()
	}
	return x.why(f)
}

// localRedirect returns the target of a local redirect (RFC 3875, section
// 6.2.2): a path in Location and nothing else. Many scripts print a Content-Type
// in any case, so that may stand there. Anything beside it, such as a cookie, is
// for the client, which then is sent there itself.
func (x *exchange) localRedirect(h *head) (*url.URL, bool) {
	if h.other || x.nph || x.h.config.Redirect == nil {
		return nil, false
	}
	return localTarget(h.location)
}

// redirectsKey is the key of the number of local redirects that led to a request.
type redirectsKey struct{}

// redirect answers with what target answers.
func (x *exchange) redirect(target *url.URL, uri string) {
	n, _ := x.r.Context().Value(redirectsKey{}).(int)
	if n >= maxRedirects {
		x.refuse(badGateway("scripts redirect to one another without end", "look at the Location that the script prints"))
		return
	}
	r := redirected(x.r, target, uri)
	x.h.config.Redirect.ServeHTTP(x.w, r.WithContext(context.WithValue(r.Context(), redirectsKey{}, n+1)))
}

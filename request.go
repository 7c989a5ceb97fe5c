package gatehouse

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

// readRequest makes a request, and the response to it, of the first n buffered
// bytes, which are a whole head. An error is an answer, see refuse.
//
// Nothing of a request is ever used again, and its strings are its own:
// handlers may keep what they were given.
func (c *conn) readRequest(n int) (*response, error) {
	var head http1.RequestHead
	if err := http1.ParseRequest(c.in.buffered()[:n], &head); err != nil {
		return nil, err
	}
	w := &response{c: c, minor: head.Minor, close: head.Close, keepAlive: head.KeepAlive, declared: -1}
	target, err := w.parseTarget(&head)
	if err != nil {
		return nil, &rejection{http.StatusBadRequest, "the request target is not a valid URL"}
	}
	if err := c.refusal(&head); err != nil {
		return nil, err
	}
	c.in.use(n)
	if c.remote == "" {
		c.remote = c.rwc.RemoteAddr().String()
	}
	w.ctx.Context, w.ctx.c = c.base, c
	// WithContext is the only way to a context in a request from outside
	// net/http. Filled afterwards, the request is made once, not copied.
	r := new(http.Request).WithContext(&w.ctx)
	r.Method = head.Method
	r.URL = target
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	if head.Minor == 0 {
		r.Proto, r.ProtoMinor = "HTTP/1.0", 0
	}
	r.Header = head.Header
	r.Host = head.Host
	r.RequestURI = head.Target
	r.RemoteAddr = c.remote
	r.Close = head.Close
	r.Body = http.NoBody
	r.TLS = c.secure
	w.req = r
	w.isHead = head.Method == http.MethodHead
	w.asterisk = head.Form == http1.AsteriskForm
	if head.Chunked || head.ContentLength > 0 {
		w.openBody(&head)
	}
	return w, nil
}

// refusal says whether a well-formed request is one that the server answers
// itself with an error.
func (c *conn) refusal(head *http1.RequestHead) error {
	if head.Method == http.MethodConnect {
		return &rejection{http.StatusNotImplemented, "this server is no proxy"}
	}
	if c.srv.MaxBody > 0 && head.ContentLength > c.srv.MaxBody {
		return &rejection{http.StatusRequestEntityTooLarge, "the request body is too large"}
	}
	return nil
}

// openBody gives the request its body.
func (w *response) openBody(head *http1.RequestHead) {
	b := &body{w: w, left: head.ContentLength, max: w.c.srv.MaxBody}
	w.req.ContentLength = head.ContentLength
	if head.Chunked {
		b.left, w.req.ContentLength = -1, -1
		w.req.TransferEncoding = []string{"chunked"}
		if len(head.Trailer) > 0 {
			w.req.Trailer = make(http.Header, len(head.Trailer))
			for _, name := range head.Trailer {
				w.req.Trailer[name] = nil
			}
		}
	}
	w.mayContinue = head.ExpectContinue
	w.expects = w.mayContinue
	w.body = b
	w.req.Body = b
	w.c.sock.reads.watch.Store(true)
	w.c.watch.hold()
}

// parseTarget makes a URL of the request target.
func (w *response) parseTarget(head *http1.RequestHead) (*url.URL, error) {
	if head.Form != http1.OriginForm {
		if head.Form == http1.AuthorityForm {
			return nil, nil // CONNECT goes no further
		}
		return url.ParseRequestURI(head.Target)
	}
	path, query, asked := strings.Cut(head.Target, "?")
	for i := range len(path) {
		if !plainInPath[path[i]] {
			return url.ParseRequestURI(head.Target)
		}
	}
	w.url.Path = path
	w.url.RawQuery = query
	w.url.ForceQuery = asked && query == ""
	return &w.url, nil
}

// plainInPath holds the bytes that mean themselves in a path and that
// url.URL.EscapedPath writes as they are: for paths of nothing else, which is
// nearly all, parsing is splitting. The others are left to net/url.
var plainInPath = func() (plain [256]bool) {
	for _, b := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~$&+,/:;=@") {
		plain[b] = true
	}
	return plain
}()

package cgi

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/metavar"
	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// environ is the environment of the script: what is configured, and the
// meta-variables of RFC 3875, section 4.1, with those that every server adds.
// length is that of the body as the script will read it.
func (x *exchange) environ(length int64) []string {
	h, r, s := x.h, x.r, x.script
	base := h.environment
	if x.python {
		base = h.pythonEnvironment
	}
	env := make([]string, len(base), len(base)+32+len(r.Header))
	copy(env, base)
	set := func(name, value string) {
		if strings.IndexByte(value, 0) < 0 { // it would end there, and be another one
			env = append(env, name+"="+value)
		}
	}
	scheme := h.config.Scheme(r)
	host, port := metavar.Server(r, scheme)
	set("GATEWAY_INTERFACE", "CGI/1.1")
	set("SERVER_SOFTWARE", "Gatehouse")
	set("SERVER_PROTOCOL", r.Proto)
	set("SERVER_NAME", host)
	set("SERVER_PORT", port)
	set("REQUEST_METHOD", r.Method)
	set("REQUEST_SCHEME", scheme)
	set("REQUEST_URI", requestURI(r))
	set("QUERY_STRING", r.URL.RawQuery)
	set("SCRIPT_NAME", s.name)
	set("SCRIPT_FILENAME", s.path)
	set("DOCUMENT_ROOT", h.config.DocumentRoot)
	if scheme == "https" {
		set("HTTPS", "on")
	}
	if s.info != "" {
		set("PATH_INFO", s.info)
		set("PATH_TRANSLATED", h.translate(s.info))
	}
	// REMOTE_HOST may be the address where the name is not looked up (section
	// 4.1.9); REMOTE_IDENT is nobody's any more.
	address, remotePort, ok := metavar.SplitHostPort(r.RemoteAddr)
	if ok {
		set("REMOTE_PORT", remotePort)
	} else {
		address = "" // a Unix socket
	}
	set("REMOTE_ADDR", address)
	set("REMOTE_HOST", address)
	if h.config.Identity != nil {
		if scheme, user := h.config.Identity(r); user != "" {
			set("AUTH_TYPE", scheme)
			set("REMOTE_USER", user)
		}
	}
	if length > 0 || length == 0 && r.Header["Content-Length"] != nil {
		set("CONTENT_LENGTH", strconv.FormatInt(length, 10))
	}
	if kind := r.Header.Get("Content-Type"); kind != "" {
		set("CONTENT_TYPE", kind)
	}
	if r.Host != "" {
		set("HTTP_HOST", r.Host)
	}
	set("HTTP_X_REQUEST_ID", x.id)
	var buf [64]byte
	for field, values := range r.Header {
		if name, ok := metavar.AppendName(buf[:0], field); ok && h.passes(field) {
			set(string(name), strings.Join(values, metavar.Separator(field)))
		}
	}
	return env
}

// requestURI is path and query as the client wrote them. Where it has named a host
// before them, as proxies are spoken to, that is not passed on: scripts make links
// to themselves of what they get.
func requestURI(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// passes reports whether a request field is for scripts. Passwords are not
// (section 9.2); host and identifier have been set from what the server knows.
func (h *Handler) passes(field string) bool {
	switch field {
	case "Authorization":
		return h.config.PassAuthorization
	case "Proxy-Authorization", "Host", requestid.Field:
		return false
	}
	return true
}

// translate returns PATH_TRANSLATED: the file that info would name if it were
// the path of a request (section 4.1.6). Nothing has looked whether it is there.
func (h *Handler) translate(info string) string {
	path := filepath.Join(h.config.DocumentRoot, filepath.FromSlash(info))
	if strings.HasSuffix(info, "/") && info != "/" {
		path += string(filepath.Separator)
	}
	return path
}

// localTarget parses the target of a local redirect (section 6.2.2): an absolute
// path with or without a query. "//host/path" is none, since browsers go to that
// host; nor is one with a fragment, with which only they know what to do.
func localTarget(location string) (*url.URL, bool) {
	if !strings.HasPrefix(location, "/") || strings.HasPrefix(location, "//") || strings.Contains(location, "#") {
		return nil, false
	}
	target, err := url.ParseRequestURI(location)
	return target, err == nil
}

// redirected returns the request that a local redirect of r leads to.
func redirected(r *http.Request, target *url.URL, uri string) *http.Request {
	next := r.Clone(r.Context())
	if next.Method != http.MethodHead {
		next.Method = http.MethodGet
	}
	next.URL, next.RequestURI = target, uri
	next.Body, next.ContentLength, next.TransferEncoding = http.NoBody, 0, nil
	for _, field := range []string{"Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Expect"} {
		next.Header.Del(field)
	}
	return next
}

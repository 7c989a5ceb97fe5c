package config

import (
	"cmp"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/spelling"
)

// A tabled Value is a table in a file.
type tabled interface {
	// readTable takes in what n holds and reports what is wrong with it.
	readTable(d *decoder, n *node)
	// tableLines are the table's keys with their values in TOML.
	tableLines() []Line
}

// patternValue is the path of a route.
type patternValue struct{ p *Pattern }

func (v patternValue) Type() string { return "PATH" }
func (v patternValue) kinds() Kind  { return Text }

func (v patternValue) String() string {
	if *v.p == (Pattern{}) {
		return "/"
	}
	return v.p.String()
}

func (v patternValue) Set(text string) error {
	pattern, err := parsePattern(text)
	if err == nil {
		*v.p = pattern
	}
	return err
}

// mountValue is a folder in the paths of URLs.
type mountValue struct{ p *string }

func (v mountValue) Type() string   { return "PATH" }
func (v mountValue) kinds() Kind    { return Text }
func (v mountValue) String() string { return *v.p }

func (v mountValue) Set(text string) error {
	pattern, err := parsePattern(strings.TrimSuffix(text, "/") + "/")
	if err != nil {
		return err
	}
	if *v.p = pattern.Prefix; *v.p == "" {
		*v.p = "/"
	}
	return nil
}

// checkContentType refuses what cannot be the value of a Content-Type field.
func checkContentType(text string) error {
	if _, _, err := mime.ParseMediaType(text); err != nil || strings.ContainsFunc(text, isControl) || !strings.ContainsRune(text, '/') {
		return fmt.Errorf("%q is no media type; write one such as \"text/html; charset=utf-8\"", text)
	}
	return nil
}

// hostsValue are the names of a site.
type hostsValue struct{ listValue }

func newHosts(p *[]string) Value { return &hostsValue{listValue{p: p, kind: "HOST"}} }

func (v *hostsValue) Set(text string) error {
	host := strings.ToLower(strings.TrimSuffix(text, "."))
	name := strings.TrimPrefix(host, "*.")
	if addr, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return v.listValue.Set(addr.String())
	}
	if strings.ContainsRune(name, ':') {
		return fmt.Errorf("%q: write the name alone, without scheme and port", text)
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return fmt.Errorf("%q is no host name; write example.org, or *.example.org for all names below it", text)
		}
	}
	return v.listValue.Set(host)
}

// methods are those of RFC 9110 and RFC 5789, then of RFC 4918.
func methods() []string {
	return []string{
		"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
		"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK",
	}
}

// checkMethod refuses what is no method.
func checkMethod(text string) error {
	if slices.Contains(methods(), text) {
		return nil
	}
	lower := make([]string, 0, len(methods()))
	for _, m := range methods() {
		lower = append(lower, strings.ToLower(m))
	}
	near := spelling.Nearest(text, lower)
	if slices.Contains(lower, strings.ToLower(text)) {
		near = text
	}
	if near != "" {
		return fmt.Errorf("unknown method %q; did you mean %q?", text, strings.ToUpper(near))
	}
	return fmt.Errorf("unknown method %q; expected some of %s", text, strings.Join(methods(), ", "))
}

// checkRedirect refuses what no browser should be sent to.
func checkRedirect(text string) error {
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return fmt.Errorf("%q holds a blank, a backslash or a control character", text)
	}
	if i := strings.IndexByte(text, '*'); i >= 0 && i != len(text)-1 {
		return fmt.Errorf("%q: a star stands at the end, for what the route's path has one for", text)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no URL", text)
	case u.Scheme == "" && u.Host == "" && strings.HasPrefix(text, "/"):
		return nil
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host != "":
		return nil
	}
	return fmt.Errorf("%q is neither a path that begins with one slash nor a URL with http:// or https://", text)
}

// statusValue is a status, 0 for the usual one.
type statusValue struct{ p *int }

func (v statusValue) Type() string { return "N" }
func (v statusValue) kinds() Kind  { return Integer }

func (v statusValue) String() string {
	if *v.p == 0 {
		return ""
	}
	return strconv.Itoa(*v.p)
}

func (v statusValue) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 200 || n > 599 {
		return fmt.Errorf("%s is no status of an answer; they are 200 to 599", text)
	}
	*v.p = n
	return nil
}

// headersTable is the key of changes of fields, wherever it stands.
const headersTable = "headers"

// headersValue are changes of fields.
type headersValue struct{ p *[]HeaderRule }

func (v headersValue) Type() string     { return "NAME=VALUE" }
func (v headersValue) kinds() Kind      { return Table }
func (v headersValue) Set(string) error { return errTableOnly }

func (v headersValue) String() string {
	names := make([]string, len(*v.p))
	for i, rule := range *v.p {
		names[i] = rule.Name
	}
	return strings.Join(names, ", ")
}

func (v headersValue) readTable(d *decoder, n *node) {
	*v.p = nil
	for _, name := range n.names {
		if rule, ok := d.headerRule(name, n.child(name)); ok {
			*v.p = append(*v.p, rule)
		}
	}
}

func (v headersValue) tableLines() []Line {
	var lines []Line
	for _, rule := range *v.p {
		value := "false"
		switch len(rule.Values) {
		case 0:
		case 1:
			value = tomlText(rule.Values[0])
		default:
			value = tomlArray(rule.Values)
		}
		lines = append(lines, Line{Key: rule.Name, Value: value})
	}
	return lines
}

// headerRule reads one of them.
func (d *decoder) headerRule(name string, n *node) (HeaderRule, bool) {
	rule := HeaderRule{Name: http.CanonicalHeaderKey(name)}
	if !isToken(name) {
		d.wrong(n.key, "%s is no name of a header field", quoted(name))
		return rule, false
	}
	switch rule.Name {
	case "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade", "Trailer", "Date", "Content-Encoding", "Content-Range":
		d.wrong(n.key, "%s: this field is the server's own; it says how the answer is sent", rule.Name)
		return rule, false
	case "Server":
		d.wrong(n.key, "Server: the key server_name above all tables says it")
		return rule, false
	}
	values := []*node{n}
	switch {
	case n.kind == Boolean && n.text == "false":
		return rule, true
	case n.kind == Array && len(n.items) > 0:
		values = n.items
	}
	for _, item := range values {
		if item.kind != Text {
			d.wrong(item.at, "%s: expected a text, an array of texts, or false to remove the field, got %s", rule.Name, item.describe())
			return rule, false
		}
		if item.text == "" || strings.TrimSpace(item.text) != item.text || strings.ContainsFunc(item.text, isControl) {
			d.wrong(item.at, "%s: a field's value is not empty, holds no control characters, and neither begins nor ends with a blank", rule.Name)
			return rule, false
		}
		rule.Values = append(rule.Values, item.text)
	}
	return rule, true
}

// isToken reports whether s is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	const punctuation = "!#$%&'*+-.^_`|~"
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte(punctuation, c) < 0 {
			return false
		}
	}
	return s != ""
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// errorPagesValue gives statuses pages.
type errorPagesValue struct{ p *[]ErrorPage }

func (v errorPagesValue) Type() string     { return "STATUS=FILE" }
func (v errorPagesValue) kinds() Kind      { return Table }
func (v errorPagesValue) Set(string) error { return errTableOnly }

func (v errorPagesValue) String() string {
	texts := make([]string, len(*v.p))
	for i, page := range *v.p {
		texts[i] = strconv.Itoa(page.Status)
	}
	return strings.Join(texts, ", ")
}

func (v errorPagesValue) readTable(d *decoder, n *node) {
	*v.p = nil
	for _, status := range n.names {
		child := n.child(status)
		code, err := strconv.Atoi(status)
		switch {
		case err != nil || len(status) != 3 || code < 400 || code > 599:
			d.wrong(child.key, "%s is no status of an error; they are 400 to 599", quoted(status))
		case child.kind != Text || child.text == "":
			d.wrong(child.at, "%s: expected the file of the page, got %s", status, child.describe())
		case strings.ContainsRune(child.text, 0):
			d.wrong(child.at, "%s: a file's name holds no zero byte", status)
		default:
			*v.p = append(*v.p, ErrorPage{code, under(d.file.dir, child.text)})
			d.note(d.path+".error_pages."+status, child.at)
		}
	}
	slices.SortFunc(*v.p, func(a, b ErrorPage) int { return cmp.Compare(a.Status, b.Status) })
}

func (v errorPagesValue) tableLines() []Line {
	var lines []Line
	for _, page := range *v.p {
		lines = append(lines, Line{Key: strconv.Itoa(page.Status), Value: tomlText(page.File)})
	}
	return lines
}

// errTableOnly is for what no single text can say; only a file has tables.
var errTableOnly = errors.New("only a table in a file says this")

var (
	_ tabled = headersValue{}
	_ tabled = errorPagesValue{}
)

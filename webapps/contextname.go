package webapps

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/archive"
)

// root is the entry's name of the application at "/".
const root = "ROOT"

// maxBase bounds the name of an entry without its ending, in bytes: file systems
// take 255, and names of our own are made from it.
const maxBase = 200

// ContextName says where an application answers and which version it is. This
// file alone knows how it is spelt: as the base name of an entry (shop##2,
// tools#dns, ROOT), as a path of URLs and a version. Two are equal if they mean
// the same. The zero value is the application at "/".
type ContextName struct {
	prefix  string // "" for the root, else "/a/b"
	version string // "" for none
}

// ParseBase reads the base name of an entry: ROOT is the application at "/", "#"
// stands for a slash, and what follows "##" is the version. The error says what
// is wrong with the name and how it may look.
func ParseBase(base string) (ContextName, error) {
	path, version, versioned := strings.Cut(base, "##")
	if versioned && version == "" {
		return ContextName{}, nameError(base, "a version is missing behind ##")
	}
	if strings.Contains(base, "/") {
		return ContextName{}, nameError(base, "in the name of an entry # stands for a slash")
	}
	if len(base) > maxBase {
		return ContextName{}, nameError(base[:20]+"…", fmt.Sprintf("it is longer than %d bytes", maxBase))
	}
	if path == root {
		return newContextName(base, "", version)
	}
	return newContextName(base, "/"+strings.ReplaceAll(path, "#", "/"), version)
}

// ParseName reads what people call an application: as String has it, /shop or
// /shop##2, or as its entry is called, shop, tools#dns or ROOT.
func ParseName(name string) (ContextName, error) {
	if !strings.HasPrefix(name, "/") {
		return ParseBase(name)
	}
	path, version, versioned := strings.Cut(name, "##")
	if versioned && version == "" {
		return ContextName{}, nameError(name, "a version is missing behind ##")
	}
	return ParsePath(path, version)
}

// SplitArchive splits the name of a file into the base name that an application
// would have, and the ending that says which archive it is, "" if it is none.
func SplitArchive(file string) (base, ending string) {
	ending = archive.Ending(file)
	base = strings.TrimSuffix(file, ending)
	if strings.EqualFold(ending, ".whl") {
		base, _, _ = strings.Cut(base, "-") // the distribution's name (PEP 427)
	}
	return base, ending
}

// ParsePath reads a path such as "/", "/shop" or "/a/b/", and a version, which
// may be empty.
func ParsePath(path, version string) (ContextName, error) {
	if !strings.HasPrefix(path, "/") {
		return ContextName{}, nameError(path, "a path begins with a slash")
	}
	c, err := newContextName(path, strings.TrimSuffix(path, "/"), version)
	if err == nil && len(c.Base()) > maxBase {
		return ContextName{}, nameError(path[:min(20, len(path))]+"…", fmt.Sprintf("it is longer than %d bytes", maxBase))
	}
	return c, err
}

// newContextName checks the parts of what was called name.
func newContextName(name, prefix, version string) (ContextName, error) {
	for i := range len(version) {
		if !plain(version[i]) {
			return ContextName{}, nameError(name, fmt.Sprintf("%q cannot stand in a version; letters, digits, and -._~+@ can", version[i:i+1]))
		}
	}
	if prefix != "" {
		for i, element := range strings.Split(prefix[1:], "/") {
			if err := checkElement(element, i); err != nil {
				return ContextName{}, nameError(name, err.Error())
			}
		}
	}
	return ContextName{prefix, version}, nil
}

// checkElement says what is wrong with one element of a path, the i-th.
func checkElement(element string, i int) error {
	switch {
	case element == "":
		return errors.New("an element of the path is empty")
	case element[0] == '.':
		return errors.New("an element of the path begins with a dot, and such names are hidden")
	case element == root && i == 0:
		return errors.New(root + " stands for / and only as the whole name")
	}
	for i := range len(element) {
		if !plain(element[i]) {
			return fmt.Errorf("%q cannot stand in a path; letters, digits, and -._~+@ can", element[i:i+1])
		}
	}
	return nil
}

// plain reports whether c means nothing but itself in URLs, file names and
// cookies. Other letters than those of ASCII have several spellings in all three.
func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~+@", c) >= 0
}

func nameError(name, what string) error {
	return fmt.Errorf("%q is no name of an application: %s", name, what)
}

// Path is where the application answers: "/", or a path without a slash at its
// end.
func (c ContextName) Path() string { return cmp.Or(c.prefix, "/") }

// Prefix is what the paths of its requests begin with, as SCRIPT_NAME has it:
// Path, but "" for the root.
func (c ContextName) Prefix() string { return c.prefix }

// Version is the version, "" for none.
func (c ContextName) Version() string { return c.version }

// Base is the base name of the application's entry, and the name of whatever is
// kept for it.
func (c ContextName) Base() string {
	base := root
	if c.prefix != "" {
		base = strings.ReplaceAll(c.prefix[1:], "/", "#")
	}
	if c.version != "" {
		base += "##" + c.version
	}
	return base
}

// String is the name for people: path and version.
func (c ContextName) String() string {
	if c.version == "" {
		return c.Path()
	}
	return c.Path() + "##" + c.version
}

// Compare orders names by path and then by version, the oldest first: no version
// before any, and numbers in a version by their value, so that 9 is before 10.
func (c ContextName) Compare(d ContextName) int {
	if n := strings.Compare(c.prefix, d.prefix); n != 0 {
		return n
	}
	return compareVersions(c.version, d.version)
}

// compareVersions compares run by run, a run being digits or other bytes.
func compareVersions(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		var p, q string
		p, x = run(x)
		q, y = run(y)
		if digit(p[0]) && digit(q[0]) {
			m, n := strings.TrimLeft(p, "0"), strings.TrimLeft(q, "0")
			if c := cmp.Or(cmp.Compare(len(m), len(n)), strings.Compare(m, n)); c != 0 {
				return c
			}
			continue
		}
		if c := strings.Compare(p, q); c != 0 {
			return c
		}
	}
	// 01 and 1 are of the same value and still two versions.
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(a, b))
}

// run splits off the digits, or the other bytes, that s begins with.
func run(s string) (first, rest string) {
	i := 1
	for i < len(s) && digit(s[i]) == digit(s[0]) {
		i++
	}
	return s[:i], s[i:]
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

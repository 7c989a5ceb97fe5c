package cgi

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/filestate"
	"github.com/seed-07905ac1/gatehouse/internal/nofollow"
)

// startLength is how much of a script is looked at to see what runs it: as much
// as Linux looks at.
const startLength = 256

// A script is a file that a request means, and what is known of it. That it may
// be run is decided by Handler.program.
type script struct {
	path  string // absolute
	name  string // SCRIPT_NAME
	info  string // PATH_INFO, "" or with a slash in front
	file  fs.FileInfo
	start []byte       // of its text
	other http.Handler // answers in place of the script; nil if that is run
}

// find returns the script that the path of r means. The error is a *failure, or
// a fault of the machine.
//
// The path is walked component by component: folders are entered, the first
// regular file is the script, and all that follows is PATH_INFO. So x.jpg/y.py
// never means y.py, and nothing but the file itself says that it is one. A slash
// that is encoded as %2F separates nothing.
func (h *Handler) find(r *http.Request) (*script, error) {
	elements, err := h.elements(r.URL)
	if err != nil {
		return nil, err
	}
	at, err := os.OpenRoot(h.config.Dir)
	if err != nil {
		return nil, notThere(err)
	}
	defer func() { at.Close() }()
	info, err := at.Stat(".")
	if err != nil {
		return nil, notThere(err)
	}
	path := h.config.Dir
	for i, element := range elements {
		if err := trusted(info, path); err != nil {
			return nil, err
		}
		if element == "" && i == len(elements)-1 {
			break
		}
		if element == "" || element[0] == '.' || strings.ContainsAny(element, `/\`) {
			return nil, errNotFound
		}
		path = filepath.Join(path, element)
		seen, err := at.Lstat(element)
		switch {
		case err != nil:
			return nil, notThere(err)
		case seen.Mode().IsRegular():
			s := &script{path: path, name: h.config.Prefix + strings.Join(elements[:i+1], "/")}
			if rest := elements[i+1:]; len(rest) > 0 {
				s.info = "/" + strings.Join(rest, "/")
			}
			if h.config.Divert == nil {
				return s, h.looks.look(s, at, element, seen)
			}
			return s, s.look(at, element, func(script *Script) http.Handler { return h.config.Divert(r, script) })
		case seen.IsDir():
			next, opened, err := nofollow.Folder(at, element)
			if err != nil {
				return nil, notThere(err)
			}
			at.Close()
			at, info = next, opened
		case seen.Mode()&fs.ModeSymlink != 0:
			return nil, forbidden(path+" is a symbolic link, which is not followed", "put the script itself there")
		default:
			return nil, forbidden(path+" is neither a file nor a folder", "")
		}
	}
	return nil, forbidden("", "") // a folder: nothing to run, nothing to list
}

// elements are the decoded elements of the path behind the prefix.
func (h *Handler) elements(u *url.URL) ([]string, error) {
	raw, ok := strings.CutPrefix(u.EscapedPath(), "/")
	if !ok {
		return nil, errNotFound
	}
	elements := strings.Split(raw, "/")
	for i, element := range elements {
		var err error
		if elements[i], err = url.PathUnescape(element); err != nil || strings.IndexByte(elements[i], 0) >= 0 || elements[i] == ".." {
			// Nobody sends ".." who does not hope for something: browsers resolve it.
			return nil, errNotFound
		}
	}
	for prefix := range strings.SplitSeq(strings.Trim(h.config.Prefix, "/"), "/") {
		switch {
		case prefix == "":
		case len(elements) == 0 || elements[0] != prefix:
			return nil, errNotFound
		default:
			elements = elements[1:]
		}
	}
	return elements, nil
}

// look opens the script in its folder and keeps what tells how to run it. divert,
// if it is not nil, is asked about the open file.
func (s *script) look(folder *os.Root, name string, divert func(*Script) http.Handler) error {
	f, info, err := nofollow.File(folder, name)
	if errors.Is(err, fs.ErrPermission) {
		return forbidden("the script cannot be read", "give the user that the server runs as the right to read it")
	}
	if err != nil {
		return notThere(err)
	}
	defer f.Close()
	if err := trusted(info, s.path); err != nil {
		return err
	}
	s.file, s.start = info, make([]byte, startLength)
	n, err := f.ReadAt(s.start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cgi: read %s: %w", s.path, err)
	}
	s.start = s.start[:n]
	if divert != nil {
		s.other = divert(&Script{Path: s.path, Name: s.name, Info: info, Text: f})
	}
	return nil
}

// unchanged reports whether the file at the script's path is the one that was
// looked at. The error is errNotFound if there is none any more.
//
// Between this look and the exec remains a moment. Nobody gains by it: whoever
// can exchange the file may write to its folder (trusted has seen that others
// may not), and could put any script there in the first place. What would close
// it, running the script as /proc/self/fd/N, would take from it what scripts
// rely on: its own name in $0 and __file__, and a table of descriptors that
// holds nothing but the three.
func (s *script) unchanged() (bool, error) {
	info, err := os.Lstat(s.path)
	if err != nil {
		return false, notThere(err)
	}
	return filestate.Same(info, s.file), nil
}

// trusted refuses a script, or a folder of scripts, that others may change: they
// would run what they like with the rights of the server.
func trusted(info fs.FileInfo, path string) error {
	if !filestate.OthersMayChange(info) {
		return nil
	}
	what := "the script"
	if info.IsDir() {
		what = "the folder"
	}
	return forbidden(fmt.Sprintf("%s %s can be changed by others than its owner (mode %04o)", what, path, info.Mode().Perm()),
		"chmod go-w "+path)
}

// notThere turns the error of a look into what the client is told.
func notThere(err error) error {
	if nofollow.Missing(err) {
		return errNotFound
	}
	return fmt.Errorf("cgi: find script: %w", err)
}

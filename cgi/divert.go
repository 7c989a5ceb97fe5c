package cgi

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
)

// errDiverted is what comes of a start when the script became, while the request
// waited for its turn, one that is not run.
var errDiverted = errors.New("cgi: the script is answered for by another handler")

// Refusal says why a request for the path would not come to a script's run, or to
// the handler that Config.Divert has for it; nil if it would. Nothing is run.
func (h *Handler) Refusal(path string) error {
	err := h.config.User.Do(func() error {
		s, err := h.find(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}})
		if err == nil && (s.other == nil || h.config.Off) {
			_, err = h.program(s)
		}
		return err
	})
	if f := (*failure)(nil); errors.As(err, &f) && f.hint != "" {
		return fmt.Errorf("%w; %s", f, f.hint)
	}
	return err
}

// A Script is a file that a request means, as Config.Divert sees it: nobody but
// its owner may change it, nor any folder on the way to it, and there is no
// symbolic link among them.
type Script struct {
	Path string      // absolute
	Name string      // the part of the URL's path that means it: SCRIPT_NAME
	Info fs.FileInfo // of the open file
	Text io.ReaderAt // the open file; not to be used once Divert has returned
}

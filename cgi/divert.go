package cgi

import (
	"errors"
	"io"
	"io/fs"
)

// errDiverted is what comes of a start when the script became, while the request
// waited for its turn, one that is not run.
var errDiverted = errors.New("cgi: the script is answered for by another handler")

// A Script is a file that a request means, as Config.Divert sees it: nobody but
// its owner may change it, nor any folder on the way to it, and there is no
// symbolic link among them.
type Script struct {
	Path string      // absolute
	Name string      // the part of the URL's path that means it: SCRIPT_NAME
	Info fs.FileInfo // of the open file
	Text io.ReaderAt // the open file; not to be used once Divert has returned
}

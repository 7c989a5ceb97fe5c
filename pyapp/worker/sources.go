// Package worker holds the Python side of pyapp: the sources of the modules
// that a worker process runs. They use the standard library of Python 3.8 and
// nothing else; see PROTOCOL.md in the folder above for what they speak.
package worker

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.py
var files embed.FS

// Sources returns the text of each module by its name. The map is the caller's.
func Sources() map[string]string {
	sources := map[string]string{}
	names, err := fs.Glob(files, "*.py")
	if err != nil {
		panic("worker: " + err.Error()) // the pattern is a constant
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic("worker: " + err.Error()) // embedded files are there
		}
		sources[strings.TrimSuffix(name, ".py")] = string(text)
	}
	return sources
}

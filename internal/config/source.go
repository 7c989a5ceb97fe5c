package config

import (
	"fmt"
	"io/fs"
	"slices"
)

// Source is where a configuration comes from: the defaults, then a file, then
// the command line; what comes later wins. It can be loaded again and again; a
// Source that is not changed is safe for concurrent use.
type Source struct {
	// Dir is the project's folder, in which a file is looked for: gatehouse.toml,
	// or the table [tool.gatehouse] of pyproject.toml.
	Dir string
	// Path is the file that somebody named; then none is looked for.
	Path string
	// Flags are what the command line says, in its order.
	Flags []Assignment
	// Trust reports whether nobody with fewer rights than the server can have
	// written a file or folder. A file that was found in Dir may decide what is done
	// with the server's rights only if both are trusted; nil trusts all. One that
	// was named is always trusted.
	Trust func(fs.FileInfo) bool
}

// Assignment is a flag without its dashes and the text that it was given.
type Assignment struct{ Name, Text string }

// Loaded is a configuration and where its values are from.
type Loaded struct {
	Config Config
	// File is the file that was read, as people are to read it; "" for none.
	File string

	origins map[string]Origin
}

// Origin is where a value was set.
type Origin struct {
	File         string // "" for the command line
	Line, Column int    // from 1
}

// Load makes the configuration. The error is a *FileError if the file is to
// blame.
func (s *Source) Load() (*Loaded, error) {
	l := &Loaded{Config: Default(), origins: map[string]Origin{}}
	f, err := s.file()
	if err != nil {
		return nil, err
	}
	if f == nil {
		return l, s.overlay(l)
	}
	l.File = f.path
	if err := f.decode(&l.Config, l.origins, func() error { return s.overlay(l) }); err != nil {
		return nil, err
	}
	return l, nil
}

// overlay puts what the command line says on top.
func (s *Source) overlay(l *Loaded) error {
	values := map[string]Value{}
	for _, s := range Settings() {
		values[s.Name] = s.Value(&l.Config)
	}
	for _, flag := range s.Flags {
		if err := values[flag.Name].Set(flag.Text); err != nil {
			return fmt.Errorf("--%s: %w", flag.Name, err)
		}
		l.origins[flag.Name] = Origin{}
	}
	return nil
}

// file is the file to read; nil if there is none.
func (s *Source) file() (*file, error) {
	if s.Path == "" {
		return find(s.Dir, s.Trust)
	}
	f, err := readFile(s.Path, nil)
	if err == nil && f == nil {
		err = fmt.Errorf("%s has no table [%s]", s.Path, ToolTable)
	}
	return f, err
}

// Origin is where the setting of that name was set; false where it has its
// default.
func (l *Loaded) Origin(name string) (Origin, bool) {
	o, ok := l.origins[name]
	return o, ok
}

// At is the problem that what says about the setting of that name, with its place
// in the file.
func (l *Loaded) At(name, what string) Problem {
	o := l.origins[name]
	return Problem{o.File, o.Line, o.Column, what}
}

// Call is how whoever has set a setting knows it: as the flag, or by its place in the
// file.
func (l *Loaded) Call(name string) string {
	o := l.origins[name]
	if o.File == "" {
		return "--" + name
	}
	s := Setting{Name: name} // of one of several applications or sites, perhaps
	all := Settings()
	if i := slices.IndexFunc(all, func(s Setting) bool { return s.Name == name }); i >= 0 {
		s = all[i]
	}
	return fmt.Sprintf("%s:%d: %s", o.File, o.Line, s.Key())
}

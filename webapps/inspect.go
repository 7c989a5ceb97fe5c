package webapps

import (
	"cmp"
	"path/filepath"
	"slices"
)

// Finding is what an entry of a folder of applications would be deployed as.
type Finding struct {
	Entry   string // file or folder, by its name
	Name    ContextName
	Archive bool // what is in it is known when it is unpacked
	About   string
	Reasons []string // why it is taken for that, with places
	Err     error    // why it cannot be deployed, a *Failure, or no application at all; nil if it can
}

// Inspect says what Open would find in the folder. Nothing is started, unpacked
// or written.
func Inspect(config Config) ([]Finding, error) {
	c, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := guarded(c.Dir); err != nil {
		return nil, err
	}
	entries, problems, err := scan(c.Dir)
	if err != nil {
		return nil, err
	}
	var all []Finding
	for _, e := range entries {
		f := Finding{Entry: e.file, Name: e.name, Archive: e.archive, About: "an archive"}
		if !e.archive {
			f.look(e, c.Load)
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Finding) int { return a.Name.Compare(b.Name) })
	for _, p := range problems {
		all = append(all, Finding{Entry: p.Entry, Err: p.Err})
	}
	return all, nil
}

// look fills in what is known of a folder.
func (f *Finding) look(e *entry, load func(ContextName, string) (App, error)) {
	dir, err := filepath.EvalSymlinks(e.path)
	var app App
	if err == nil {
		err = guarded(dir)
	}
	if err == nil {
		app, err = load(e.name, dir)
	}
	var what found
	if err == nil {
		what, err = recognise(dir, &app)
	}
	if err != nil {
		f.About, f.Err = "", newFailure(e.name, err)
		return
	}
	f.About = what.about
	if what.wsgi == nil {
		return
	}
	f.About = cmp.Or(string(what.wsgi.Framework), f.About) + " " + what.wsgi.App
	for _, r := range what.wsgi.Reasons {
		f.Reasons = append(f.Reasons, r.String())
	}
}

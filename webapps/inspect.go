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
	User    string   // whom it would run as, "" for who the server is
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
	entries, problems, err := c.scan()
	if err != nil {
		return nil, err
	}
	var all []Finding
	for _, e := range entries {
		f := Finding{Entry: e.file, Name: e.name, Archive: e.archive, About: "an archive"}
		if !e.archive {
			f.look(e, &c)
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
func (f *Finding) look(e *entry, c *Config) {
	var what found
	a, err := c.accountOf(e.name, e.owners)
	if err == nil {
		err = a.do(func() error {
			dir, err := filepath.EvalSymlinks(e.path)
			if err != nil {
				return err
			}
			app, err := c.load(e.name, dir)
			if err == nil {
				what, err = recognise(dir, &app)
			}
			return err
		})
	}
	if err != nil {
		f.About, f.Err = "", a.explain(newFailure(e.name, err))
		return
	}
	f.About = what.about
	if a != nil {
		f.User = a.Name
	}
	if what.wsgi == nil {
		return
	}
	f.About = cmp.Or(string(what.wsgi.Framework), f.About) + " " + what.wsgi.App
	for _, r := range what.wsgi.Reasons {
		f.Reasons = append(f.Reasons, r.String())
	}
}

package config

import (
	"fmt"
	"slices"
)

// Inherit gives settings that l has no value for those of a configuration that
// stands above it, and returns their names. Only scalar settings can be
// inherited: an environment, or a list, is never mixed from two places.
func (l *Loaded) Inherit(above *Config, which func(*Setting) bool) []string {
	std := Default()
	var names []string
	for _, s := range Settings() {
		own := s.Value(&l.Config)
		if _, set := l.origins[s.Name]; set || own == nil || kindsOf(own)&(Table|Array) != 0 || !which(&s) {
			continue
		}
		text := s.Value(above).String()
		if text == s.Value(&std).String() {
			continue
		}
		if err := own.Set(text); err != nil {
			panic(fmt.Sprintf("config: %s: its own value %q: %v", s.Name, text, err)) // every value reads back
		}
		names = append(names, s.Name)
	}
	return names
}

// Override gives l the values that the table [apps.NAME] of above has, whatever l
// says itself. Variables, processes and interpreters are added to those that are there, in
// the place of those of their names; other lists are replaced.
func (l *Loaded) Override(above *Loaded, name string) {
	i := slices.IndexFunc(above.Config.Apps, func(a NamedApp) bool { return a.Name == name })
	if i < 0 {
		return
	}
	app := above.Config.Apps[i]
	from := &Config{App: app.App, CGI: app.CGI, Pages: app.Pages}
	for _, p := range everyPlace() {
		origin, said := above.origins["apps."+name+"."+p.Key()]
		if p.table != appsTable || p.bind == nil || !said {
			continue
		}
		own, value := p.Value(&l.Config), p.Value(from)
		texts := []string{value.String()}
		if list, ok := value.(listed); ok {
			texts = list.elements()
		}
		if table, ok := own.(merged); ok {
			table.merge(value)
			texts = nil
		}
		for _, text := range texts {
			if err := own.Set(text); err != nil {
				panic(fmt.Sprintf("config: %s: its own value %q: %v", p.Name, text, err)) // every value reads back
			}
		}
		l.origins[p.Name] = origin
	}
}

// A merged Value is a table of named things.
type merged interface {
	// merge adds those of another, each in the place of one of its name.
	merge(from Value)
}

// merge implements merged.
func (v *variablesValue) merge(from Value) {
	more := *from.(*variablesValue).p
	kept := slices.DeleteFunc(slices.Clone(*v.p), func(old Variable) bool {
		return slices.ContainsFunc(more, func(m Variable) bool { return m.Name == old.Name })
	})
	*v.p = append(kept, more...)
}

package config

import "fmt"

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

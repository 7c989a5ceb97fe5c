package webapps

import (
	"maps"
	"os"
	"slices"
	"strings"
)

// inherited are the variables that every application gets from the server's
// environment: what any program needs to find its way on a machine. All others
// are the server's, and may be another application's secrets.
var inherited = []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE"}

// environment is that of an application: what is inherited, then who it runs as,
// what was found and what is configured, each counting more than what stands before
// it. Each name is there once: programs do not agree which of two counts.
func environment(a *Account, found, configured []string, data string) []string {
	values := map[string]string{}
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); slices.Contains(inherited, name) || strings.HasPrefix(name, "LC_") {
			values[name] = value
		}
	}
	for _, pair := range slices.Concat(a.env(), found, configured, []string{DataVariable + "=" + data}) {
		name, value, _ := strings.Cut(pair, "=")
		values[name] = value
	}
	env := make([]string, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		env = append(env, name+"="+values[name])
	}
	return env
}

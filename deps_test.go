package gatehouse_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// floors is the import policy of the house: what each package may import from
// this module and from other modules, tests aside. A package that is missing
// here, or an import that its line does not name, fails the test: whoever adds
// one writes it down here, with its reason in the commit.
//
// Two towers: the engine (root, internal/http1) and the handlers (static,
// pyapp). A handler never imports the engine and works in a stock net/http
// server; the engine knows no handler. They meet in internal/daemon. Only
// daemon and cmd know the configuration.
const floors = `
# floor 0: standard library, and what stands in the line
internal/http1:
internal/http1/http1test:
internal/requestid:
internal/recorder:
internal/errorpage:   internal/requestid
internal/router:
internal/archive:     internal/asuser
internal/turnstile:
internal/bell:
internal/wording:
internal/logbook:
internal/unixsocket:
internal/terminal:    golang.org/x/term
internal/marshal:
internal/fieldline:
internal/metavar:
internal/nofollow:
internal/filestate:
internal/bounded:
internal/unlinked:
internal/owncookies:
internal/asuser:
internal/privileges:
internal/pyproc:      internal/asuser internal/confine internal/marshal internal/privileges
internal/cgroup:
internal/cgroup/cgrouptest: internal/cgroup
internal/confine:     internal/cgroup
internal/detect:
internal/spelling:
internal/cron:
internal/lifeline:
internal/config:      internal/cron internal/spelling github.com/pelletier/go-toml/v2 github.com/pelletier/go-toml/v2/unstable
internal/watch:       github.com/fsnotify/fsnotify

# floor 1: the engine, the handlers, the middleware
.:                    internal/http1 internal/unixsocket
static:               internal/asuser internal/errorpage internal/nofollow internal/requestid
cgi:                  cgi/compat internal/bounded internal/confine internal/errorpage internal/fieldline internal/filestate internal/lifeline internal/marshal internal/metavar internal/nofollow internal/pyproc internal/requestid internal/unlinked
pyapp:                internal/bounded internal/confine internal/errorpage internal/fieldline internal/marshal internal/metavar internal/requestid internal/pyproc internal/unlinked pyapp/worker
pyapp/worker:
cgi/compat:
accesslog:            internal/recorder internal/requestid
forwarded:            internal/requestid
metrics:              internal/recorder

# floor 2: what handlers are made of
pagescript:           cgi pyapp internal/detect internal/errorpage internal/filestate internal/requestid
webapps:              cgi internal/archive internal/asuser internal/bell internal/confine internal/cron internal/detect internal/errorpage internal/filestate internal/lifeline internal/metavar internal/owncookies internal/privileges internal/router internal/turnstile internal/watch metrics pagescript pyapp static

# floor 3: what looks after all of them
internal/control:     internal/archive internal/filestate internal/logbook internal/spelling metrics pyapp webapps
internal/manager:     internal/archive internal/logbook internal/wording metrics pyapp webapps golang.org/x/crypto/argon2 golang.org/x/time/rate

# floor 4: where the towers meet
internal/daemon:      . static cgi pyapp pagescript webapps accesslog forwarded internal/asuser internal/bell internal/cgroup internal/config internal/control internal/detect internal/errorpage internal/filestate internal/logbook internal/manager internal/owncookies internal/recorder internal/router internal/spelling internal/terminal internal/turnstile internal/unixsocket internal/watch internal/wording metrics

# floor 5: the command
cmd/gatehouse:        internal/daemon internal/config internal/control internal/manager internal/spelling internal/terminal internal/wording github.com/spf13/cobra github.com/spf13/pflag

# test help and tools beside the house
internal/testserver:  .
internal/behaviour:
bench:
e2e:
`

const module = "github.com/seed-07905ac1/gatehouse"

func TestFloors(t *testing.T) {
	allowed := map[string][]string{}
	for line := range strings.Lines(floors) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, imports, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("floors: line without a colon: %s", line)
		}
		allowed[name] = strings.Fields(imports)
	}
	std := map[string]bool{}
	for path := range strings.FieldsSeq(goList(t, "std")) {
		std[path] = true
	}
	dec := json.NewDecoder(strings.NewReader(goList(t, "-pgo=off", "-json=ImportPath,Imports", "./...")))
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := short(p.ImportPath)
		may, ok := allowed[name]
		if !ok && !strings.HasPrefix(name, "examples/") {
			t.Errorf("package %s has no line in floors", name)
		}
		for _, imp := range p.Imports {
			imp = short(imp)
			if ok && !std[imp] && imp != "C" && !slices.Contains(may, imp) {
				t.Errorf("%s imports %s, which its line in floors does not name", name, imp)
			}
			if imp == "C" {
				t.Errorf("%s uses cgo; the binary is static", name)
			}
		}
	}
}

// short names a package of this module by its folder, the root as ".".
func short(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

func goList(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list %v: %v\n%s", args, err, exit.Stderr)
		}
		t.Fatal(err)
	}
	return string(out)
}

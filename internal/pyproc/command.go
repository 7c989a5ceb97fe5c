package pyproc

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/asuser"
	"github.com/seed-07905ac1/gatehouse/internal/confine"
	"github.com/seed-07905ac1/gatehouse/internal/marshal"
)

// Command describes a template process. It is not changed by Start.
type Command struct {
	// Python is the interpreter: a path, or a name looked up in PATH.
	Python string
	// Dir is the working directory and the first entry of the module path. It
	// must be absolute.
	Dir string
	// Env is the whole environment, "KEY=value" each; nil means the server's.
	Env []string
	// User is whom the process and all it starts run as; nil means the server's
	// own user.
	User *User
	// NewPrivileges lets programs with the set-user-ID or set-group-ID bit, or with
	// capabilities of their file, give what the process starts their own rights.
	NewPrivileges bool
	// Cell is where the process is, and all it starts; nil for none.
	Cell *confine.Cell
	// Service names the entry in Modules that has load(settings) and
	// serve(settings, number, files).
	Service string
	// Modules holds the source texts of the service's modules, by module name.
	// They are importable from one another with relative imports.
	Modules map[string]string
	// Settings reaches load and serve; it has a text "dir" at least.
	Settings map[string]string
	// Stdout and Stderr receive what the process prints; nil discards it. Start
	// does not close them.
	Stdout, Stderr *os.File
	// Patience is how long an order to the template may take, such as a fork. One
	// that has not answered by then is stopped or stuck and never will: it is
	// ended, and orders get ErrEnded. 0 means DefaultPatience.
	Patience time.Duration
}

// DefaultPatience is how long an order may take where nobody says: forking tens
// of gigabytes takes less than a second.
const DefaultPatience = 5 * time.Second

// User is an identity to run as.
type User = asuser.User

var (
	//go:embed boot.py
	bootSource string
	//go:embed template.py
	templateSource string
)

// starter is all that stands on the interpreter's command line: it must be
// understood by any Python, the refused ones included. The rest comes through
// standard input, so no file of ours has to be readable by the process's user. The
// folder is not on the module path while our own modules are imported: a file in it
// that is called like one of the standard library would be taken for that.
const starter = `import sys
if sys.path[:1] == [""]: del sys.path[0]
if sys.version_info < (3, 8): sys.exit("this is Python %d.%d; Gatehouse needs 3.8 or later" % sys.version_info[:2])
import marshal
boot = marshal.loads(sys.stdin.buffer.read())
exec(compile(boot["boot"], "<gatehouse>/boot.py", "exec"))
`

// Start starts the template process and returns before it has loaded the
// service: see Template.Ready. The caller calls Close in the end. The error is
// a *Failure if the interpreter cannot be started.
func Start(c Command) (*Template, error) {
	if !supported {
		return nil, fmt.Errorf("pyproc: start %s: %w on this system", c.Python, errors.ErrUnsupported)
	}
	control, theirs, err := SocketPair()
	if err != nil {
		return nil, fmt.Errorf("pyproc: control socket: %w", err)
	}
	defer theirs.Close()
	lifeline, life, err := os.Pipe()
	if err != nil {
		control.Close()
		return nil, fmt.Errorf("pyproc: lifeline: %w", err)
	}
	defer lifeline.Close()

	cmd := exec.Command(c.Python, "-c", starter)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	cmd.Stdin = strings.NewReader(c.boot())
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	if c.Stderr != nil {
		cmd.Stderr = c.Stderr
	}
	cmd.ExtraFiles = []*os.File{theirs, lifeline} // descriptors 3 and 4
	cmd.SysProcAttr = attributes(c.User)
	t := &Template{cmd: cmd, user: c.User, cell: c.Cell, mayGain: c.NewPrivileges, control: control, lifeline: life, patience: cmp.Or(c.Patience, DefaultPatience), done: make(chan struct{})}
	if err := t.start(); err != nil {
		control.Close()
		life.Close()
		if errors.Is(err, confine.ErrUnlimited) {
			return nil, fmt.Errorf("pyproc: start %s: %w", c.Python, err)
		}
		return nil, &Failure{Path: c.Python, Exception: unwrapPath(err).Error()}
	}
	return t, nil
}

// unwrapPath takes the operation and the path off an error of os and os/exec:
// the caller names the interpreter itself.
func unwrapPath(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return e.Err
	}
	return err
}

// boot returns the value that the starter loads.
func (c *Command) boot() string {
	sources := maps.Clone(c.Modules)
	if sources == nil {
		sources = map[string]string{}
	}
	sources["template"] = templateSource
	b := marshal.BeginDict(nil)
	for _, pair := range [][2]string{{"boot", bootSource}, {"dir", c.Dir}, {"service", c.Service}} {
		b = marshal.AppendText(b, pair[0])
		b = marshal.AppendText(b, pair[1])
	}
	b = appendDict(marshal.AppendText(b, "sources"), sources)
	b = appendDict(marshal.AppendText(b, "settings"), c.Settings)
	return string(marshal.EndDict(b))
}

func appendDict(dst []byte, m map[string]string) []byte {
	dst = marshal.BeginDict(dst)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		dst = marshal.AppendText(dst, k)
		dst = marshal.AppendText(dst, m[k])
	}
	return marshal.EndDict(dst)
}

// packetConn turns a socket's file, which it closes, into a connection.
func packetConn(f *os.File) (*net.UnixConn, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, fmt.Errorf("%T is not a Unix socket", c)
	}
	return u, nil
}

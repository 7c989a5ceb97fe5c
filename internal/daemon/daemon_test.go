package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/accesslog"
	"github.com/seed-07905ac1/gatehouse/forwarded"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/static"
)

// lines is a writer that hands every write to a reader.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func newLines() *lines { return &lines{more: make(chan struct{}, 1)} }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits for a line that matches and returns it.
func (l *lines) await(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	timer := time.NewTimer(20 * time.Second)
	defer timer.Stop()
	for {
		if found := re.FindString(l.String()); found != "" {
			return found
		}
		select {
		case <-l.more:
		case <-timer.C:
			t.Fatalf("nobody wrote %s, but:\n%s", pattern, l)
		}
	}
}

// A daemon serves until its context ends. A trusted proxy in front is believed.
func TestServe(t *testing.T) {
	cfg := config.Default()
	cfg.Listen = []string{"127.0.0.1:0"}
	cfg.Static.Dir = folderWith(t, "a.txt", "a page")
	cfg.TrustedProxies = []string{"127.0.0.1"}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, errOut := newLines(), newLines()
	ended := make(chan error, 1)
	go func() { ended <- daemon.Serve(ctx, &cfg, daemon.Streams{Out: out, Err: errOut}) }()
	url := errOut.await(t, `http://[^ ]+/`)

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"a.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	transport := &http.Transport{}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	transport.CloseIdleConnections()
	if err != nil || string(body) != "a page" {
		t.Errorf("body %q, %v", body, err)
	}
	out.await(t, `203\.0\.113\.9 - - .* 200 6 `)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
	errOut.await(t, `stopped +after .*, 1 request, 6 bytes sent`)
}

// Middleware that nobody needs is not there.
func TestChain(t *testing.T) {
	for _, tt := range []struct {
		name    string
		access  string
		trusted []string
		bare    bool
	}{
		{"no log", "off", nil, true},
		{"no log behind a proxy", "off", []string{"127.0.0.1"}, true},
		{"log", "-", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config.Default()
			cfg.Static.Dir, cfg.Log.Access, cfg.TrustedProxies = t.TempDir(), tt.access, tt.trusted
			chain, files, end, err := daemon.Chain(&cfg)
			if err != nil {
				t.Fatal(err)
			}
			if bare := chain == files; bare != tt.bare {
				t.Errorf("requests reach the files directly: %v, want %v", bare, tt.bare)
			}
			if err := end(); err != nil {
				t.Error(err)
			}
		})
	}
}

// What the table of settings says about the library is true: the fields exist,
// and the defaults are the library's own.
func TestSettingsMatchLibrary(t *testing.T) {
	types := map[string]reflect.Type{
		"gatehouse.Server": reflect.TypeFor[gatehouse.Server](),
		"static.Config":    reflect.TypeFor[static.Config](),
		"pyapp.Config":     reflect.TypeFor[pyapp.Config](),
		"forwarded.Trust":  reflect.TypeFor[forwarded.Trust](),
		"accesslog.Format": reflect.TypeFor[accesslog.Format](),
	}
	functions := map[string]any{"gatehouse.Listen": gatehouse.Listen, "accesslog.Open": accesslog.Open}
	for _, s := range config.Settings() {
		if _, ok := functions[s.Field]; s.Field == "" || ok || types[s.Field] != nil {
			continue
		}
		dot := strings.LastIndexByte(s.Field, '.')
		typ := types[s.Field[:dot]]
		if typ == nil {
			t.Errorf("%s: no type %s", s.Name, s.Field[:dot])
			continue
		}
		_, isField := typ.FieldByName(s.Field[dot+1:])
		_, isMethod := reflect.PointerTo(typ).MethodByName(s.Field[dot+1:])
		if !isField && !isMethod {
			t.Errorf("%s: no field or method %s", s.Name, s.Field)
		}
	}

	c := config.Default()
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"head-timeout", c.Engine.HeadTimeout, gatehouse.DefaultHeadTimeout},
		{"body-stall-timeout", c.Engine.BodyStall, gatehouse.DefaultBodyStallTimeout},
		{"write-stall-timeout", c.Engine.WriteStall, gatehouse.DefaultWriteStallTimeout},
		{"idle-timeout", c.Engine.IdleTimeout, gatehouse.DefaultIdleTimeout},
		{"threads", c.App.Threads, pyapp.DefaultThreads},
		{"slow", c.App.Slow, pyapp.DefaultSlow},
		{"timeout", c.App.Timeout, pyapp.DefaultTimeout},
		{"stall-timeout", c.App.StallTimeout, pyapp.DefaultStallTimeout},
		{"start-timeout", c.App.StartTimeout, pyapp.DefaultStartTimeout},
		{"max-body", int(c.App.MaxBody), pyapp.DefaultMaxBody},
		{"spool-memory", int(c.App.SpoolMemory), pyapp.DefaultSpoolMemory},
		{"response-spool", int(c.App.ResponseSpool), pyapp.DefaultResponseSpool},
		{"queue", c.App.Queue, pyapp.DefaultQueuePerWorker},
		{"queue-wait", c.App.QueueWait, pyapp.DefaultQueueWait},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: default %v, the library's is %v", tt.name, tt.got, tt.want)
		}
	}
}

// The engine gets what the configuration says; its zero is the engine's "none".
func TestEngine(t *testing.T) {
	c := config.Default()
	c.Engine.IdleTimeout = 0
	c.Engine.Head = 4 * config.KB
	srv := daemon.Engine(&c)
	if srv.IdleTimeout >= 0 || srv.HeadTimeout != 20*time.Second || srv.MaxHead != 4096 || srv.MaxFields != 100 || srv.Name != "Gatehouse" {
		t.Errorf("engine %v %v %d %d %q is not what was configured", srv.IdleTimeout, srv.HeadTimeout, srv.MaxHead, srv.MaxFields, srv.Name)
	}
}

func TestListenError(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	for _, tt := range []struct {
		name, addr string
		err        error
		line, hint string
		usage      bool
	}{
		{"reserved port", "127.0.0.1:80", &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)},
			"cannot listen on 127.0.0.1:80: permission denied", "ports below 1024 need root", false},
		{"taken", ":8000", &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)},
			"cannot listen on :8000: address already in use", "another program has that port", false},
		{"foreign address", "192.0.2.1:1", &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)},
			"cannot listen on 192.0.2.1:1: cannot assign requested address", "no address of this machine", false},
		{"unknown host", "nowhere:1", &net.OpError{Op: "listen", Err: &net.DNSError{Err: "no such host", Name: "nowhere"}},
			"cannot listen on nowhere:1: no such host", "is the host name right?", false},
		{"no port", "here", &net.OpError{Op: "listen", Err: &net.AddrError{Err: "missing port in address", Addr: "here"}},
			"cannot listen on here: missing port in address", "write host:port", true},
		{"socket in use", "unix:" + socket, &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)},
			"cannot listen on unix:" + socket + ": address already in use", "another server answers there", false},
		{"anything else", ":1", errors.New("the moon is wrong"), "cannot listen on :1: the moon is wrong", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := daemon.ListenError(tt.addr, tt.err)
			if e.Error() != tt.line || !strings.Contains(e.Hint, tt.hint) || e.Usage != tt.usage {
				t.Errorf("%q, hint %q, usage %v; want %q, %q, %v", e, e.Hint, e.Usage, tt.line, tt.hint, tt.usage)
			}
		})
	}
}

func TestAccountFor(t *testing.T) {
	// A folder that somebody without rights owns: ours already, unless we are root.
	owned := t.TempDir()
	if os.Geteuid() == 0 {
		if err := os.Chown(owned, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, dir, user string
		euid            int
		as              bool // somebody else than the server
		warns           bool
		fails           string
	}{
		{"not root", "/", "", 1000, false, false, ""},
		{"root, folder of root", "/", "", 0, false, true, ""},
		{"root, folder of somebody", owned, "", 0, true, false, ""},
		{"root, user named", "/", "nobody", 0, true, false, ""},
		{"root, root named", "/", "root", 0, false, false, ""},
		{"not root, user named", "/", "nobody", 1000, false, false, "cannot run as nobody: only root can become another user"},
		{"user unknown", "/", "no-such-user", 0, false, false, "cannot run as no-such-user: no such user"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			who, warning, err := daemon.AccountFor(tt.dir, tt.user, tt.euid)
			if err != nil || tt.fails != "" {
				if err == nil || err.Error() != tt.fails {
					t.Errorf("error %v, want %s", err, tt.fails)
				}
				return
			}
			if (who != nil) != tt.as || (warning != "") != tt.warns {
				t.Errorf("runs as %v with warning %q; want somebody else: %v, warning: %v", who, warning, tt.as, tt.warns)
			}
			if who != nil && (who.UID == 0 || who.GID == 0) {
				t.Errorf("runs as %d:%d", who.UID, who.GID)
			}
		})
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{daemon.Seconds(600 * time.Millisecond), "0.6 s"},
		{daemon.Seconds(90 * time.Second), "1 min 30 s"},
		{daemon.Seconds(26 * time.Hour), "26 h 0 min"},
		{daemon.Amount(1), "1 byte"},
		{daemon.Amount(999), "999 bytes"},
		{daemon.Amount(12_345), "12.3 kB"},
		{daemon.Amount(12_345_678), "12.3 MB"},
		{daemon.Amount(12_345_678_901), "12.3 GB"},
		{daemon.Count(0, "folder"), "0 folders"},
		{daemon.Count(1, "folder"), "1 folder"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func TestScreen(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fancy bool
		text  string
		want  string
	}{
		{"plain", false, "/a → 2 × b…", "serving    /a -> 2 x b...\n"},
		{"terminal", true, "/a → b", "\x1b[32mserving    \x1b[0m/a → b\n"},
		{"a folder's name moves the cursor", true, "\x1b[2J\r\u009b\xff", "\x1b[32mserving    \x1b[0m?[2J??\ufffd\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			daemon.Say(&out, tt.fancy, "serving", tt.text)
			if out.String() != tt.want {
				t.Errorf("%q, want %q", out.String(), tt.want)
			}
		})
	}
}

// TestMain fails if a daemon leaves goroutines behind.
func TestMain(m *testing.M) {
	code := m.Run()
	stacks := make([]byte, 1<<20)
	for deadline := time.Now().Add(5 * time.Second); ; runtime.Gosched() {
		left := stacks[:runtime.Stack(stacks, true)]
		if !bytes.Contains(left, []byte("gatehouse/internal/daemon.(")) && !bytes.Contains(left, []byte("gatehouse.(*")) {
			break
		}
		if time.Now().After(deadline) {
			os.Stderr.Write(left)
			os.Exit(1)
		}
	}
	os.Exit(code)
}

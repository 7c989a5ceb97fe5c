package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for something that should come at once.
const patience = 20 * time.Second

// serversKey finds a script's servers among its values.
type serversKey struct{}

func servers(ts *testscript.TestScript) map[string]*server {
	return ts.Value(serversKey{}).(map[string]*server)
}

func named(ts *testscript.TestScript, name string) *server {
	s := servers(ts)[name]
	if s == nil {
		ts.Fatalf("no server %q was started", name)
	}
	return s
}

// want refuses a command that is negated or has too few arguments.
func want(ts *testscript.TestScript, neg bool, args []string, least int) {
	if neg || len(args) < least {
		ts.Fatalf("usage: see TestScripts")
	}
}

func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1)
	var env []string
	for _, name := range []string{"PATH", "HOME", "NO_COLOR", "LANG", "VIRTUAL_ENV", "TMPDIR", "XDG_RUNTIME_DIR", systemFolder} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	s := newServer(ts.MkAbs("."), env, args[1:])
	ts.Check(s.start())
	ts.Defer(s.kill)
	servers(ts)[args[0]] = s
}

func scriptServe(ts *testscript.TestScript, neg bool, args []string) {
	scriptStart(ts, neg, args)
	s := named(ts, args[0])
	address := regexp.MustCompile(`http://[^\s"]+/|unix:[^\s"]+`)
	text, err := s.await(address, s.errOut)
	if err != nil {
		ts.Fatalf("%v; it wrote:\n%s", err, text)
	}
	ts.Setenv(args[0]+"_URL", strings.TrimSuffix(address.FindString(text), "/"))
}

func scriptAwait(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2)
	s := named(ts, args[0])
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	if text, err := s.await(pattern, s.errOut, s.out); err != nil {
		ts.Fatalf("%v; it wrote:\n%s", err, text)
	}
}

func scriptSignal(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2)
	s := named(ts, args[0])
	for _, name := range args[1:] {
		sig, ok := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1, "QUIT": syscall.SIGQUIT, "KILL": syscall.SIGKILL}[name]
		if !ok {
			ts.Fatalf("unknown signal %s", name)
		}
		ts.Check(s.cmd.Process.Signal(sig))
	}
}

func scriptEnded(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2)
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	s := named(ts, args[0])
	got, err := s.end()
	fmt.Fprint(ts.Stdout(), s.out.String())
	fmt.Fprint(ts.Stderr(), s.errOut.String())
	if err != nil {
		ts.Fatalf("%v; it wrote:\n%s", err, s.errOut.String())
	}
	if got != status {
		ts.Fatalf("exit status %d, want %d; it wrote:\n%s", got, status, s.errOut.String())
	}
}

// dial connects to http://host:port or unix:path, wherever a URL leads.
func dial(ctx context.Context, url string) (net.Conn, error) {
	var d net.Dialer
	if path, ok := strings.CutPrefix(url, "unix:"); ok {
		path, _, _ = strings.Cut(path, "//")
		return d.DialContext(ctx, "unix", path)
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	return d.DialContext(ctx, "tcp", host)
}

// path is the request target of a URL: below a socket it stands behind "//".
func path(url string) string {
	if strings.HasPrefix(url, "unix:") {
		_, p, _ := strings.Cut(url, "//")
		return "/" + p
	}
	_, p, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	return "/" + p
}

func scriptGet(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1)
	request(ts, http.MethodGet, args[0], "", args[1:])
}

func scriptPost(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2)
	request(ts, http.MethodPost, args[0], args[1], args[2:])
}

// request makes a request and writes what is answered.
func request(ts *testscript.TestScript, method, url, body string, fields []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, url) },
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://example.com"+path(url), strings.NewReader(body))
	ts.Check(err)
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
	resp, err := transport.RoundTrip(r)
	ts.Check(err)
	defer resp.Body.Close()
	fmt.Fprintf(ts.Stderr(), "%s %s\n", resp.Proto, resp.Status)
	ts.Check(resp.Header.Write(ts.Stderr()))
	_, err = io.Copy(ts.Stdout(), resp.Body)
	ts.Check(err)
}

func scriptHold(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := dial(ctx, args[0])
	ts.Check(err)
	ts.Defer(func() { c.Close() })
	_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: example.com\r\n\r\n", path(args[0]))
	ts.Check(err)
	// One byte of the answer says that the request is under way.
	ts.Check(c.SetReadDeadline(time.Now().Add(patience)))
	_, err = c.Read(make([]byte, 1))
	ts.Check(err)
}

func scriptRefused(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		c, err := dial(ctx, args[0])
		if ctx.Err() != nil {
			ts.Fatalf("%s still accepts connections", args[0])
		}
		if err != nil {
			return
		}
		c.Close()
	}
}

func scriptTaken(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2)
	port := args[0][strings.LastIndexByte(args[0], ':')+1:]
	if err := ts.Exec(args[1], append(args[2:], port)...); err == nil {
		ts.Fatalf("the command was happy with a port that is taken")
	}
}

func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2)
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

func scriptAppears(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1)
	for deadline := time.Now().Add(patience); ; {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && (len(args) == 1 || strings.Contains(string(text), args[1])) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s does not appear: %q, %v", args, text, err)
		}
	}
}

// mark is an environment variable by which the children of one server are known.
func mark() string {
	return fmt.Sprintf("GATEHOUSE_TEST_SERVER=%d-%d", os.Getpid(), time.Now().UnixNano())
}

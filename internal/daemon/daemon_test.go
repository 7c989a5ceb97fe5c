package daemon_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
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
		headers []config.HeaderRule
		bare    bool
	}{
		{"no log", "off", nil, nil, true},
		{"no log behind a proxy", "off", []string{"127.0.0.1"}, nil, true},
		{"log", "-", nil, nil, false},
		{"fields of answers", "off", nil, []config.HeaderRule{{Name: "X-A", Values: []string{"a"}}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config.Default()
			cfg.Static.Dir, cfg.Log.Access, cfg.TrustedProxies, cfg.Headers = t.TempDir(), tt.access, tt.trusted, tt.headers
			chain, files, end, err := daemon.Chain(&cfg)
			if err != nil {
				t.Fatal(err)
			}
			if bare := chain == files; bare != tt.bare {
				t.Errorf("requests reach the files directly: %v, want %v", bare, tt.bare)
			}
			w := httptest.NewRecorder()
			chain.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/nothing", nil))
			if got := w.Header().Get("X-A") == "a"; got != (tt.headers != nil) {
				t.Errorf("the answer has the field: %v", got)
			}
			if err := end(); err != nil {
				t.Error(err)
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

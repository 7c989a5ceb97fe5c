package daemon_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// openIn are the names of the files in dir that this process has open.
func openIn(t *testing.T, dir string) []string {
	t.Helper()
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range descriptors {
		target, err := os.Readlink("/proc/self/fd/" + d.Name())
		if err == nil && filepath.Dir(target) == dir { // else it is that of the listing
			names = append(names, filepath.Base(target))
		}
	}
	slices.Sort(names)
	return names
}

// A log that a reload has replaced is closed when the last request that is to be
// written there has been, and no sooner.
func TestReplacedAccessLogs(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	held, hold := make(chan struct{}), make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			close(held)
			<-hold
		}
		fmt.Fprint(w, "x")
	})
	c := config.Default()
	log := func(i int) string { return filepath.Join(dir, fmt.Sprint(i)) }
	c.Log.Access = log(0)
	f, c, err := daemon.OpenFront(c)
	if err != nil {
		t.Fatal(err)
	}
	f.Serve(h)
	defer f.Close()
	address := f.Addresses()[0]
	dial := func() *testserver.Client {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		return testserver.NewClient(t, conn)
	}
	slow, quick := dial(), dial()
	slow.Send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
	<-held
	change := func(i int) <-chan struct{} {
		t.Helper()
		c.Log.Access = log(i)
		closed, err := f.Change(c, h)
		if err != nil {
			t.Fatal(err)
		}
		return closed
	}
	first := change(1)
	for i := 2; i < 6; i++ {
		quick.Roundtrip(fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i-1))
		<-change(i)
	}
	if got := openIn(t, dir); !slices.Equal(got, []string{"0", "5"}) {
		t.Errorf("open while a request is under way: %v, want its log and the present one", got)
	}
	close(hold)
	slow.Response(http.MethodGet)
	<-first
	// What no handler sees is written to the present one, on old connections too.
	quick.Send("NONSENSE\r\n\r\n")
	quick.Response(http.MethodGet)
	quick.Closed()
	if got := openIn(t, dir); !slices.Equal(got, []string{"5"}) {
		t.Errorf("open at the end: %v, want the present one alone", got)
	}
	if n := f.Totals(); n != 6 {
		t.Errorf("%d requests, want 6", n)
	}
	f.Close()
	for i, want := range []string{"GET /hold ", "GET /1 ", "GET /2 ", "GET /3 ", "GET /4 ", "NONSENSE"} {
		text, err := os.ReadFile(log(i))
		if err != nil || strings.Count(string(text), "\n") != 1 || !strings.Contains(string(text), want) {
			t.Errorf("log %d: %q, %v; want one line with %q", i, text, err, want)
		}
	}
}

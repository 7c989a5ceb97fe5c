package pyapp_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// Variables that change how the hard tests run.
const (
	// soakVariable, set to anything, makes them long: see "make soak".
	soakVariable = "GATEHOUSE_SOAK"
	// seedVariable is the seed of the chaos test: what it printed when it failed.
	seedVariable = "GATEHOUSE_CHAOS_SEED"
)

// soaking chooses between what "make soak" has time for and what every test run
// has.
func soaking[T any](long, short T) T {
	if os.Getenv(soakVariable) != "" {
		return long
	}
	return short
}

// TestChaos has workers killed, stopped and filled, templates killed and code
// reloaded, broken code too, while clients of every temper ask. Each request
// must be answered, with its own answer, or fail clearly; none may run twice; and
// in the end all is as it was.
func TestChaos(t *testing.T) {
	seed := rand.Uint64()
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s=%d", seedVariable, seed)
	for _, threads := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d threads", threads), func(t *testing.T) {
			newChaos(t, seed, threads).run(soaking(30*time.Second, 4*time.Second))
		})
	}
}

// chaos is one run of TestChaos.
type chaos struct {
	t      *testing.T
	seed   uint64
	pool   *pyapp.Pool
	log    *testserver.Log
	dir    string // of the application
	ledger string // file in which the application notes each request that it begins
	addr   string // of the server
	stop   chan struct{}

	last atomic.Int64 // identifier of the last request

	mu       sync.Mutex
	outcomes map[string]outcome // by the request's identifier
	harms    map[string]int     // how often each was done
}

// newChaos starts the site: the application behind the engine.
func newChaos(t *testing.T, seed uint64, threads int) *chaos {
	t.Helper()
	testserver.NoLeaks(t)
	c := &chaos{
		t: t, seed: seed, dir: t.TempDir(), log: &testserver.Log{}, stop: make(chan struct{}),
		outcomes: map[string]outcome{}, harms: map[string]int{},
	}
	c.ledger = filepath.Join(c.dir, "ledger")
	if err := os.WriteFile(c.ledger, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.writeCode("")
	var err error
	c.pool, err = pyapp.OpenWithHaste(pyapp.Config{
		Dir: c.dir, App: "chaos", Workers: 3, Threads: threads, Env: append(os.Environ(), "LEDGER="+c.ledger, "PYTHONDONTWRITEBYTECODE=1"),
		Slow: 300 * time.Millisecond, Timeout: time.Second, StallTimeout: time.Second, QueueWait: 2 * time.Second,
		SpoolDir: t.TempDir(), SpoolMemory: 100 << 10, Log: slog.New(slog.NewJSONHandler(c.log, nil)),
	}, 10*time.Millisecond, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.pool.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			log := filepath.Join(os.TempDir(), fmt.Sprintf("gatehouse-chaos-%d.log", seed))
			t.Logf("the log is in %s: %v", log, os.WriteFile(log, []byte(c.log.String()), 0o600))
		}
	})
	server := &gatehouse.Server{Handler: c.pool, ErrorLog: slog.New(slog.NewJSONHandler(c.log, nil))}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.addr = listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != http.ErrServerClosed {
			t.Errorf("the server ended: %v", err)
		}
	})
	return c
}

// writeCode writes the application with a first line of its own.
func (c *chaos) writeCode(line string) {
	code, err := os.ReadFile("testdata/apps/chaos.py")
	if err == nil {
		err = os.WriteFile(filepath.Join(c.dir, "new"), append([]byte(line+"\n"), code...), 0o600)
	}
	if err == nil {
		err = os.Rename(filepath.Join(c.dir, "new"), filepath.Join(c.dir, "chaos.py"))
	}
	if err != nil {
		c.t.Error(err)
	}
}

// run lets everybody loose for a while and then looks at what is left.
func (c *chaos) run(d time.Duration) {
	var all sync.WaitGroup
	begin := func(n int, act func(*rand.Rand)) {
		for range n {
			c.seed++
			random := rand.New(rand.NewPCG(c.seed, c.seed))
			all.Go(func() {
				for !c.stopped() {
					act(random)
				}
			})
		}
	}
	begin(8, c.steadyClient)
	begin(2, c.pipeliningClient)
	begin(3, c.slowSender)
	begin(3, c.slowReader)
	begin(3, c.leavingClient)
	begin(1, c.harmProcesses)
	begin(1, c.harmCode)
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
	close(c.stop)
	all.Wait()
	c.recover()
	c.account()
}

func (c *chaos) stopped() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

// rest waits for up to d, less when the test is over.
func (c *chaos) rest(random *rand.Rand, d time.Duration) {
	timer := time.NewTimer(time.Duration(random.Int64N(int64(d))))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.stop:
	}
}

// harmProcesses kills, stops and continues workers, and kills templates.
func (c *chaos) harmProcesses(random *rand.Rand) {
	n, name := random.Int(), "kill"
	switch random.IntN(10) {
	default:
		pyapp.SignalWorker(c.pool, n, syscall.SIGKILL)
	case 0, 1, 2:
		name = "stop"
		pyapp.SignalWorker(c.pool, n, syscall.SIGSTOP)
		if n%2 == 0 {
			name = "stop and go on"
			c.rest(random, 200*time.Millisecond)
			pyapp.SignalWorker(c.pool, n, syscall.SIGCONT)
		}
	case 3:
		name = "kill template"
		pyapp.EndTemplate(c.pool)
	}
	c.noteHarm(name)
	c.rest(random, 150*time.Millisecond)
}

// harmCode reloads, now and then what cannot be loaded.
func (c *chaos) harmCode(random *rand.Rand) {
	name := "reload"
	if random.IntN(4) == 0 {
		name = "broken reload"
		c.writeCode("import gone_wrong")
	}
	// Whom the other one kills meanwhile cannot come up: an error says nothing.
	if err := c.pool.Reload(c.t.Context()); err == nil && name == "broken reload" {
		c.t.Error("broken code was loaded")
	}
	c.writeCode("")
	c.noteHarm(name)
	c.rest(random, 300*time.Millisecond)
}

func (c *chaos) noteHarm(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.harms[name]++
}

// recover waits until the site serves as before: enough requests in a row for
// each worker to have had some.
func (c *chaos) recover() {
	for begin, good := time.Now(), 0; good < 100; {
		if c.do("quick").status == http.StatusOK {
			good++
			continue
		}
		good = 0
		if time.Since(begin) > testserver.Patience {
			c.t.Error("the site does not come back")
			return
		}
		runtime.Gosched()
	}
	if err := c.pool.Reload(c.t.Context()); err != nil {
		c.t.Errorf("reload in the end: %v", err)
	}
	eventually(c.t, "the old workers' ends", func() bool { return pyapp.Workers(c.pool) == 3 })
}

// do is one request on a connection of its own.
func (c *chaos) do(kind string) outcome {
	conn, err := c.dial()
	if err != nil {
		c.t.Error(err)
		return outcome{}
	}
	defer conn.Close()
	r := c.newRequest(kind, nil)
	return c.note(r, conn.exchange(r))
}

// account compares what clients saw with what the application began.
func (c *chaos) account() {
	text, err := os.ReadFile(c.ledger)
	if err != nil {
		c.t.Fatal(err)
	}
	begun := map[string]int{}
	for id := range strings.FieldsSeq(string(text)) {
		begun[id]++
	}
	counts := map[string]int{}
	for id, o := range c.outcomes {
		counts[o.String()]++
		n := begun[id]
		delete(begun, id)
		switch {
		case n > 1:
			c.t.Errorf("request %s ran %d times; its client saw: %s", id, n, o)
		case n == 0 && o.mustHaveRun(), n == 1 && o.cannotHaveRun():
			c.t.Errorf("request %s ran %d times, but its client saw: %s", id, n, o)
		}
	}
	if len(begun) > 0 {
		c.t.Errorf("requests that nobody sent ran: %v", begun)
	}
	if sent := int(c.last.Load()); len(c.outcomes) != sent {
		c.t.Errorf("%d requests were sent, of %d it is known what became of them", sent, len(c.outcomes))
	}
	if counts["200"] < 100 {
		c.t.Errorf("only %d requests were answered", counts["200"])
	}
	for _, table := range []map[string]int{counts, c.harms} {
		for _, name := range slices.Sorted(maps.Keys(table)) {
			c.t.Logf("%7d %s", table[name], name)
		}
	}
}

// dial connects to the server. Every read and write has a deadline: a request
// that hangs is a failure.
func (c *chaos) dial() (*chaosConn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), testserver.Patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return nil, err
	}
	return newChaosConn(conn), nil
}

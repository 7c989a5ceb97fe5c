//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	reloadConns = 8
	reloadPause = 500 * time.Millisecond // the most that a request may take above the median
)

// measureReload reloads the Django example under load, again and again, and
// looks for a request that failed or waited.
func measureReload(s settings) ([]row, error) {
	srv, err := startDemo(s)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	var before, during experience
	var took time.Duration
	err = fromClientCore(func() error {
		calm := startCrowd(srv.addr, "/", reloadConns)
		time.Sleep(time.Duration(s.seconds) * time.Second)
		before = calm.stop()
		crowd := startCrowd(srv.addr, "/", reloadConns)
		defer func() { during = crowd.stop() }()
		begin := time.Now()
		for n := range s.reloads {
			if err := reloadOnce(srv, n+1); err != nil {
				return srv.failed(err)
			}
		}
		took = time.Since(begin)
		return nil
	})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(s.out, "  calm: %s\n  %d reloads, %.2f s each: %s\n", before, s.reloads, took.Seconds()/float64(s.reloads), during)
	if before.failed() > 0 || len(before.times) == 0 {
		return nil, fmt.Errorf("without any reload: %s", before)
	}
	pause := during.longest() - before.median()
	failed, longest := fmt.Sprintf("%d of %d", during.failed(), during.failed()+len(during.times)), fmt.Sprintf("%.0f ms", float64(pause.Microseconds())/1000)
	return []row{
		{ours: failed, result: failed, reached: during.failed() == 0 && len(during.times) > 0},
		{ours: longest, result: longest, reached: pause < reloadPause},
	}, nil
}

// startDemo runs a copy of the Django example with its sample data.
func startDemo(s settings) (*server, error) {
	dir := filepath.Join(s.dir, "demo")
	if err := os.CopyFS(dir, os.DirFS(s.demo)); err != nil {
		return nil, err
	}
	env := []string{"DESK_DATA=" + filepath.Join(s.dir, "desk")}
	for _, args := range [][]string{{"migrate", "--verbosity", "0"}, {"collectstatic", "--noinput", "--verbosity", "0"}, {"fill_desk"}} {
		if err := runQuietly(dir, env, s.tool("python"), append([]string{"manage.py"}, args...)...); err != nil {
			return nil, err
		}
	}
	return startGatehouse(s, dir, env, "run", "--workers", "2", "--python", s.tool("python"))
}

// reloadOnce has the server load the code anew and waits until it says that it
// has done so for the nth time.
func reloadOnce(srv *server, n int) error {
	if err := srv.procs[0].Process.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		text, err := os.ReadFile(srv.logs[0])
		if err != nil {
			return err
		}
		if bytes.Count(text, []byte("\nreloaded")) >= n {
			return nil
		}
	}
	return fmt.Errorf("reload %d was not done within a minute", n)
}

// crowd is a closed-loop load: each of its clients asks again as soon as it was
// answered.
type crowd struct {
	quit    chan struct{}
	clients sync.WaitGroup

	mu   sync.Mutex
	seen experience
}

// experience is what clients have met with.
type experience struct {
	times  []time.Duration // of the requests that were answered
	errors []error         // of all others
}

func startCrowd(addr, path string, size int) *crowd {
	c := &crowd{quit: make(chan struct{})}
	for range size {
		c.clients.Go(func() {
			e := c.ask(addr, path)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.seen.times = append(c.seen.times, e.times...)
			c.seen.errors = append(c.seen.errors, e.errors...)
		})
	}
	return c
}

// stop returns when the last answers have come.
func (c *crowd) stop() experience {
	close(c.quit)
	c.clients.Wait()
	slices.Sort(c.seen.times)
	return c.seen
}

// maxErrors ends a client that meets with nothing else.
const maxErrors = 100

// ask is one client. An error costs it its connection.
func (c *crowd) ask(addr, path string) (e experience) {
	var conn *client
	defer func() {
		if conn != nil {
			conn.conn.Close()
		}
	}()
	for len(e.errors) < maxErrors {
		select {
		case <-c.quit:
			return e
		default:
		}
		begin := time.Now()
		again, err := false, error(nil)
		if conn == nil {
			conn, err = dial(addr, path)
		}
		if err == nil {
			if err = conn.send(); err == nil {
				_, again, err = conn.receive()
			}
		}
		if err != nil {
			e.errors = append(e.errors, err)
		} else {
			e.times = append(e.times, time.Since(begin))
		}
		if !again && conn != nil {
			conn.conn.Close()
			conn = nil
		}
	}
	return e
}

func (e experience) failed() int { return len(e.errors) }

func (e experience) median() time.Duration { return percentile(e.times, 50) }

func (e experience) longest() time.Duration { return percentile(e.times, 100) }

func (e experience) String() string {
	first := ""
	if e.failed() > 0 {
		first = fmt.Sprintf("; the first failure: %v", e.errors[0])
	}
	return fmt.Sprintf("%d answers, %d failed; median %v, p99 %v, longest %v%s", len(e.times), e.failed(),
		e.median().Round(10*time.Microsecond), percentile(e.times, 99).Round(10*time.Microsecond), e.longest().Round(10*time.Microsecond), first)
}

// percentile of sorted times: the smallest that p % of them do not exceed; 0 of none.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

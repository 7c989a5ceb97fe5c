//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	idleConns = 10_000
	idleBytes = 6 << 10 // the most an idle connection may hold
)

// measureIdle opens idleConns connections, asks once on each, waits and reads
// how much larger the server has become for each of them.
func measureIdle(s settings) ([]row, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil, err
	}
	if limit.Cur < idleConns+200 {
		return nil, fmt.Errorf("needs %d open files, the limit is %d: raise it with ulimit -n", idleConns+200, limit.Cur)
	}
	srv, err := startGatehouseStatic(s)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	before, err := residentBytes(srv.pids()[0])
	if err != nil {
		return nil, err
	}
	conns := make([]net.Conn, 0, idleConns)
	defer func() {
		for _, c := range conns {
			_ = c.Close() // the measurement is over
		}
	}()
	for range idleConns {
		c, err := net.Dial("tcp", srv.addr)
		if err != nil {
			return nil, err
		}
		conns = append(conns, c)
		if err := askOnce(c, srv.addr); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(s.out, "  %d connections answered; waiting %v\n", idleConns, s.idleWait)
	time.Sleep(s.idleWait)
	after, err := residentBytes(srv.pids()[0])
	if err != nil {
		return nil, err
	}
	// A connection that was closed meanwhile would make the figure too good.
	for _, c := range []net.Conn{conns[0], conns[idleConns-1]} {
		if err := askOnce(c, srv.addr); err != nil {
			return nil, fmt.Errorf("after the wait: %w", err)
		}
	}
	each := (after - before) / idleConns
	fmt.Fprintf(s.out, "  resident %.1f MB before, %.1f MB after\n", float64(before)/1e6, float64(after)/1e6)
	figure := fmt.Sprintf("%.1f KB", float64(each)/1024)
	return []row{{ours: figure, result: figure, reached: each <= idleBytes}}, nil
}

func askOnce(c net.Conn, host string) error {
	if _, err := fmt.Fprintf(c, "GET /1k.html HTTP/1.1\r\nHost: %s\r\n\r\n", host); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

const (
	startRuns   = 20
	startAtMost = 50 * time.Millisecond
)

// measureStart times a fresh process up to its first answer.
func measureStart(s settings) ([]row, error) {
	var times []float64
	for range startRuns {
		took, err := startOnce(s)
		if err != nil {
			return nil, err
		}
		times = append(times, float64(took.Microseconds())/1000)
	}
	m := median(times)
	figure := fmt.Sprintf("%.1f ms", m)
	return []row{{ours: figure, result: figure, reached: m < float64(startAtMost.Milliseconds())}}, nil
}

func startOnce(s settings) (time.Duration, error) {
	addr, err := freeAddr()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(s.gatehouse, filepath.Join(s.dir, "site"), "--listen", addr, "--access-log", "off")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	srv := &server{addr: addr, procs: []*exec.Cmd{cmd}}
	defer srv.stop()
	for deadline := begin.Add(5 * time.Second); time.Now().Before(deadline); {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			continue // not listening yet: ask again at once, this is a stopwatch
		}
		err = askOnce(c, addr)
		took := time.Since(begin)
		return took, joinClose(c, err)
	}
	return 0, fmt.Errorf("%s did not listen on %s within 5 s", s.gatehouse, addr)
}

// joinClose closes c and returns err, or the error of closing where err is nil.
func joinClose(c io.Closer, err error) error {
	if cerr := c.Close(); err == nil {
		return cerr
	}
	return err
}

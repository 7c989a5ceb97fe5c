//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// server is a running peer or Gatehouse: an address and the processes behind it.
type server struct {
	addr  string // host:port
	procs []*exec.Cmd
	logs  []string // the files with their output, in the same order
}

type starter func(settings) (*server, error)

// pids are the roots of the server's process families.
func (s *server) pids() []int {
	var pids []int
	for _, p := range s.procs {
		pids = append(pids, p.Process.Pid)
	}
	return pids
}

// stop ends the server and everything it started.
func (s *server) stop() {
	for _, p := range s.procs {
		_ = p.Process.Signal(syscall.SIGTERM) // gone already is as good
		timer := time.AfterFunc(10*time.Second, func() { _ = p.Process.Kill() })
		_ = p.Wait() // the exit status of an ended server tells nothing
		timer.Stop()
	}
}

// quoted is how much of the end of a process's output an error repeats.
const quoted = 2000

// failed ends the server and returns err with what its processes wrote.
func (s *server) failed(err error) error {
	s.stop()
	for i, log := range s.logs {
		text, _ := os.ReadFile(log) // best effort: it goes into the error
		text = text[max(0, len(text)-quoted):]
		err = fmt.Errorf("%w\n%s wrote:\n%s", err, s.procs[i], text)
	}
	return err
}

// pinned is a command on the servers' core; it dies with this process.
func pinned(name string, args ...string) *exec.Cmd {
	cmd := exec.Command("taskset", append([]string{"-c", "0", name}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// launch adds a process to the server, its output in a file of its own.
func (s *server) launch(dir string, cmd *exec.Cmd) error {
	log, err := os.CreateTemp(dir, "output-*.log")
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.procs, s.logs = append(s.procs, cmd), append(s.logs, log.Name())
	return nil
}

// startGatehouseStatic serves the site folder.
func startGatehouseStatic(s settings) (*server, error) {
	return startGatehouse(s, s.dir, nil, filepath.Join(s.dir, "site"))
}

// gatehouseRuns starts Gatehouse with an application.
func gatehouseRuns(a app) starter {
	return func(s settings) (*server, error) {
		return startGatehouse(s, s.appDir(), nil, "run", "--workers", strconv.Itoa(a.workers), "--python", s.tool("python"), a.target)
	}
}

// announced finds the URL in Gatehouse's start lines.
var announced = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/`)

// startGatehouse starts Gatehouse in a folder, with env added to the environment.
func startGatehouse(s settings, dir string, env []string, args ...string) (*server, error) {
	cmd := pinned(s.gatehouse, append(args, "--listen", "127.0.0.1:0", "--access-log", "off")...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	srv := &server{}
	if err := srv.launch(s.dir, cmd); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(srv.logs[0])
		if err != nil {
			return nil, srv.failed(err)
		}
		if m := announced.FindSubmatch(text); m != nil {
			srv.addr = string(m[1])
			return srv, srv.awaitAnswer()
		}
	}
	return nil, srv.failed(errors.New("no address was announced within 20 s"))
}

// freeAddr returns a loopback address nobody listens on. Peers cannot be handed
// port 0 and asked for the number, so another process might take it in between.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// awaitAnswer waits until the server answers something else than that it cannot yet.
func (s *server) awaitAnswer() error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	last := errors.New("no time was left")
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		resp, err := client.Get("http://" + s.addr + "/")
		if err != nil {
			last = err
			continue
		}
		resp.Body.Close()
		switch resp.StatusCode {
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		default:
			return nil
		}
		last = fmt.Errorf("answered %s", resp.Status)
	}
	return s.failed(last)
}

// awaitLog waits, for a minute at most, until the server has written a text n times.
func (s *server) awaitLog(text string, n int) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		log, err := os.ReadFile(s.logs[0])
		if err != nil {
			return err
		}
		if bytes.Count(log, []byte(text)) >= n {
			return nil
		}
	}
	return fmt.Errorf("%q was not logged %d times within a minute", text, n)
}

// awaitIdle waits until the server uses no CPU time any more. When wrk ends, it
// leaves as many requests behind as it had connections; the next run would meet
// with them.
func (s *server) awaitIdle() error {
	last := time.Duration(-1)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		cpu, err := familyCPU(s.pids())
		if err != nil {
			return err
		}
		if cpu == last {
			return nil
		}
		last = cpu
	}
	return s.failed(errors.New("the server did not come to rest within 20 s"))
}

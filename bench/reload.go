//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
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
	return srv.awaitLog("\nreloaded", n)
}

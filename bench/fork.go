//go:build linux

package main

import (
	"fmt"
	"strconv"
	"syscall"
	"time"
)

const (
	forkRuns   = 20
	forkAtMost = 30 * time.Millisecond
)

// measureFork times how long an application is without its only worker when
// that is killed: until the next one has been forked from the template, is ready
// and has answered.
func measureFork(s settings) ([]row, error) {
	if err := stockShop(s); err != nil {
		return nil, err
	}
	var times []float64
	for range forkRuns {
		took, err := forkOnce(s)
		if err != nil {
			return nil, err
		}
		times = append(times, float64(took.Microseconds())/1000)
	}
	m := median(times)
	figure := fmt.Sprintf("%.1f ms", m)
	return []row{{ours: figure, result: figure, reached: m < float64(forkAtMost.Milliseconds())}}, nil
}

// forkOnce takes a fresh server: a worker that dies soon after another one is
// replaced only after a pause.
func forkOnce(s settings) (time.Duration, error) {
	srv, err := gatehouseRuns(shop)(s)
	if err != nil {
		return 0, err
	}
	defer srv.stop()
	first, err := workerPID(srv)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		return 0, fmt.Errorf("kill worker %d: %w", first, err)
	}
	next, err := workerPID(srv)
	if err != nil {
		return 0, err
	}
	took := time.Since(begin)
	if next == first {
		return 0, fmt.Errorf("worker %d answered after it was killed", first)
	}
	return took, nil
}

// workerPID asks the application which process it runs in.
func workerPID(srv *server) (int, error) {
	body, err := getOnce(srv.addr, "/pid")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(body))
}

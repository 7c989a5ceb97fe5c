//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	streamBytes  = 1 << 30
	streamGrowth = 16 << 20 // the most that the server may grow
	streamRatio  = 0.8      // of cat's rate
	streamBuffer = 256 << 10
	// streamed writes streamBytes.
	streamed = "dd if=/dev/zero bs=64k count=16384 2>/dev/null"
)

// onScript is the load of a script: as many connections as scripts run at once
// on one core, so that nobody's queue is measured.
func onScript(name string) load { return load{path: "/cgi-bin/" + name, conns: 8} }

// writeScripts completes the folder of scripts: hello.py gets the interpreter of
// the applications, without their environment, and hello is compiled.
func writeScripts(s settings) error {
	dir := filepath.Join(s.dir, "cgi", "cgi-bin")
	if err := os.Mkdir(dir, 0o755); errors.Is(err, os.ErrExist) {
		return nil
	} else if err != nil {
		return err
	}
	python, err := s.basePython()
	if err != nil {
		return err
	}
	source, err := os.ReadFile(filepath.Join(s.dir, "cgi", "hello.py"))
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"hello.py": "#!" + python + "\n" + string(source),
		"stream":   "#!/bin/sh\nprintf 'Content-Type: application/octet-stream\\n\\n'\nexec " + streamed + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			return err
		}
	}
	if _, err := exec.LookPath("cc"); err != nil {
		return fmt.Errorf("no C compiler; apt-get install gcc libc6-dev: %w", err)
	}
	return runQuietly(s.dir, nil, "cc", "-O2", "-o", filepath.Join(dir, "hello"), filepath.Join(s.dir, "cgi", "hello.c"))
}

// basePython is the interpreter that the virtual environment was made with.
func (s settings) basePython() (string, error) {
	out, err := exec.Command(s.tool("python"), "-c", "import os, sys; print(os.path.realpath(sys.executable))").Output()
	if err != nil {
		return "", fmt.Errorf("find the interpreter of %s: %w", s.venv, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// gatehouseScripts serves the folder of scripts, with more flags.
func gatehouseScripts(flags ...string) starter {
	return func(s settings) (*server, error) {
		python, err := s.basePython()
		if err != nil {
			return nil, err
		}
		return startGatehouse(s, s.dir, nil, append([]string{"--cgi", "--cgi-python", python, filepath.Join(s.dir, "cgi")}, flags...)...)
	}
}

// gatehouseCold runs each script as a program of its own.
func gatehouseCold(s settings) (*server, error) {
	help, err := exec.Command(s.gatehouse, "--help").Output()
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(help, []byte("--cgi-warm")) { // then there is nothing else
		return gatehouseScripts()(s)
	}
	return gatehouseScripts("--cgi-warm=false")(s)
}

// compareScript measures a script against lighttpd, which must be outdone by the
// factor.
func compareScript(name string, gatehouse starter, factor float64) func(settings) ([]row, error) {
	return func(s settings) ([]row, error) {
		if err := writeScripts(s); err != nil {
			return nil, err
		}
		l := onScript(name)
		rounds, err := inTurn(s, []contender[figures]{loaded("Gatehouse", l, gatehouse), loaded("lighttpd mod_cgi", l, startLighttpd)}, showLoad)
		if err != nil {
			return nil, err
		}
		return []row{versus(rounds, 1, requests, "%.0f/s", atLeast(factor))}, nil
	}
}

// flow is how fast much output went through, and what it took of memory.
type flow struct {
	perSecond float64 // megabytes
	grown     float64 // megabytes of resident memory of the server
}

// measureStream takes much output out of a script, and out of a pipe that cat
// fills from another one.
func measureStream(s settings) ([]row, error) {
	if err := writeScripts(s); err != nil {
		return nil, err
	}
	rounds, err := inTurn(s, []contender[flow]{
		{"Gatehouse", func(s settings, _ int) (flow, error) { return streamScript(s) }},
		{"cat", func(s settings, _ int) (flow, error) { return streamCat(s) }},
	}, func(ours, theirs flow) string {
		return fmt.Sprintf("%8.0f MB/s (%.3f ×)   grew by %.1f MB", theirs.perSecond, ours.perSecond/theirs.perSecond, theirs.grown)
	})
	if err != nil {
		return nil, err
	}
	var grown []float64
	for _, r := range rounds {
		grown = append(grown, r[0].grown)
	}
	most := slices.Max(grown) // a promise about memory is about the worst case
	rate := func(who int) func([]flow) float64 { return func(r []flow) float64 { return r[who].perSecond } }
	ratio := medianOf(rounds, func(r []flow) float64 { return r[0].perSecond / r[1].perSecond })
	figure := fmt.Sprintf("%.1f MB", most)
	return []row{
		{
			ours: fmt.Sprintf("%.0f MB/s", medianOf(rounds, rate(0))), peer: fmt.Sprintf("%.0f MB/s", medianOf(rounds, rate(1))),
			result: fmt.Sprintf("%.2f ×", ratio), reached: ratio >= streamRatio,
		},
		{ours: figure, result: figure, reached: most < megabytes(streamGrowth)},
	}, nil
}

// streamScript takes the output of the script.
func streamScript(s settings) (flow, error) {
	srv, err := gatehouseScripts()(s)
	if err != nil {
		return flow{}, err
	}
	defer srv.stop()
	// What any first request brings into memory is not the stream's.
	if _, err := getOnce(srv.addr, "/cgi-bin/hello"); err != nil {
		return flow{}, err
	}
	pid := srv.pids()[0]
	if err := resetPeak(pid); err != nil {
		return flow{}, err
	}
	before, err := residentBytes(pid)
	if err != nil {
		return flow{}, err
	}
	var f flow
	err = fromClientCore(func() error {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ReadBufferSize: streamBuffer}}
		begin := time.Now()
		resp, err := client.Get("http://" + srv.addr + "/cgi-bin/stream")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		f, err = flowOf(resp.Body, begin)
		return err
	})
	if err != nil {
		return flow{}, err
	}
	peak, err := peakBytes(pid)
	f.grown = megabytes(peak - before)
	return f, err
}

// streamCat takes the same from cat, which takes the server's place.
func streamCat(settings) (f flow, err error) {
	cmd := pinned("sh", "-c", streamed+" | cat")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return flow{}, err
	}
	if err := cmd.Start(); err != nil {
		return flow{}, err
	}
	err = fromClientCore(func() error {
		f, err = flowOf(out, time.Now())
		return err
	})
	return f, errors.Join(err, cmd.Wait())
}

// flowOf reads all that there is.
func flowOf(r io.Reader, begin time.Time) (flow, error) {
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, streamBuffer))
	if err == nil && n != streamBytes {
		err = fmt.Errorf("%d bytes came, want %d", n, streamBytes)
	}
	return flow{perSecond: megabytes(n) / time.Since(begin).Seconds()}, err
}

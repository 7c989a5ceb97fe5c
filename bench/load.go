//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
)

// load is one run of the load generator.
type load struct {
	path    string
	conns   int
	browser bool // send the fields a browser sends
	seconds int
}

// figures is what a run showed.
type figures struct {
	perSecond float64
	cpuMicros float64 // CPU time of the server's processes per request
}

// browserLua makes wrk send what a current browser sends with a navigation.
const browserLua = `
wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
wrk.headers["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
wrk.headers["Accept-Language"] = "en-US,en;q=0.9"
wrk.headers["Accept-Encoding"] = "gzip, deflate, br, zstd"
wrk.headers["Cookie"] = "sessionid=abcdef0123456789; csrftoken=0123456789abcdef"
wrk.headers["Cache-Control"] = "max-age=0"
wrk.headers["Sec-Fetch-Dest"] = "document"
wrk.headers["Sec-Fetch-Mode"] = "navigate"
wrk.headers["Sec-Fetch-Site"] = "none"
wrk.headers["Upgrade-Insecure-Requests"] = "1"
`

var (
	requestsDone = regexp.MustCompile(`(\d+) requests in`)
	perSecond    = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	badAnswers   = regexp.MustCompile(`(?m)^\s*(Non-2xx or 3xx responses|Socket errors):.*$`)
)

// run loads srv from the other core. An answer that is no success fails the
// run: a server that refuses quickly must not look fast.
func (l load) run(srv *server) (figures, error) {
	args := []string{"-c", "1", "wrk", "-t1", "--timeout", "20s", fmt.Sprintf("-c%d", l.conns), fmt.Sprintf("-d%ds", l.seconds)}
	if l.browser {
		script, err := os.CreateTemp("", "wrk-*.lua")
		if err != nil {
			return figures{}, err
		}
		defer os.Remove(script.Name())
		if _, err := script.WriteString(browserLua); err != nil {
			return figures{}, err
		}
		if err := script.Close(); err != nil {
			return figures{}, err
		}
		args = append(args, "-s", script.Name())
	}
	before, err := familyCPU(srv.pids())
	if err != nil {
		return figures{}, err
	}
	out, err := exec.Command("taskset", append(args, "http://"+srv.addr+l.path)...).CombinedOutput()
	if err != nil {
		return figures{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	after, err := familyCPU(srv.pids())
	if err != nil {
		return figures{}, err
	}
	if bad := badAnswers.Find(out); bad != nil {
		return figures{}, fmt.Errorf("wrk against %s%s: %s", srv.addr, l.path, bad)
	}
	done, rate := requestsDone.FindSubmatch(out), perSecond.FindSubmatch(out)
	if done == nil || rate == nil {
		return figures{}, fmt.Errorf("wrk printed no figures:\n%s", out)
	}
	n, err := strconv.ParseFloat(string(done[1]), 64)
	if err != nil || n == 0 {
		return figures{}, fmt.Errorf("wrk finished no request:\n%s", out)
	}
	f := figures{cpuMicros: float64((after - before).Microseconds()) / n}
	f.perSecond, err = strconv.ParseFloat(string(rate[1]), 64)
	return f, err
}

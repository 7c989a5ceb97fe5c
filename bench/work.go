//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// work is one line of the table: what is measured, how, and what it must reach.
type work struct {
	name    string // for -only
	title   string
	method  string
	target  string
	measure func(settings) (row, error)
}

// row is a work's outcome.
type row struct {
	title, target string
	ours, peer    string // figures with units, medians of the rounds; peer may be empty
	ratio         string // or the figure itself where there is no peer
	reached       bool
}

// works lists all there is to measure, in the order of the table.
func works() []work {
	return []work{
		{
			name: "file-1k", title: "1 KB file, CPU per request", target: "≤ 0.85 × nginx",
			method:  "64 keep-alive connections, browser headers; nginx with open_file_cache, both without access log",
			measure: compareFile("/1k.html", 64, true, startNginxStatic, 0.85),
		},
		{
			name: "file-1k-nopush", title: "the same, nginx with tcp_nopush", target: "≤ 0.85 × nginx",
			method:  "as above; nginx sends head and file together, which saves it a packet",
			measure: compareFile("/1k.html", 64, true, startNginxNoPush, 0.85),
		},
		{
			name: "file-10m", title: "10 MB file, CPU per request", target: "≤ 1.0 × nginx",
			method:  "16 keep-alive connections; nginx with sendfile and tcp_nopush",
			measure: compareFile("/10m.bin", 16, false, startNginxNoPush, 1.0),
		},
		{
			name: "idle", title: "10,000 idle connections, memory each", target: "≤ 6 KB",
			method:  "one request on each, then idle; growth of resident memory over the freshly started server, divided by connections",
			measure: measureIdle,
		},
		{
			name: "start", title: "process start to first answer, static", target: "< 50 ms",
			method:  "fork and exec to the first byte of a 200 answer, median of 20",
			measure: measureStart,
		},
		{
			name: "wsgi-hello", title: "WSGI hello, requests per second", target: "≥ 1.5 × nginx + uWSGI",
			method:  "one worker, server and worker share one core, 64 keep-alive connections; uWSGI behind nginx over a Unix socket",
			measure: compareWSGI,
		},
	}
}

// compareFile measures CPU time per request of one file against a peer.
func compareFile(path string, conns int, browser bool, peer starter, atMost float64) func(settings) (row, error) {
	return func(s settings) (row, error) {
		pair, err := alternate(s, load{path: path, conns: conns, browser: browser}, startGatehouseStatic, peer,
			func(f figures) float64 { return f.cpuMicros }, "µs")
		if err != nil {
			return row{}, err
		}
		return pair.row("%.2f µs", pair.ratio <= atMost), nil
	}
}

func compareWSGI(s settings) (row, error) {
	pair, err := alternate(s, load{path: "/", conns: 64}, startGatehouseWSGI, startNginxUWSGI,
		func(f figures) float64 { return f.perSecond }, "req/s")
	if err != nil {
		return row{}, err
	}
	return pair.row("%.0f/s", pair.ratio >= 1.5), nil
}

// outcome holds the medians of a comparison's rounds.
type outcome struct{ ours, peer, ratio float64 }

func (o outcome) row(format string, reached bool) row {
	return row{ours: fmt.Sprintf(format, o.ours), peer: fmt.Sprintf(format, o.peer), ratio: fmt.Sprintf("%.2f ×", o.ratio), reached: reached}
}

// alternate loads ours and the peer in turn, s.rounds times, each freshly
// started, and returns the medians of what figure picks.
func alternate(s settings, l load, ours, peer starter, figure func(figures) float64, unit string) (outcome, error) {
	var a, b, ratios []float64
	for round := range s.rounds {
		fa, err := loadOnce(s, l, ours)
		if err != nil {
			return outcome{}, err
		}
		fb, err := loadOnce(s, l, peer)
		if err != nil {
			return outcome{}, err
		}
		x, y := figure(fa), figure(fb)
		fmt.Fprintf(s.out, "  round %d: %.2f against %.2f %s (ratio %.3f; %.0f against %.0f req/s)\n", round+1, x, y, unit, x/y, fa.perSecond, fb.perSecond)
		a, b, ratios = append(a, x), append(b, y), append(ratios, x/y)
	}
	return outcome{median(a), median(b), median(ratios)}, nil
}

func loadOnce(s settings, l load, start starter) (figures, error) {
	srv, err := start(s)
	if err != nil {
		return figures{}, err
	}
	defer srv.stop()
	warm := l
	warm.seconds = 1
	if _, err := warm.run(srv); err != nil {
		return figures{}, err
	}
	l.seconds = s.seconds
	return l.run(srv)
}

// median of at least one value; of an even number, the mean of the middle two.
func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

const helloApp = `def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "12")])
    return [b"hello, world"]
`

// writeFixtures fills dir with the files and the application that are served.
func writeFixtures(dir string) error {
	for _, sub := range []string{"site", "app"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil { // nginx's worker drops root
		return err
	}
	for name, content := range map[string][]byte{
		"site/1k.html": bytes.Repeat([]byte("<p>sixteen bytes"), 64),
		"site/10m.bin": bytes.Repeat([]byte{0xA5, 0x5A, 0x00, 0xFF}, 10<<20/4),
		"app/hello.py": []byte(helloApp),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

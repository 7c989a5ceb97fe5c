//go:build linux

package main

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"time"
)

const (
	deployPairs = 10
	deployConns = 2
	deployLimit = 1.5
)

// measureDeploy deploys one application again and again, and looks at the slowest
// answers of another one below the same server.
func measureDeploy(s settings) ([]row, error) {
	dir := filepath.Join(s.dir, "deploy")
	busy := filepath.Join(dir, "webapps", "busy", "app.py")
	const hello = "def app(environ, start_response):\n    start_response('200 OK', [('Content-Length', '6')])\n    return [b'hello\\n']\n"
	for path, text := range map[string]string{
		filepath.Join(dir, "webapps", "calm", "app.py"): hello,
		busy: "import flask\n" + hello, // an import that takes its time
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	me, err := user.Current() // root does not run what root owns unless it is told
	if err != nil {
		return nil, err
	}
	srv, err := startGatehouse(s, dir, nil, "run", "--user", me.Username, "--log-format", "text", "--python", s.tool("python"))
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	lasting := time.Duration(s.seconds) * time.Second
	type pair struct{ without, with experience }
	var pairs [][]pair
	deployed := 1
	err = fromClientCore(func() error {
		for range deployPairs {
			var p pair
			crowd := startCrowd(srv.addr, "/calm/", deployConns)
			time.Sleep(lasting)
			p.without = crowd.stop()
			crowd = startCrowd(srv.addr, "/calm/", deployConns)
			begun, before := time.Now(), deployed
			for err == nil && time.Since(begun) < lasting {
				err = deployOnce(srv, busy, deployed+1)
				deployed++
			}
			p.with = crowd.stop()
			if err != nil {
				return srv.failed(err)
			}
			if n := p.without.failed() + p.with.failed(); n > 0 {
				return srv.failed(fmt.Errorf("%d requests failed: %s; %s", n, p.without, p.with))
			}
			fmt.Fprintf(s.out, "  calm: %s\n  %d deployments of the other: %s\n", p.without, deployed-before, p.with)
			pairs = append(pairs, []pair{p})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p99Of := func(e experience) float64 { return milliseconds(percentile(e.times, 99)) }
	without := medianOf(pairs, func(p []pair) float64 { return p99Of(p[0].without) })
	with := medianOf(pairs, func(p []pair) float64 { return p99Of(p[0].with) })
	ratio := medianOf(pairs, func(p []pair) float64 { return p99Of(p[0].with) / p99Of(p[0].without) })
	return []row{{
		ours: fmt.Sprintf("%.2f ms", with), peer: fmt.Sprintf("%.2f ms", without),
		result: fmt.Sprintf("%.2f ×", ratio), reached: ratio <= deployLimit,
	}}, nil
}

// deployOnce changes the application and waits until it was deployed for the nth
// time.
func deployOnce(srv *server, file string, n int) error {
	now := time.Now()
	if err := os.Chtimes(file, now, now); err != nil {
		return err
	}
	return srv.awaitLog("deployed app=/busy", n)
}

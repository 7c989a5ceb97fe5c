package pyapp

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
	pyworker "github.com/seed-07905ac1/gatehouse/pyapp/worker"
)

// A generation is one loading of the application: a template process and the
// workers forked from it. A reload makes a new one beside the old.
type generation struct {
	pool     *Pool
	template *pyproc.Template
	info     Info
	output   []*os.File
	tasks    sync.WaitGroup
	workers  []*worker
}

// startGeneration loads the application and starts its workers.
func (p *Pool) startGeneration(ctx context.Context) (*generation, error) {
	g := &generation{pool: p}
	var pipes []*os.File
	for _, name := range []string{"stdout", "stderr"} {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("pyapp: pipe: %w", err)
		}
		defer w.Close()
		g.output, pipes = append(g.output, r), append(pipes, w)
		g.tasks.Go(func() { logLines(r, p.log, "stream", name) })
	}
	c := &p.config
	t, err := pyproc.Start(pyproc.Command{
		Python: c.Python, Dir: c.Dir, Env: c.Env, User: c.User,
		Service: "worker", Modules: pyworker.Sources(),
		Settings: map[string]string{"dir": c.Dir, "app": c.App},
		Stdout:   pipes[0], Stderr: pipes[1],
	})
	if err != nil {
		return nil, startError(c, err)
	}
	g.template = t
	loaded, err := t.Ready(ctx)
	if err == nil {
		err = json.Unmarshal(loaded.Info, &g.info)
	}
	if err != nil {
		t.Close()
		return nil, startError(c, err)
	}
	g.info.Workers, g.info.Threads = c.Workers, c.Threads
	for i := range c.Workers {
		w, err := g.startWorker(ctx, i+1)
		if err != nil {
			g.stop(BootFailure)
			return nil, startError(c, err)
		}
		g.workers = append(g.workers, w)
		g.tasks.Go(w.bury)
	}
	return g, nil
}

// stop ends all processes of the generation and waits for them.
func (g *generation) stop(reason Reason) {
	for _, w := range g.workers {
		w.end(reason)
	}
	g.template.Close()
	for _, f := range g.output {
		f.Close()
	}
	g.tasks.Wait()
}

// drain ends the generation when its workers have finished what they have.
func (g *generation) drain(ctx context.Context, reason Reason) error {
	for _, w := range g.workers {
		w.drain(reason)
	}
	var err error
	for _, w := range g.workers {
		select {
		case <-w.child.Done():
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	g.stop(reason)
	return err
}

package webapps

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// MayBecome tells the table of moves.
func MayBecome(from, to State) bool { return from.mayBecome(to) }

// Settled is settled for what lies in dir under that name.
func Settled(dir, name string, since time.Time) bool {
	e := &entry{path: filepath.Join(dir, name)}
	info, err := os.Stat(e.path)
	e.archive = err == nil && !info.IsDir()
	return settled(context.Background(), e, nil, since)
}

// SetWalk has the folder of that name be one whose end nobody comes to who looks
// through it: walking gets a token each time, until its server ends.
func (c *Config) SetWalk(name string, walking chan<- struct{}) {
	c.settled = func(ctx context.Context, e *entry, a *Account, since time.Time) bool {
		if e.file != name {
			return settled(ctx, e, a, since)
		}
		walking <- struct{}{}
		<-ctx.Done()
		return false
	}
}

// SetClock has version cookies made and read at another time.
func (d *Deployer) SetClock(now func() time.Time) { d.cookies.now = now }

// SetRemover has folders that are thrown away removed by somebody else. Nothing has
// been thrown away yet.
func (d *Deployer) SetRemover(remove func(path string) error) { d.store.remove = remove }

// Top is top.
var Top = top

// NextRestart is nextRestart.
var NextRestart = nextRestart

// RunJob runs a command in dir at the times that next says, until that says none.
func RunJob(next func(time.Time) time.Time, command, dir string, log *slog.Logger) (ended <-chan struct{}) {
	ps, err := newProcesses([]Process{{Name: "job", Command: command, Cron: "* * * * *"}}, conditions{dir: dir, env: os.Environ()}, time.Second, log, func() {})
	if err != nil {
		panic(err)
	}
	ps.all[0].next = next
	go ps.run(nil)
	return ps.ended
}

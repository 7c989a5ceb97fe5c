package webapps

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/cron"
)

// Process is a program that runs beside an application: always, started again
// whenever it ends, or at the times of Cron.
type Process struct {
	Name    string // letters, digits, - and _; each once
	Command string // for the shell, in the application's folder
	// Cron is when it runs, in the five fields of crontab and the server's time zone;
	// "" means always. A run that is due while the one before goes on is left out.
	Cron string
}

// ProcessStatus is what one of them does.
type ProcessStatus struct {
	Process
	PID   int       // 0 if it does not run
	Since time.Time // when it was started, or has ended
	Runs  int       // how often it was started
	// Next is when it is started next; zero while a process that always runs does.
	Next time.Time
	// Last is how the last run has ended, such as "exit status 1"; "" if it ended
	// well, or none has ended.
	Last string
}

// restarts of what always runs: at once would load the machine with what fails at
// its start, and a minute is what people wait for who have mended something.
const (
	firstRestart = time.Second
	maxRestart   = time.Minute
)

// nextRestart is how long a process is left alone that has run for so long, after
// it was left alone for as long as before the last time.
func nextRestart(before, ran time.Duration) time.Duration {
	if before == 0 || ran >= maxRestart {
		return firstRestart
	}
	return min(2*before, maxRestart)
}

// sleepAtMost bounds a wait for a time of day: clocks are set, machines sleep.
const sleepAtMost = 30 * time.Second

// processes are those of one instance. They run from start until stop.
type processes struct {
	conditions
	grace time.Duration
	all   []*process
	log   *slog.Logger
	told  func() // called when a status has changed

	ctx    context.Context // ends when they are to end
	cancel context.CancelFunc
	begun  atomic.Bool   // they run, or are about to, and somebody will stop them
	kill   chan struct{} // closed when they are to end at once
	killed sync.Once
	ended  chan struct{} // closed when all have, and none will be started
}

// process is one of them.
type process struct {
	of   *processes
	next func(time.Time) time.Time // of its schedule; nil: it always runs
	log  *slog.Logger

	mu     sync.Mutex
	status ProcessStatus
}

// newProcesses prepares processes; nothing runs yet.
func newProcesses(list []Process, where conditions, grace time.Duration, log *slog.Logger, told func()) (*processes, error) {
	ps := &processes{conditions: where, grace: grace, log: log, told: told, kill: make(chan struct{}), ended: make(chan struct{})}
	ps.ctx, ps.cancel = context.WithCancel(context.Background())
	names := map[string]bool{}
	for _, one := range list {
		p := &process{of: ps, log: log.With("process", one.Name), status: ProcessStatus{Process: one, Since: time.Now()}}
		if one.Name == "" || one.Command == "" || names[one.Name] {
			return nil, fmt.Errorf("process %q: it needs a name of its own and a command", one.Name)
		}
		names[one.Name] = true
		if one.Cron != "" {
			schedule, err := cron.Parse(one.Cron)
			if err != nil {
				return nil, fmt.Errorf("process %q: cron: %w", one.Name, err)
			}
			p.next = schedule.Next
		}
		ps.all = append(ps.all, p)
	}
	return ps, nil
}

// run has them run until stop is called, once those that before stands for have
// ended: two versions of one never run together.
func (ps *processes) run(before <-chan struct{}) {
	defer close(ps.ended)
	if before != nil {
		<-before
	}
	var wg sync.WaitGroup
	for _, p := range ps.all {
		wg.Go(p.run)
	}
	wg.Wait()
}

// stop ends them: SIGTERM, and SIGKILL after the grace or when ctx ends, to all
// that they have started.
func (ps *processes) stop(ctx context.Context) {
	ps.cancel()
	timer := time.NewTimer(ps.grace)
	defer timer.Stop()
	select {
	case <-ps.ended:
		return
	case <-timer.C:
	case <-ctx.Done():
	}
	ps.killed.Do(func() { close(ps.kill) })
	<-ps.ended
}

// run runs the process again and again.
func (p *process) run() {
	if p.next != nil {
		p.repeat()
		return
	}
	for wait := time.Duration(0); p.of.ctx.Err() == nil; {
		begun := time.Now()
		p.once()
		if p.of.ctx.Err() != nil {
			return
		}
		wait = nextRestart(wait, time.Since(begun))
		p.sleepUntil(time.Now().Add(wait))
	}
}

// repeat runs it at its times.
func (p *process) repeat() {
	for p.of.ctx.Err() == nil {
		next := p.next(time.Now())
		if next.IsZero() {
			return
		}
		p.sleepUntil(next)
		late := time.Since(next.Round(0)) // on the clock, which may have been set
		if p.of.ctx.Err() == nil && late >= 0 && late < time.Minute {
			p.once()
		}
	}
}

// sleepUntil waits until that time on the clock, or until all are to end.
func (p *process) sleepUntil(next time.Time) {
	next = next.Round(0)
	p.set(func(s *ProcessStatus) { s.Next = next })
	defer p.set(func(s *ProcessStatus) { s.Next = time.Time{} })
	for {
		left := time.Until(next)
		if left <= 0 {
			return
		}
		timer := time.NewTimer(min(left, sleepAtMost))
		select {
		case <-timer.C:
		case <-p.of.ctx.Done():
			timer.Stop()
			return
		}
	}
}

// set changes the status.
func (p *process) set(change func(*ProcessStatus)) {
	p.mu.Lock()
	change(&p.status)
	p.mu.Unlock()
	p.of.told()
}

// once runs the process until it has ended with all that it has started.
func (p *process) once() {
	begun := time.Now()
	err := p.spawn()
	last := ""
	if err != nil {
		last = err.Error()
	}
	p.set(func(s *ProcessStatus) { s.PID, s.Since, s.Last = 0, time.Now(), last })
	ran := time.Since(begun).Round(time.Millisecond).String()
	switch {
	case p.of.ctx.Err() != nil:
		p.log.Info("process ended, as it was told", "ran", ran)
	case err != nil:
		p.log.Error("process failed", "ran", ran, "error", err)
	case p.next == nil:
		p.log.Warn("process ended", "ran", ran)
	default:
		p.log.Info("process ended", "ran", ran)
	}
}

// spawn runs the process once.
func (p *process) spawn() error {
	cmd := exec.Command("/bin/sh", "-c", p.status.Command)
	out, errs := &lineLog{log: p.log}, &lineLog{log: p.log}
	cmd.Stdout, cmd.Stderr = out, errs
	defer errs.flush()
	defer out.flush()
	return p.of.conditions.run(cmd, func(pid int) {
		p.set(func(s *ProcessStatus) { s.PID, s.Since, s.Runs = pid, time.Now(), s.Runs+1 })
		p.log.Info("process started", "pid", pid)
	}, order{p.of.ctx.Done(), syscall.SIGTERM}, order{p.of.kill, syscall.SIGKILL})
}

// statuses are those of all.
func (ps *processes) statuses() []ProcessStatus {
	var all []ProcessStatus
	for _, p := range ps.all {
		p.mu.Lock()
		all = append(all, p.status)
		p.mu.Unlock()
	}
	return all
}

// lineLog logs each line that is written to it.
type lineLog struct {
	log  *slog.Logger
	rest []byte
}

// maxLine bounds a line; a longer one is logged in parts.
const maxLine = 8 << 10

// Write implements io.Writer.
func (l *lineLog) Write(p []byte) (int, error) {
	for _, c := range p {
		if c == '\n' || len(l.rest) == maxLine {
			l.flush()
		}
		if c != '\n' {
			l.rest = append(l.rest, c)
		}
	}
	return len(p), nil
}

// flush logs what there is of a line.
func (l *lineLog) flush() {
	text := string(l.rest)
	l.rest = l.rest[:0]
	if text != "" {
		l.log.Info("printed", "output", text)
	}
}

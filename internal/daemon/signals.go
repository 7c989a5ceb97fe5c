package daemon

import (
	"os"
	"os/signal"
	"syscall"
)

// signals are what a daemon listens to while it lives.
type signals struct {
	end    chan os.Signal // SIGINT, SIGTERM: twice means at once
	reload chan os.Signal // SIGHUP: new code, new log files
	reopen chan os.Signal // SIGUSR1: new log files
	dump   chan os.Signal // SIGQUIT: log what the application is doing
	pipe   chan os.Signal // SIGPIPE: never read

	terminal bool // there was one to hang up, and hanging up matters
}

// catch begins to listen. From then on no signal ends the process by itself,
// until release.
func catch() *signals {
	s := &signals{
		end:    make(chan os.Signal, 2),
		reload: make(chan os.Signal, 1),
		reopen: make(chan os.Signal, 1),
		dump:   make(chan os.Signal, 1),
		pipe:   make(chan os.Signal, 1),
		// Whoever starts a server with nohup wants it to outlive the terminal.
		terminal: hasTerminal() && !signal.Ignored(syscall.SIGHUP),
	}
	signal.Notify(s.end, syscall.SIGINT, syscall.SIGTERM)
	signal.Notify(s.reload, syscall.SIGHUP)
	signal.Notify(s.reopen, syscall.SIGUSR1)
	// Go's own answer is to print its goroutines and die, which SIGABRT still does.
	signal.Notify(s.dump, syscall.SIGQUIT)
	// A closed pipe behind standard output is an error of the access log and no
	// reason to die. Notify, not Ignore: what is ignored stays so in children.
	signal.Notify(s.pipe, syscall.SIGPIPE)
	return s
}

// giveUp gives the signals that ask for the end their usual effect back.
func (s *signals) giveUp() { signal.Stop(s.end) }

// release gives all signals their usual effect back.
func (s *signals) release() {
	for _, c := range []chan os.Signal{s.end, s.reload, s.reopen, s.dump, s.pipe} {
		signal.Stop(c)
	}
}

// hungUp tells the SIGHUP of a terminal that went away, which asks for the end,
// from one that somebody sent, which asks for a reload: the terminal is gone
// before the signal comes.
func (s *signals) hungUp() bool { return s.terminal && !hasTerminal() }

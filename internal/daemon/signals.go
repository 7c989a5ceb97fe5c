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
	pipe   chan os.Signal // SIGPIPE: never read
}

// catch begins to listen. From then on no signal ends the process by itself,
// until release.
func catch() *signals {
	s := &signals{
		end:    make(chan os.Signal, 2),
		reload: make(chan os.Signal, 1),
		reopen: make(chan os.Signal, 1),
		pipe:   make(chan os.Signal, 1),
	}
	signal.Notify(s.end, syscall.SIGINT, syscall.SIGTERM)
	signal.Notify(s.reload, syscall.SIGHUP)
	signal.Notify(s.reopen, syscall.SIGUSR1)
	// A closed pipe behind standard output is an error of the access log and no
	// reason to die. Notify, not Ignore: what is ignored stays so in children.
	signal.Notify(s.pipe, syscall.SIGPIPE)
	return s
}

// release gives the signals their usual effect back.
func (s *signals) release() {
	for _, c := range []chan os.Signal{s.end, s.reload, s.reopen, s.pipe} {
		signal.Stop(c)
	}
}

package cgi

import (
	"os"
	"syscall"

	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// A runner starts the processes of scripts. It is all that differs between ways
// to run them: a process from an executable (cold), or one forked from an
// interpreter that is there already.
//
// Its methods may be called concurrently.
type runner interface {
	// start starts a process that runs the command and has its files as its only
	// descriptors. It leads a session and a process group of its own, and ends
	// with the server. start returns once it is known whether that worked; it
	// keeps neither the command nor its files, which the caller closes.
	//
	// The error holds the syscall.Errno where the system refused.
	start(c *command) (process, error)
	// close releases what the runner holds. All its processes have ended.
	close()
}

// A command is what a runner starts.
type command struct {
	program program
	script  *script  // that it runs
	env     []string // the whole environment
	dir     string   // the working directory
	// stdin, stdout and stderr become descriptors 0, 1 and 2.
	stdin, stdout, stderr *os.File
	// ended is called once when the process has ended and been reaped, before
	// done is closed. It must not block.
	ended func()
}

// A process is a script's. Its methods may be called concurrently.
type process interface {
	// signal signals the whole process group as long as the script runs, and
	// nobody afterwards.
	signal(sig syscall.Signal)
	// done is closed when the script has ended, been reaped, and whatever else
	// was in its group has been killed.
	done() <-chan struct{}
	// exit says how the script ended. It is valid once done is closed.
	exit() pyproc.Exit
}

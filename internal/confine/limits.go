package confine

import (
	"errors"
	"time"
)

// ErrUnlimited is what a process comes to whose limits cannot be set: it has run
// nothing and is gone.
var ErrUnlimited = errors.New("the limits of a process cannot be set")

// ErrUnsupported is the error for limits that this system cannot hold at all.
var ErrUnsupported = errors.New("resource limits are not supported on this system")

// Limits bound what an application may take of the machine; 0 is no bound.
type Limits struct {
	Memory    int64   // bytes
	CPU       float64 // cores: 0.5 is half of one's time, 2 all of two
	Files     int     // open files of each process
	Processes int     // processes and threads
}

// PerProcess are limits of one process, which its children inherit, each for
// itself; 0 means that there is none but the server's own, which none exceeds.
type PerProcess struct {
	CPU          time.Duration // CPU time, in whole seconds, rounded up
	AddressSpace int64         // bytes
	Data         int64         // bytes of memory that it can write to and shares with nobody
	FileSize     int64         // bytes of a file that is written
	Files        int           // open files
	Processes    int           // of the user altogether, threads included; root is not bounded
}

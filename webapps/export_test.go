package webapps

import (
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
	return settled(e, since)
}

// SetClock has version cookies made and read at another time.
func (d *Deployer) SetClock(now func() time.Time) { d.cookies.now = now }

// Top is top.
var Top = top

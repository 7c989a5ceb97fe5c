//go:build !linux

package pyproc

import (
	"errors"
	"os"
	"syscall"
)

// Elsewhere Start returns errors.ErrUnsupported: the design rests on sockets
// that keep packet borders and on descriptors of processes.
const supported = false

const packetType = syscall.SOCK_DGRAM

func attributes(*User) *syscall.SysProcAttr { return nil }

func watchDeath(int) (*os.File, error) { return nil, errors.ErrUnsupported }

// AwaitDeath returns errors.ErrUnsupported.
func AwaitDeath(*os.File) error { return errors.ErrUnsupported }

func hasDied(*os.File) bool { return false }

func signalProcess(*os.File, syscall.Signal) error { return errors.ErrUnsupported }

//go:build !linux

package pyapp

import (
	"errors"
	"net"
	"os"
)

func receiveFile(*net.UnixConn) (*os.File, error) { return nil, errors.ErrUnsupported }

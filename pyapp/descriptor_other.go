//go:build !linux

package pyapp

import (
	"errors"
	"net"
	"os"
)

func receiveFile(*net.UnixConn) (*os.File, error) { return nil, errors.ErrUnsupported }

func receiveNumber(*os.File) (number int32, ok bool) { return 0, false }

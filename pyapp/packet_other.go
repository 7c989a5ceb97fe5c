//go:build !linux

package pyapp

import (
	"errors"
	"net"
	"os"
)

func sendPacket(int, []byte) error { return errors.ErrUnsupported }

func sendDescriptor(int, *os.File) error { return errors.ErrUnsupported }

type packetReader struct{}

func newPacketReader(*net.UnixConn) (*packetReader, error) { return nil, errors.ErrUnsupported }

func (*packetReader) read([]byte) (int, error) { return 0, errors.ErrUnsupported }

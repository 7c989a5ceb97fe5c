package pyapp

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

// receiveFile receives the packet that brings an open file. Anything but one
// regular file breaks the protocol: a pipe or a device could block whoever
// reads it.
func receiveFile(conn *net.UnixConn) (*os.File, error) {
	var data [1]byte
	rights := make([]byte, syscall.CmsgSpace(4*4))
	n, m, flags, _, err := conn.ReadMsgUnix(data[:], rights)
	if err != nil {
		return nil, fmt.Errorf("%w: no file: %w", errFrame, err)
	}
	messages, err := syscall.ParseSocketControlMessage(rights[:m])
	if err != nil {
		return nil, fmt.Errorf("%w: file: %w", errFrame, err)
	}
	var fds []int
	for i := range messages {
		if more, err := syscall.ParseUnixRights(&messages[i]); err == nil {
			fds = append(fds, more...)
		}
	}
	if len(fds) != 1 || n != 1 || flags&(syscall.MSG_TRUNC|syscall.MSG_CTRUNC) != 0 {
		for _, fd := range fds {
			syscall.Close(fd)
		}
		return nil, fmt.Errorf("%w: %d files where one belongs", errFrame, len(fds))
	}
	var stat syscall.Stat_t
	if err := syscall.Fstat(fds[0], &stat); err != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFREG {
		syscall.Close(fds[0])
		return nil, fmt.Errorf("%w: not a regular file", errFrame)
	}
	return os.NewFile(uintptr(fds[0]), "(file of the application)"), nil
}

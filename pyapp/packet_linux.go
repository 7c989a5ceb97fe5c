package pyapp

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// System calls on lanes go by RawSyscall, past the scheduler's book-keeping:
// telling it of a system call wakes the runtime's monitor thread, which on a
// busy core costs as much as a request. None of them waits, and what they copy
// is bounded by a packet's length.

// sendPacket sends one packet at once or not at all.
func sendPacket(fd int, packet []byte) error {
	for {
		_, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&packet[0])), uintptr(len(packet)),
			syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			return nil
		case syscall.EINTR:
			continue
		}
		return os.NewSyscallError("sendto", errno)
	}
}

// sendDescriptor sends a packet of one byte that brings an open file.
func sendDescriptor(fd int, file *os.File) error {
	err := syscall.Sendmsg(fd, []byte{0}, syscall.UnixRights(int(file.Fd())), nil, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
	return os.NewSyscallError("sendmsg", err)
}

// packetReader reads packets from a socket that the runtime's poller watches. It
// is for one goroutine.
type packetReader struct {
	conn syscall.RawConn
	try  func(fd uintptr) bool // made once: a closure for each read would be an allocation
	buf  []byte
	n    int
	err  error
}

func newPacketReader(conn *net.UnixConn) (*packetReader, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	r := &packetReader{conn: raw}
	r.try = r.receive
	return r, nil
}

// read reads one packet into buf. The error is io.EOF at the end.
func (r *packetReader) read(buf []byte) (int, error) {
	r.buf = buf
	if err := r.conn.Read(r.try); err != nil {
		return 0, err
	}
	return r.n, r.err
}

// receive reports whether the wait is over.
func (r *packetReader) receive(fd uintptr) bool {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&r.buf[0])), uintptr(len(r.buf)), syscall.MSG_DONTWAIT, 0, 0)
		r.n, r.err = int(n), nil
		switch {
		case errno == syscall.EAGAIN:
			return false
		case errno == syscall.EINTR:
			continue
		case errno != 0:
			r.n, r.err = 0, os.NewSyscallError("recvfrom", errno)
		case n == 0:
			r.err = io.EOF
		}
		return true
	}
}

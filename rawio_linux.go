package gatehouse

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// rawIO reads and writes a plain TCP or Unix-domain socket through
// syscall.RawConn. It can do three things that net.Conn cannot: borrow a buffer
// only once there is something to read, write several pieces in one call, and
// see every bit of progress.
//
// The functions handed to RawConn are made once per connection, and take their
// arguments from fields: a closure for each read would be an allocation for
// each request. The fields of reads and those of writes belong to one goroutine
// each.
//
// The system calls go by RawSyscall, past the scheduler's book-keeping. The
// sockets are non-blocking, so the thread is never held longer than it takes to
// copy, and copies are bounded by maxRaw.
type rawIO struct {
	t    *transport
	conn syscall.RawConn // nil where the connection is no plain socket

	read    func(fd uintptr) bool
	in      *input // where to read to, or
	dst     []byte // this
	got     int
	readErr error

	wrote    func(fd uintptr) bool
	vec      [3][]byte // what is left to write
	more     bool      // what is written is followed by more at once
	sent     int
	writeErr error
}

// maxRaw bounds what one system call copies, about 10 µs of a core: the
// scheduler takes a processor back from system calls only after 20 µs.
const maxRaw = 64 << 10

func (r *rawIO) init(t *transport) {
	r.t = t
	var sc syscall.Conn
	switch c := t.conn.(type) {
	case *net.TCPConn:
		sc = c
	case *net.UnixConn:
		sc = c
	default:
		return // a wrapper may count or change what passes: leave it in the way
	}
	conn, err := sc.SyscallConn()
	if err != nil {
		return
	}
	r.conn = conn
	r.read = r.tryRead
	r.wrote = r.tryWrite
}

func (r *rawIO) ok() bool { return r.conn != nil }

// fill reads once into in's buffer.
func (r *rawIO) fill(in *input) error {
	r.in = in
	err := r.conn.Read(r.read)
	r.in = nil
	r.t.reads.end()
	if err != nil {
		return err
	}
	return r.readErr
}

// readInto reads once into p.
func (r *rawIO) readInto(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	r.dst = p
	err := r.conn.Read(r.read)
	r.dst = nil
	r.t.reads.end()
	if err != nil {
		return 0, err
	}
	return r.got, r.readErr
}

// tryRead reads what is there and reports whether the wait is over. It must try
// each time it is called: the poller forgot earlier wake-ups before.
func (r *rawIO) tryRead(fd uintptr) bool {
	p := r.dst
	if r.in != nil {
		p = r.in.room()
	}
	n, errno := readFD(fd, p)
	if errno == syscall.EAGAIN {
		if r.in != nil {
			r.in.releaseUnused()
		}
		r.t.reads.begin(r.t.clock)
		return false
	}
	r.got, r.readErr = n, nil
	if r.in != nil {
		r.in.buf.grown(n)
	}
	switch {
	case errno != 0:
		r.readErr = os.NewSyscallError("read", errno)
	case n == 0:
		r.readErr = io.EOF
	}
	if r.in != nil {
		r.in.releaseUnused()
	}
	return true
}

// write writes a, b and c.
func (r *rawIO) write(a, b, c []byte) (int, error) {
	r.vec, r.sent, r.writeErr = [3][]byte{a, b, c}, 0, nil
	err := r.conn.Write(r.wrote)
	r.vec = [3][]byte{}
	r.t.writes.end()
	if err == nil {
		err = r.writeErr
	}
	return r.sent, err
}

// tryWrite writes what the socket takes and reports whether the wait is over.
func (r *rawIO) tryWrite(fd uintptr) bool {
	for {
		var iov [3]syscall.Iovec
		count, size := 0, 0
		for i := range r.vec {
			p := r.vec[i][:min(len(r.vec[i]), maxRaw-size)]
			if len(p) == 0 {
				continue
			}
			iov[count].Base = &p[0]
			iov[count].SetLen(len(p))
			count++
			size += len(p)
		}
		if count == 0 {
			return true
		}
		n, errno := writeFD(fd, &iov, count, r.more)
		if errno == syscall.EAGAIN {
			r.t.writes.begin(r.t.clock)
			return false
		}
		if errno != 0 {
			r.writeErr = os.NewSyscallError("write", errno)
			return true
		}
		r.t.writes.end()
		r.sent += n
		for i := range r.vec {
			k := min(n, len(r.vec[i]))
			r.vec[i] = r.vec[i][k:]
			n -= k
		}
	}
}

// maxSendFile bounds one call of sendfile or splice. The socket's buffer bounds it further.
const maxSendFile = 4 << 20

// sendFile sends up to n bytes of f, from its offset on, and moves the offset.
// It ends early, without an error, at the end of the file. An error of
// errors.ErrUnsupported says that nothing was sent and copying must do.
func (r *rawIO) sendFile(f regularFile, n int64) (sent int64, err error) {
	return r.pass(f, n, "sendfile", func(out, in, n int) (int, error) {
		return syscall.Sendfile(out, in, nil, n)
	})
}

// splice sends n bytes that the pipe holds. It ends early, without an error, if
// the pipe is closed. The error is as for sendFile.
func (r *rawIO) splice(pipe regularFile, n int64) (sent int64, err error) {
	const nonblock = 2 // SPLICE_F_NONBLOCK: what is waited for is the socket
	return r.pass(pipe, n, "splice", func(out, in, n int) (int, error) {
		k, err := syscall.Splice(in, nil, out, nil, n, nonblock)
		return int(k), err
	})
}

// pending returns how many bytes a pipe holds.
func (r *rawIO) pending(pipe regularFile) (n int64) {
	conn, err := pipe.SyscallConn()
	if err != nil {
		return 0
	}
	_ = conn.Control(func(fd uintptr) { // of a closed pipe, nothing
		var size int32
		if _, _, errno := syscall.RawSyscall(syscall.SYS_IOCTL, fd, fionread, uintptr(unsafe.Pointer(&size))); errno == 0 {
			n = int64(size)
		}
	})
	return n
}

// fionread is FIONREAD of ioctl(2), which package syscall does not name.
const fionread = syscall.TIOCINQ

// pass has the kernel pass up to n bytes of f to the socket, with the system call
// that move makes.
func (r *rawIO) pass(f regularFile, n int64, name string, move func(out, in, n int) (int, error)) (sent int64, err error) {
	src, err := f.SyscallConn()
	if err != nil {
		return 0, errors.ErrUnsupported
	}
	var failed error
	try := func(in, out int) bool {
		for sent < n {
			want := int(min(n-sent, maxSendFile))
			k, err := move(out, in, want)
			switch {
			case err == syscall.EAGAIN:
				r.t.writes.begin(r.t.clock)
				return false
			case err == syscall.EINTR:
				continue
			case sent == 0 && (err == syscall.EINVAL || err == syscall.ENOSYS || err == syscall.EOPNOTSUPP):
				failed = errors.ErrUnsupported
				return true
			case err != nil:
				failed = os.NewSyscallError(name, err)
				return true
			case k == 0:
				return true
			}
			r.t.writes.end()
			sent += int64(k)
			if k < want && sent < n && full(out) {
				r.t.writes.begin(r.t.clock)
				return false
			}
		}
		return true
	}
	var waited error
	err = src.Control(func(in uintptr) {
		waited = r.conn.Write(func(out uintptr) bool { return try(int(in), int(out)) })
	})
	r.t.writes.end()
	if err != nil {
		return 0, errors.ErrUnsupported
	}
	if waited != nil {
		return sent, waited
	}
	return sent, failed
}

// full reports whether a socket takes nothing more at the moment. Asking is a
// tenth of what it costs to let sendfile find out, which collects pages of the
// file first. (That sendfile sent less than it was told to is no answer: a
// signal does that too, and then the poller would have nothing to report.)
func full(fd int) bool {
	p := struct {
		fd              int32
		events, revents int16
	}{fd: int32(fd), events: pollOut}
	var now syscall.Timespec
	n, _, errno := syscall.RawSyscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return errno == 0 && n == 0
}

// pollOut is POLLOUT of poll(2), which package syscall does not name.
const pollOut = 4

// msgMore is MSG_MORE of send(2), which package syscall does not name.
const msgMore = 0x8000

func readFD(fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(min(len(p), maxRaw)), 0, 0, 0)
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}

// writeFD writes the pieces. more says that others follow at once, so that a
// packet which is not full may wait for them; it is about a single piece only.
func writeFD(fd uintptr, iov *[3]syscall.Iovec, count int, more bool) (int, syscall.Errno) {
	flags := uintptr(syscall.MSG_NOSIGNAL)
	if more {
		flags |= msgMore
	}
	for {
		var n uintptr
		var errno syscall.Errno
		if count == 1 {
			n, _, errno = syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(iov[0].Base)), uintptr(iov[0].Len), flags, 0, 0)
		} else {
			n, _, errno = syscall.RawSyscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(iov)), uintptr(count))
		}
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}

package daemon_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

func TestListenError(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	for _, tt := range []struct {
		name, addr string
		err        error
		line, hint string
		usage      bool
	}{
		{
			"reserved port", "127.0.0.1:80", &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)},
			"cannot listen on 127.0.0.1:80: permission denied", "ports below 1024 need root", false,
		},
		{
			"taken", ":8000", &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)},
			"cannot listen on :8000: address already in use", "another program has that port", false,
		},
		{
			"foreign address", "192.0.2.1:1", &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)},
			"cannot listen on 192.0.2.1:1: cannot assign requested address", "no address of this machine", false,
		},
		{
			"unknown host", "nowhere:1", &net.OpError{Op: "listen", Err: &net.DNSError{Err: "no such host", Name: "nowhere"}},
			"cannot listen on nowhere:1: no such host", "is the host name right?", false,
		},
		{
			"no port", "here", &net.OpError{Op: "listen", Err: &net.AddrError{Err: "missing port in address", Addr: "here"}},
			"cannot listen on here: missing port in address", "write host:port", true,
		},
		{
			"socket in use", "unix:" + socket, &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)},
			"cannot listen on unix:" + socket + ": address already in use", "another server answers there", false,
		},
		{"anything else", ":1", errors.New("the moon is wrong"), "cannot listen on :1: the moon is wrong", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := daemon.ListenError(tt.addr, tt.err)
			if e.Error() != tt.line || !strings.Contains(e.Hint, tt.hint) || e.Usage != tt.usage {
				t.Errorf("%q, hint %q, usage %v; want %q, %q, %v", e, e.Hint, e.Usage, tt.line, tt.hint, tt.usage)
			}
		})
	}
}

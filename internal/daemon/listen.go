package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/seed-07905ac1/gatehouse"
)

// listen opens every address, or none.
func listen(addrs []string, backlog int) ([]net.Listener, error) {
	var all []net.Listener
	for _, addr := range addrs {
		l, err := gatehouse.Listen(addr, backlog)
		if err != nil {
			for _, l := range all {
				l.Close()
			}
			return nil, listenError(addr, err)
		}
		all = append(all, l)
	}
	return all, nil
}

// listenError is err in one line that names the address and the cause, with
// what can be done about it.
func listenError(addr string, err error) *Error {
	e := &Error{Err: fmt.Errorf("cannot listen on %s: %w", addr, cause(err))}
	var syntax *net.AddrError
	var dns *net.DNSError
	switch {
	case strings.HasPrefix(addr, "unix:"):
		if errors.Is(err, syscall.EADDRINUSE) {
			e.Hint = "another server answers there"
		}
	case errors.As(err, &syntax) || strings.Contains(err.Error(), "unknown port"):
		e.Hint, e.Usage = "write host:port, :port or unix:/path", true
	case errors.As(err, &dns):
		e.Hint = "is the host name right? --listen 127.0.0.1:8000 needs none"
	case errors.Is(err, fs.ErrPermission):
		e.Hint = "ports below 1024 need root or CAP_NET_BIND_SERVICE; try --listen 127.0.0.1:8000"
	case errors.Is(err, syscall.EADDRINUSE):
		e.Hint = "another program has that port; port 0 takes any free one"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		e.Hint = "that is no address of this machine; :port listens on all it has"
	}
	return e
}

// cause is the innermost error, without the names of system calls and packages
// around it.
func cause(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return errors.New(dns.Err)
	}
	var syntax *net.AddrError
	if errors.As(err, &syntax) {
		return errors.New(syntax.Err)
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// address is what one listener is called.
type address struct {
	url  string
	port uint16   // 0 for a Unix socket
	open bool     // others than this machine can reach it
	lan  []string // URLs for others, if it listens on every address
}

// describe names a listener as people reach it.
func describe(l net.Listener) address {
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return address{url: l.Addr().Network() + ":" + l.Addr().String()}
	}
	ap := tcp.AddrPort()
	ap = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	a := address{url: "http://" + ap.String() + "/", port: ap.Port(), open: !ap.Addr().IsLoopback()}
	if ap.Addr().IsUnspecified() {
		a.url = fmt.Sprintf("http://127.0.0.1:%d/", ap.Port())
		for _, ip := range lanAddrs() {
			a.lan = append(a.lan, "http://"+netip.AddrPortFrom(ip, ap.Port()).String()+"/")
		}
	}
	return a
}

// lanAddrs are the addresses by which others may know this machine, IPv4 first,
// because that is what people can type.
func lanAddrs() []netip.Addr {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil // the URL of this machine itself is still right
	}
	var ips []netip.Addr
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(n.IP)
		if ok && ip.Unmap().IsGlobalUnicast() {
			ips = append(ips, ip.Unmap())
		}
	}
	slices.SortFunc(ips, netip.Addr.Compare) // IPv4 sorts before IPv6
	return ips
}

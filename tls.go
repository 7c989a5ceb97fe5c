package gatehouse

import (
	"crypto/tls"
	"errors"
	"io"
)

// handshake makes the TLS handshake, within the head time-out. It returns false
// if the connection is to be closed.
func (c *conn) handshake() bool {
	err := c.tls.HandshakeContext(c.base)
	if err == nil {
		state := c.tls.ConnectionState()
		c.secure = &state
		return speaksHTTP1(state.NegotiatedProtocol) && c.enter(stateNew)
	}
	var wrong tls.RecordHeaderError
	if errors.As(err, &wrong) && wrong.Conn != nil && looksLikeHTTP(wrong.RecordHeader) {
		// The client cannot read anything encrypted.
		_, _ = io.WriteString(wrong.Conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"+
			"Connection: close\r\n\r\nThis port speaks HTTPS, and the request came as plain HTTP.\n")
	}
	// EOF is a client that only looked whether the port is open.
	if !c.srv.draining.Load() && !errors.Is(err, io.EOF) {
		c.srv.log().Warn("TLS handshake failed", "client", c.rwc.RemoteAddr().String(), "error", err)
	}
	return false
}

// speaksHTTP1 reports whether a client that has agreed on protocol will send
// HTTP/1. A callback of the configuration's may have offered others, such as
// acme-tls/1, which is over with the handshake.
func speaksHTTP1(protocol string) bool {
	switch protocol {
	case "", "http/1.1", "http/1.0":
		return true
	}
	return false
}

// looksLikeHTTP reports whether the first bytes of a connection are those of a
// request.
func looksLikeHTTP(start [5]byte) bool {
	switch string(start[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET", "PATCH":
		return true
	}
	return false
}

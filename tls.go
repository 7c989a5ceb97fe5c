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
		return c.enter(stateNew)
	}
	var wrong tls.RecordHeaderError
	if errors.As(err, &wrong) && wrong.Conn != nil && looksLikeHTTP(wrong.RecordHeader) {
		// The client cannot read anything encrypted.
		_, _ = io.WriteString(wrong.Conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"+
			"Connection: close\r\n\r\nThis port speaks HTTPS, and the request came as plain HTTP.\n")
	}
	if c.srv.draining.Load() || c.state() != stateHandshake {
		return false
	}
	if !errors.Is(err, io.EOF) { // a client that only looked whether the port is open
		c.srv.log().Warn("TLS handshake failed", "client", c.rwc.RemoteAddr().String(), "error", err)
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

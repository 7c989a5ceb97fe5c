package testserver

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// Client is one connection that sends exact bytes and reads answers strictly.
// Its methods fail the test on what they do not expect, and every read and
// write ends at a deadline, so that a server that hangs fails a test instead of
// stopping it. One goroutine may send while another reads.
type Client struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

// NewClient returns a Client on conn, which it closes at the end of the test.
func NewClient(t testing.TB, conn net.Conn) *Client {
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(Patience))
	return &Client{Conn: conn, t: t, r: bufio.NewReader(conn)}
}

// Send writes the bytes as they are.
func (c *Client) Send(raw string) {
	c.t.Helper()
	if err := c.TrySend(raw); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// TrySend is Send for a server that may have closed already.
func (c *Client) TrySend(raw string) error {
	_, err := io.WriteString(c.Conn, raw)
	return err
}

// Read reads body bytes past the client's buffer: for what follows an upgrade.
func (c *Client) Read(p []byte) (int, error) { return c.r.Read(p) }

// Expect reads len(want) bytes and fails the test if they are not want.
func (c *Client) Expect(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c.r, got); err != nil || string(got) != want {
		c.t.Fatalf("read %q, %v; want %q", got[:n], err, want)
	}
}

// Head reads the next head, informational or final, and no body. method is
// that of the request it answers, "" for any but HEAD.
func (c *Client) Head(method string) *Response {
	c.t.Helper()
	res, err := readHead(c.r, method)
	if err != nil {
		c.t.Fatalf("response head: %v", err)
	}
	return res
}

// Chunk reads the next chunk of a chunked body whose head was read by Head; ""
// is the last one.
func (c *Client) Chunk() string {
	c.t.Helper()
	chunk, err := readChunk(c.r)
	if err != nil {
		c.t.Fatalf("chunk: %v", err)
	}
	return chunk
}

// Response reads the next final response with its body, the informational
// ones before it into Early.
func (c *Client) Response(method string) *Response {
	c.t.Helper()
	res, err := c.Next(method)
	if err != nil {
		c.t.Fatalf("response: %v (got %+v)", err, res)
	}
	return res
}

// Next is Response for a test that expects an error: io.EOF if the connection
// ended before the head, io.ErrUnexpectedEOF if it ended inside.
func (c *Client) Next(method string) (*Response, error) {
	var early []*Response
	for {
		res, err := readHead(c.r, method)
		if err != nil {
			return nil, err
		}
		if res.Status < 200 && res.Status != 101 {
			early = append(early, res)
			continue
		}
		res.Early = early
		return res, res.readBody(c.r)
	}
}

// Roundtrip sends one request and reads its answer. The method for framing is
// read off the raw request.
func (c *Client) Roundtrip(raw string) *Response {
	c.t.Helper()
	c.Send(raw)
	return c.Response(method(raw))
}

func method(raw string) string {
	if len(raw) > 5 && raw[:5] == "HEAD " {
		return "HEAD"
	}
	return ""
}

// Closed fails the test unless the server ends the connection with nothing
// more to read. A reset counts as an end.
func (c *Client) Closed() {
	c.t.Helper()
	rest, err := c.Rest()
	if err != nil && !Ended(err) {
		c.t.Fatalf("connection not closed: %v", err)
	}
	if rest != "" {
		c.t.Fatalf("more before the end of the connection: %q", rest)
	}
}

// Rest reads all there is until the connection ends.
func (c *Client) Rest() (string, error) {
	rest, err := io.ReadAll(c.r)
	return string(rest), err
}

// Open fails the test unless the connection still serves: it asks for path
// and reads the answer.
func (c *Client) Open(path string) *Response {
	c.t.Helper()
	return c.Roundtrip("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n")
}

// CloseWrite ends the client's sending direction only. That the server has
// ended the connection before is no failure.
func (c *Client) CloseWrite() {
	c.t.Helper()
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		c.t.Fatalf("%T cannot be closed for writing", c.Conn)
	}
	if err := half.CloseWrite(); err != nil && !errors.Is(err, syscall.ENOTCONN) {
		c.t.Fatalf("close write: %v", err)
	}
}

// Reset ends the connection with a TCP RST where the transport has one, as a
// client that crashed; elsewhere it closes.
func (c *Client) Reset() {
	conn := c.Conn
	if tc, ok := conn.(*tls.Conn); ok {
		conn = tc.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// Ended reports whether err is how the end of a connection looks to a client:
// EOF, a reset, a broken pipe, a TLS stream cut off.
func Ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

// TimedOut reports whether err is that of a deadline.
func TimedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

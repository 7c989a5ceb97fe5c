package pyapp_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// A chaosRequest knows what its answer has to be.
type chaosRequest struct {
	id, kind string
	body     []byte
}

// newRequest makes the next request.
func (c *chaos) newRequest(kind string, body []byte) *chaosRequest {
	return &chaosRequest{strconv.FormatInt(c.last.Add(1), 10), kind, body}
}

// raw is the request as it is sent.
func (r *chaosRequest) raw() []byte {
	method := http.MethodGet
	if r.body != nil {
		method = http.MethodPost
	}
	return fmt.Appendf(nil, "%s /%s/%s HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s", method, r.kind, r.id, len(r.body), r.body)
}

// answer is the whole body that belongs to it, "" where there must be none.
func (r *chaosRequest) answer() string {
	line := r.id + "\n"
	switch r.kind {
	case "quick", "slow", "hungry", "dies_in_stream":
		return line
	case "echo":
		return line + string(r.body)
	case "large":
		return strings.Repeat(line, 30000)
	case "stream":
		return strings.Repeat(line, 40)
	}
	return ""
}

// mayBreakOff reports whether its answer may end before it is complete, which the
// client sees: the worker had sent a part when it was ended.
func (r *chaosRequest) mayBreakOff() bool {
	return r.kind == "stream" || r.kind == "large" || r.kind == "echo" || r.kind == "dies_in_stream"
}

// outcome is what became of a request for its client.
type outcome struct {
	status    int
	brokenOff bool // the connection ended in the middle of the body
	left      bool // the client left before the answer was complete
	unsent    bool // likewise, before the request was complete
	last      bool // the server said that it closes the connection
	wrong     error
}

// String names the outcome in the account.
func (o outcome) String() string {
	switch {
	case o.wrong != nil:
		return "wrong: " + o.wrong.Error()
	case o.unsent:
		return "client left while sending"
	case o.left:
		return "client left"
	case o.brokenOff:
		return "broken off"
	}
	return strconv.Itoa(o.status)
}

// mustHaveRun reports whether such an answer comes from the application only.
func (o outcome) mustHaveRun() bool {
	return o.status == http.StatusOK || o.status == http.StatusInternalServerError
}

// cannotHaveRun reports whether such an outcome promises that the application
// has not begun the request.
func (o outcome) cannotHaveRun() bool {
	return o.unsent || o.status == http.StatusServiceUnavailable
}

// note keeps the outcome for the account.
func (c *chaos) note(r *chaosRequest, o outcome) outcome {
	if o.wrong != nil {
		c.t.Errorf("request %s for %s: %v", r.id, r.kind, o.wrong)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outcomes[r.id] = o
	return o
}

// chaosConn is a client's connection.
type chaosConn struct {
	net.Conn
	answers *bufio.Reader
	before  string // which request was answered last, and how
}

func newChaosConn(conn net.Conn) *chaosConn {
	return &chaosConn{Conn: conn, answers: bufio.NewReader(conn), before: "none"}
}

// patient gives the next step its deadline.
func (conn *chaosConn) patient() {
	_ = conn.SetDeadline(time.Now().Add(testserver.Patience)) // fails only on a closed connection
}

// send writes a part of a request. That the server does not want the rest is no
// failure: its answer says why.
func (conn *chaosConn) send(part []byte) {
	conn.patient()
	_, _ = conn.Write(part)
}

// exchange sends a request and receives its answer.
func (conn *chaosConn) exchange(r *chaosRequest) outcome {
	conn.send(r.raw())
	return conn.receive(r, nil)
}

// receive reads the next answer on the connection, which must be that of r.
// between is called after each part, if it is not nil.
func (conn *chaosConn) receive(r *chaosRequest, between func()) outcome {
	conn.patient()
	head, err := http.ReadResponse(conn.answers, nil)
	if err != nil {
		return outcome{wrong: fmt.Errorf("no answer after that to %s: %w", conn.before, err)}
	}
	defer head.Body.Close()
	o := outcome{status: head.StatusCode, last: head.Close}
	conn.before = fmt.Sprintf("%s for %s, status %d", r.id, r.kind, o.status)
	var body bytes.Buffer
	for err == nil {
		conn.patient()
		_, err = io.CopyN(&body, head.Body, 32<<10)
		if between != nil {
			between()
		}
	}
	want := r.answer()
	switch {
	case !errors.Is(err, io.EOF) && !testserver.Ended(err):
		o.wrong = fmt.Errorf("status %d, then %w", o.status, err)
	case !errors.Is(err, io.EOF) && (o.status != http.StatusOK || !r.mayBreakOff()):
		o.wrong = fmt.Errorf("status %d, broken off", o.status)
	case !errors.Is(err, io.EOF):
		o.brokenOff = true
		if !strings.HasPrefix(want, body.String()) {
			o.wrong = fmt.Errorf("another answer, broken off: %.40q, want the start of %.40q", body.String(), want)
		}
	case o.status == http.StatusOK:
		if body.String() != want || r.kind == "dies_in_stream" {
			o.wrong = fmt.Errorf("another answer: %d bytes %.40q, want %d bytes %.40q", body.Len(), body.String(), len(want), want)
		}
	case o.status == http.StatusInternalServerError && r.kind == "raises":
	case o.status == http.StatusBadGateway, o.status == http.StatusServiceUnavailable, o.status == http.StatusGatewayTimeout:
	default:
		o.wrong = fmt.Errorf("status %d: %.100q", o.status, body.String())
	}
	return o
}

// finish closes the connection and fails if there was one answer too many.
func (c *chaos) finish(conn *chaosConn) {
	if n := conn.answers.Buffered(); n > 0 {
		left, _ := conn.answers.Peek(n) // so much is there
		c.t.Errorf("%d bytes that answer no request: %.60q", n, left)
	}
	conn.Close()
}

// anyKind picks what to ask for: mostly what goes well.
func anyKind(random *rand.Rand) string {
	rare := []string{"hungry", "raises", "dies", "dies_in_stream", "sleeps", "stubborn", "nonsense"}
	if random.IntN(50) == 0 {
		return rare[random.IntN(len(rare))]
	}
	return []string{"quick", "quick", "quick", "slow", "stream", "large"}[random.IntN(6)]
}

// steadyClient asks again and again on one connection.
func (c *chaos) steadyClient(random *rand.Rand) {
	conn, err := c.dial()
	if err != nil {
		c.t.Error(err)
		return
	}
	defer c.finish(conn)
	for range 50 {
		r := c.newRequest(anyKind(random), nil)
		if o := c.note(r, conn.exchange(r)); o.brokenOff || o.last || o.wrong != nil || c.stopped() {
			return
		}
	}
}

// pipeliningClient sends several requests before it reads the first answer.
func (c *chaos) pipeliningClient(random *rand.Rand) {
	conn, err := c.dial()
	if err != nil {
		c.t.Error(err)
		return
	}
	defer c.finish(conn)
	var requests []*chaosRequest
	var raw []byte
	for range 6 {
		kind := []string{"quick", "slow"}[random.IntN(2)]
		requests = append(requests, c.newRequest(kind, nil))
		raw = append(raw, requests[len(requests)-1].raw()...)
	}
	conn.send(raw)
	for i, r := range requests {
		if o := c.note(r, conn.receive(r, nil)); o.last {
			for _, r := range requests[i+1:] {
				c.note(r, outcome{unsent: true}) // the server does not read on
			}
			return
		}
	}
}

// slowSender sends a body bit by bit.
func (c *chaos) slowSender(random *rand.Rand) {
	conn, err := c.dial()
	if err != nil {
		c.t.Error(err)
		return
	}
	defer c.finish(conn)
	r := c.newRequest("echo", someBody(random))
	for raw := r.raw(); len(raw) > 0; {
		n := min(len(raw), 1+random.IntN(8<<10))
		conn.send(raw[:n])
		raw = raw[n:]
		c.rest(random, 4*time.Millisecond)
	}
	c.note(r, conn.receive(r, nil))
}

// someBody is one that travels with the request, one that goes through memory,
// or one that goes through a file.
func someBody(random *rand.Rand) []byte {
	size := []int{1 << 10, 60 << 10, 150 << 10}[random.IntN(3)]
	return bytes.Repeat([]byte{byte('a' + random.IntN(26))}, size)
}

// slowReader takes a long answer bit by bit.
func (c *chaos) slowReader(random *rand.Rand) {
	conn, err := c.dial()
	if err != nil {
		c.t.Error(err)
		return
	}
	defer c.finish(conn)
	r := c.newRequest([]string{"large", "stream"}[random.IntN(2)], nil)
	conn.send(r.raw())
	c.note(r, conn.receive(r, func() { c.rest(random, 20*time.Millisecond) }))
}

// leavingClient goes away in the middle: of its request, before the answer, or
// in it.
func (c *chaos) leavingClient(random *rand.Rand) {
	conn, err := c.dial()
	if err != nil {
		c.t.Error(err)
		return
	}
	defer conn.Close()
	r := c.newRequest(anyKind(random), nil)
	if random.IntN(2) == 0 {
		r = &chaosRequest{r.id, "echo", someBody(random)}
	}
	raw := r.raw()
	o := outcome{left: true}
	switch random.IntN(3) {
	case 0:
		conn.send(raw[:1+random.IntN(len(raw)-1)])
		o.unsent = true
	case 1:
		conn.send(raw)
	case 2:
		conn.send(raw)
		conn.patient()
		_, _ = conn.answers.ReadByte() // it may have been broken off
	}
	c.rest(random, 20*time.Millisecond)
	c.note(r, o)
}

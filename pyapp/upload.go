package pyapp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/bounded"
	"github.com/seed-07905ac1/gatehouse/internal/marshal"
)

// An upload is a request body that reaches the worker through a pipe while the
// client sends it. It comes in pieces: four bytes with the length, then as many
// bytes; a length of 0 says that the body is complete. A pipe that ends without
// it means that the rest will never come, so that half of a body cannot be
// taken for all of it.
//
// One goroutine copies; whoever starts it ends it.
type upload struct {
	pipe *os.File // the writing end
	src  *bounded.Reader

	waits   atomic.Bool   // what we wait for is the client
	stopped atomic.Bool   // nobody wants the rest
	broken  atomic.Bool   // the client or the limit ended it
	whole   bool          // the body was read to its end; read it after done
	done    chan struct{} // closed when nothing is copied any more
}

// pieceHeader is how many bytes stand before a piece, pieceSize how long one is
// at most: with its length it just fits into the pipe.
const (
	pieceHeader = 4
	pieceSize   = 64<<10 - pieceHeader
)

// takeStream makes a packet whose body is a pipe. Nothing is read of the
// request yet.
func (p *Pool) takeStream(c *call, r *http.Request) error {
	if !p.takeHead(c, r, r.ContentLength) {
		return errOutside
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		return &requestError{http.StatusInternalServerError, fmt.Errorf("pipe for the body: %w", err)}
	}
	c.body = theirs
	c.upload = &upload{
		pipe: ours, done: make(chan struct{}),
		src: bounded.NewReader(r.Body, p.config.MaxBody, 0),
	}
	c.packet = endPacket(marshal.AppendNone(c.packet))
	return c.checkPacket()
}

// start begins to copy the body of c's request.
func (u *upload) start(c *call) {
	go func() {
		defer close(u.done)
		defer u.pipe.Close()
		err := u.copy()
		if err == nil {
			return
		}
		// All of this before the worker can see the end: what it makes of that
		// must not come first.
		u.broken.Store(true)
		if u.src.Exceeded {
			err = tooLarge(c.pool.config.MaxBody)
		} else {
			err = clientError(err)
		}
		// Where the answer has begun it is for the application to decide what to
		// say: reading on is an error for it.
		c.refuseUpload(err)
	}()
}

// copy returns an error if the body did not come to its end and somebody still
// wanted it.
func (u *upload) copy() error {
	defer u.waits.Store(false)
	buf := make([]byte, pieceHeader+pieceSize)
	for {
		u.waits.Store(true)
		if u.stopped.Load() {
			return nil
		}
		n, err := u.src.Read(buf[pieceHeader:])
		u.waits.Store(false)
		u.whole = errors.Is(err, io.EOF)
		if n > 0 {
			binary.LittleEndian.PutUint32(buf, uint32(n))
			if _, err := u.pipe.Write(buf[:pieceHeader+n]); err != nil {
				return nil // nobody reads it any more
			}
		}
		switch {
		case u.whole:
			_, _ = u.pipe.Write(make([]byte, pieceHeader)) // as above
			return nil
		case u.stopped.Load():
			return nil
		case err != nil:
			return err
		}
	}
}

// lastPiece is how long a client is still listened to whose body nobody wants any
// more: what it has sent is here by then, and the connection can be kept.
const lastPiece = 20 * time.Millisecond

// end stops the copying and waits for it. A client that goes on sending has its
// connection closed after the response: the server, which would read on for a
// while, finds that the time is over. A second call does nothing.
func (u *upload) end(w http.ResponseWriter) {
	u.stopped.Store(true)
	u.pipe.Close()
	select {
	case <-u.done:
		if u.whole {
			return
		}
	default:
	}
	// Where the writer has no deadlines, we wait for the client.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(lastPiece))
	<-u.done
}

// settle prepares for the response. One that is complete needs no more of the
// body; with one that goes on the body may go on too.
func (u *upload) settle(w http.ResponseWriter, goesOn bool) {
	if goesOn {
		_ = http.NewResponseController(w).EnableFullDuplex() // where it is unknown, the server reads what it likes
		return
	}
	u.end(w)
}

// refuseUpload ends the call with an error if it has no answer yet.
func (c *call) refuseUpload(err error) {
	c.mu.Lock()
	isWaiting := c.phase == waiting
	if isWaiting {
		c.answer.err, c.phase = err, answered
		c.signal()
	}
	c.mu.Unlock()
	if l := c.lane.Load(); isWaiting && l != nil {
		l.abandon(c)
	}
}

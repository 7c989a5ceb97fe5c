package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"syscall"
)

// Client talks to one server. It is safe for concurrent use. Made by Dial.
type Client struct {
	path string
	http *http.Client
}

// Dial returns a client for the socket at a path. Whether a server answers there,
// its first request tells.
func Dial(path string) *Client {
	var d net.Dialer
	return &Client{path: path, http: &http.Client{Transport: &http.Transport{
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) },
		DisableCompression: true,
		// What is refused for its name is refused before the archive is sent.
		ExpectContinueTimeout: askTime,
	}}}
}

// Path is the socket's.
func (c *Client) Path() string { return c.path }

// Close ends connections that are kept for more requests.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// NoServerError says that no server answers at a socket.
type NoServerError struct {
	Path string
	Err  error
}

// Error is one line.
func (e *NoServerError) Error() string {
	return fmt.Sprintf("no server answers at %s: %v", e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *NoServerError) Unwrap() error { return e.Err }

// ErrEnded is the error of a server that has ended in the middle of an answer.
var ErrEnded = errors.New("the server has ended before its answer was complete")

// Get asks for what path names and decodes the answer into v. An error of the
// server's is an *Error.
func (c *Client) Get(ctx context.Context, path string, query url.Values, v any) error {
	body, err := c.ask(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(v); err != nil {
		return ended(ctx)
	}
	return nil
}

// Lines asks for what path names and calls each with every line of the answer,
// decoded. Its error ends the answer.
func Lines[T any](ctx context.Context, c *Client, method, path string, query url.Values, body io.Reader, each func(*T) error) error {
	answer, err := c.ask(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	r := bufio.NewReader(answer)
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		if err != nil {
			return ended(ctx)
		}
		v := new(T)
		if err := json.Unmarshal(line, v); err != nil {
			return fmt.Errorf("control: read an answer: %w", err)
		}
		if err := each(v); err != nil {
			return err
		}
	}
}

// Do asks for a change, and calls step with each event before the last, which it
// returns. body is what is deployed, nil for nothing.
func (c *Client) Do(ctx context.Context, what string, query url.Values, body io.Reader, step func(string)) (Event, error) {
	var last *Event
	err := Lines(ctx, c, http.MethodPost, what, query, body, func(e *Event) error {
		last = e
		if e.Step != "" {
			step(e.Step)
		}
		return nil
	})
	switch {
	case err != nil:
		return Event{}, err
	case last == nil || !last.Done && last.Error == nil:
		return Event{}, ErrEnded
	case last.Error != nil:
		return *last, last.Error
	}
	return *last, nil
}

// ask sends a request and returns the body of an answer that is well.
func (c *Client) ask(ctx context.Context, method, path string, query url.Values, body io.Reader) (io.ReadCloser, error) {
	u := url.URL{Scheme: "http", Host: "gatehouse", Path: Base + path, RawQuery: query.Encode()}
	sent := &source{r: body}
	if body != nil {
		body = sent
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("control: ask: %w", err)
	}
	if body != nil {
		r.Header.Set("Expect", "100-continue")
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, c.failed(ctx, sent, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var failed Failed
	if err := json.NewDecoder(resp.Body).Decode(&failed); err != nil || failed.Error == nil {
		return nil, fmt.Errorf("control: what answers at %s is no gatehouse: %s", c.path, resp.Status)
	}
	return nil, failed.Error
}

// source is the body of a request, which remembers why it could not be read.
type source struct {
	r   io.Reader
	err atomic.Pointer[error]
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err.Store(&err)
	}
	return n, err
}

// failed says why there was no answer.
func (c *Client) failed(ctx context.Context, sent *source, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		if errno, ok := errors.AsType[syscall.Errno](err); ok {
			err = errno
		}
		return &NoServerError{c.path, err}
	}
	if own := sent.err.Load(); own != nil {
		return *own
	}
	return ended(ctx)
}

// ended tells a server that has ended from a client that has had enough.
func ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return ErrEnded
}

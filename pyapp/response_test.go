package pyapp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestCheckHead(t *testing.T) {
	tests := []struct {
		name, head string
		length     int64
		ok         bool
	}{
		{"none", "", -1, true},
		{"fields", "A: b\r\nX-Long-Name:c\r\n", -1, true},
		{"length", "content-length: 12\r\n", 12, true},
		{"empty value", "A:\r\n", -1, true},
		{"bytes above ASCII", "A: caf\xe9\r\n", -1, true},
		{"no end", "A: b", -1, false},
		{"bare LF", "A: b\nB: c\r\n", -1, false},
		{"bare CR", "A: b\rB: c\r\n", -1, false},
		{"empty line", "A: b\r\n\r\n", -1, false},
		{"no colon", "A b\r\n", -1, false},
		{"no name", ": b\r\n", -1, false},
		{"space in the name", "A : b\r\n", -1, false},
		{"NUL", "A: b\x00\r\n", -1, false},
		{"two lengths", "Content-Length: 1\r\nContent-Length: 1\r\n", -1, false},
		{"length with a sign", "Content-Length: +1\r\n", -1, false},
		{"Transfer-Encoding", "Transfer-Encoding: chunked\r\n", -1, false},
		{"Connection", "connection: close\r\n", -1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fields, err := checkHead([]byte(tt.head))
			if (err == nil) != tt.ok || tt.ok && fields.length != tt.length {
				t.Errorf("length %d, error %v", fields.length, err)
			}
		})
	}
}

// wholeWriter takes finished responses, as the engine's writer does.
type wholeWriter struct {
	*httptest.ResponseRecorder
	status     int
	head, body []byte
}

func (w *wholeWriter) WriteFinished(status int, head, body []byte) (int, error) {
	w.status, w.head, w.body = status, bytes.Clone(head), bytes.Clone(body)
	return len(body), nil
}

func TestWholeResponseIsHandedOver(t *testing.T) {
	p := &Pool{}
	c := p.newCall()
	defer c.release()
	c.answer.set(frame{status: 201, head: []byte("A: b\r\n"), body: []byte("body")})
	w := &wholeWriter{ResponseRecorder: httptest.NewRecorder()}
	p.respond(w, httptest.NewRequest("GET", "/", nil), c)
	if w.status != 201 || string(w.head) != "A: b\r\nContent-Length: 4\r\n" || string(w.body) != "body" {
		t.Errorf("handed over %d %q %q", w.status, w.head, w.body)
	}
}

func TestNoContentHasNoLength(t *testing.T) {
	p := &Pool{}
	c := p.newCall()
	defer c.release()
	c.answer.set(frame{status: 204, head: []byte("A: b\r\ncontent-length: 4\r\nC: d\r\n"), body: []byte("body")})
	w := &wholeWriter{ResponseRecorder: httptest.NewRecorder()}
	p.respond(w, httptest.NewRequest("GET", "/", nil), c)
	if w.status != 204 || string(w.head) != "A: b\r\nC: d\r\n" || len(w.body) > 0 {
		t.Errorf("handed over %d %q %q", w.status, w.head, w.body)
	}
}

// fileTaker remembers what a file is copied from.
type fileTaker struct {
	*httptest.ResponseRecorder
	src io.Reader
}

func (w *fileTaker) ReadFrom(src io.Reader) (int64, error) {
	w.src = src
	return io.Copy(w.ResponseRecorder, src)
}

// What the kernel is to send must reach the writer as the file that it is.
func TestNamedFileCanBeSentByTheKernel(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, coding := range []string{"", "gzip"} {
		w := &fileTaker{ResponseRecorder: httptest.NewRecorder()}
		w.Header().Set("Content-Encoding", coding)
		serveNamed(w, httptest.NewRequest("GET", "/", nil), file)
		if limited, ok := w.src.(*io.LimitedReader); !ok || limited.R != file {
			t.Errorf("coding %q: copied from %T", coding, w.src)
		}
		if w.Body.String() != "0123456789" || w.Header().Get("Content-Length") != "10" {
			t.Errorf("coding %q: header %v, body %q", coding, w.Header(), w.Body)
		}
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		err    error
		status int
	}{
		{errBusy, 503},
		{errWaited, 503},
		{errDown, 503},
		{errLost, 502},
		{errNonsense, 502},
		{errOverdue, 504},
		{errFailed, 500},
		{&failure{status: 404}, 404},
		{&failure{status: 500}, 500},
		{&failure{}, 500},
		{errOutside, 404},
		{tooLarge(1), 413},
		{clientError(errors.New("reset")), 400},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		(&Pool{}).refuse(w, httptest.NewRequest("GET", "/", nil), tt.err)
		if w.Code != tt.status || (w.Header().Get("Retry-After") != "") != (tt.status == 503) {
			t.Errorf("%v: status %d, Retry-After %q", tt.err, w.Code, w.Header().Get("Retry-After"))
		}
	}
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("for a client that has gone: %v, want ErrAbortHandler", v)
		}
	}()
	(&Pool{}).refuse(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), errGone)
}

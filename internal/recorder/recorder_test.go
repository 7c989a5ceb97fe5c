package recorder_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/recorder"
)

func TestRecorder(t *testing.T) {
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter)
		status int
		bytes  int64
	}{
		{"nothing written", func(http.ResponseWriter) {}, 0, 0},
		{"implicit 200", func(w http.ResponseWriter) { io.WriteString(w, "four") }, 200, 4},
		{"early hints do not count", func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(404) }, 404, 0},
		{"switching protocols does", func(w http.ResponseWriter) { w.WriteHeader(101) }, 101, 0},
		{"the first status stays", func(w http.ResponseWriter) { w.WriteHeader(201); w.WriteHeader(500) }, 201, 0},
		{"copied body", func(w http.ResponseWriter) { io.Copy(w, strings.NewReader("twelve bytes")) }, 200, 12},
		{"flush implies 200", func(w http.ResponseWriter) { http.NewResponseController(w).Flush() }, 200, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := recorder.New(httptest.NewRecorder())
			tt.answer(rec)
			if rec.Status() != tt.status || rec.Bytes() != tt.bytes {
				t.Errorf("recorded status %d and %d bytes, want %d and %d", rec.Status(), rec.Bytes(), tt.status, tt.bytes)
			}
		})
	}
}

// whole is a writer that takes finished responses.
type whole struct {
	http.ResponseWriter
	head, body string
}

func (w *whole) WriteFinished(_ int, head, body []byte) (int, error) {
	w.head, w.body = string(head), string(body)
	return len(body), nil
}

func TestWriteFinished(t *testing.T) {
	below := &whole{ResponseWriter: httptest.NewRecorder()}
	rec := recorder.New(below)
	if n, err := rec.WriteFinished(206, []byte("A: b\r\n"), []byte("body")); n != 4 || err != nil {
		t.Errorf("WriteFinished = %d, %v, want 4 and no error", n, err)
	}
	if below.head != "A: b\r\n" || below.body != "body" || rec.Status() != 206 || rec.Bytes() != 4 {
		t.Errorf("passed %q %q, recorded %d and %d bytes", below.head, below.body, rec.Status(), rec.Bytes())
	}
	plain := recorder.New(httptest.NewRecorder())
	if _, err := plain.WriteFinished(200, nil, nil); !errors.Is(err, http.ErrNotSupported) || plain.Status() != 0 {
		t.Errorf("without support below: error %v, status %d; want ErrNotSupported and nothing recorded", err, plain.Status())
	}
}

package pyapp_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// A worker that breaks the protocol is replaced, its request fails, and the log
// says what was wrong. Numbers on the lane begin at 1 in each new worker.
func TestWorkerThatTalksNonsense(t *testing.T) {
	const (
		ready = iota
		whole
		head
		block
		end
		failed
		file
		stacks
	)
	const last = 1
	// packet is one frame; lengths are those of head and body.
	packet := func(kind, flags, status, number int, head, body string) string {
		return hex.EncodeToString([]byte{
			byte(kind), byte(flags), byte(status), byte(status >> 8), byte(number), 0, 0, 0,
			byte(len(head)), byte(len(head) >> 8), 0, 0, byte(len(body)), byte(len(body) >> 8), 0, 0,
		}) + hex.EncodeToString([]byte(head+body))
	}
	begun := packet(head, 0, 200, 2, "", "begun") + ","
	extent := packet(file, 0, 0, 2, "", strings.Repeat("\x00", 16))
	tests := []struct {
		name    string
		packets string
		files   string
		body    string // what the client gets before it is broken off; "" for 502
		log     string
	}{
		{"less than a header", "00", "", "", "1 bytes, shorter than a frame's header"},
		{"an empty packet", "", "", "", "the lane was closed, or an empty packet sent"},
		{"a length beyond the packet", packet(whole, last, 200, 2, "", "body")[:36], "", "", "announces 4 bytes, has 2"},
		{"a packet that is too long", strings.Repeat("00", 65537), "", "", "packet longer than 65536 bytes"},
		{"an unknown type", packet(255, 0, 0, 2, "", ""), "", "", "unknown type 255"},
		{"a number that is not in flight", packet(whole, last, 200, 9, "", ""), "", "", "request 9 is not in flight"},
		{"status 99", packet(whole, last, 99, 2, "", ""), "", "", "status 99"},
		{"status 1000", packet(whole, last, 1000, 2, "", ""), "", "", "status 1000"},
		{"ready twice", packet(ready, 0, 0, 0, "", ""), "", "", "ready twice"},
		{"a block before the head", packet(block, 0, 0, 2, "", "body"), "", "", "type 3 out of turn"},
		{"an end before the head", packet(end, last, 0, 2, "", ""), "", "", "type 4 out of turn"},
		{"two heads", begun + packet(head, 0, 200, 2, "", ""), "", "begun", "type 2 out of turn"},
		{"a head that is the last", packet(head, last, 200, 2, "", ""), "", "", "type 2 with flags 0x1"},
		{"a block that is the last", begun + packet(block, last, 0, 2, "", ""), "", "begun", "type 3 with flags 0x1"},
		{"stacks that are the last", packet(stacks, last, 0, 2, "", ""), "", "", "type 7 with flags 0x1"},
		{"an end that is not the last", begun + packet(end, 0, 0, 2, "", ""), "", "begun", "type 4 with flags 0x0"},
		{"a failure that is not the last", packet(failed, 0, 0, 2, "on purpose", ""), "", "", "type 5 with flags 0x0"},
		{"a file before the head", extent + ",00", "many", "", "files where one belongs"},
		{"a file without an extent", begun + packet(file, 0, 0, 2, "", "short"), "", "begun", "a file's extent of 5 bytes"},
		{"a file that ends behind all files", begun + packet(file, 0, 0, 2, "", strings.Repeat("\x7f", 16)), "", "begun", "bytes of a file from"},
		{"a file that does not come", begun + extent + ",00", "", "begun", "0 files where one belongs"},
		{"a pipe", begun + extent + ",00", "fifo", "begun", "not a regular file"},
		{"a folder", begun + extent + ",00", "folder", "begun", "not a regular file"},
		{"hundreds of files", begun + extent + ",00", "many", "begun", "files where one belongs"},
		{"a field line without an end", packet(whole, last, 200, 2, "A: b", ""), "", "", "a field line without its end"},
		{"a field of the server's", packet(whole, last, 200, 2, "Transfer-Encoding: chunked\r\n", ""), "", "", "field Transfer-Encoding"},
		{"a response in a response", packet(whole, last, 200, 2, "A: b\r\n\r\nHTTP/1.1 200 OK\r\n", ""), "", "", "a field line without"},
	}
	s := serveOpened(t, atImport(""), func(c pyapp.Config) (*pyapp.Pool, error) { return pyapp.OpenWithBackOff(c, time.Millisecond) })
	for i, tt := range tests {
		ok := t.Run(tt.name, func(t *testing.T) {
			if got := s.get(t, "/pid"); got.status != http.StatusOK {
				t.Fatalf("status %d before", got.status)
			}
			logged := len(s.log.String())
			got := s.do(t, request(t, http.MethodPost, s.url+"/speaks?"+tt.files, strings.NewReader(tt.packets)))
			if tt.body == "" && got.status != http.StatusBadGateway {
				t.Errorf("status %d, want 502", got.status)
			}
			if tt.body != "" && (got.err == nil || got.body != tt.body) {
				t.Errorf("body %q, error %v; want it broken off after %q", got.body, got.err, tt.body)
			}
			s.log.Line(t, "a worker ended", fmt.Sprintf(`"worker":%d,`, i+1), `"reason":"protocol violation"`)
			if log := s.log.String()[logged:]; !strings.Contains(log, tt.log) {
				t.Errorf("the log lacks %q:\n%s", tt.log, log)
			}
		})
		if !ok {
			return // the others would count on another worker
		}
	}
	if got := s.get(t, "/pid"); got.status != http.StatusOK {
		t.Errorf("status %d in the end, want 200", got.status)
	}
}

// What a worker was sent on a lane that it has closed would wait for ever.
func TestWorkerThatClosesItsLane(t *testing.T) {
	s := serve(t, atImport(""))
	if got := s.get(t, "/closes_its_lane"); got.status != http.StatusBadGateway {
		t.Errorf("status %d, want 502", got.status)
	}
	s.log.Line(t, "a worker broke the protocol", "the lane was closed")
	if got := s.get(t, "/pid"); got.status != http.StatusOK {
		t.Errorf("status %d from the next worker", got.status)
	}
}

// An answer that is complete stays one whatever its worker says after it.
func TestAnswerBeforeNonsenseArrives(t *testing.T) {
	s := serve(t, atImport(""))
	whole := "0101c800010000000000000004000000" + hex.EncodeToString([]byte("body"))
	got := s.do(t, request(t, http.MethodPost, s.url+"/speaks", strings.NewReader(whole+whole)))
	if got.status != http.StatusOK || got.body != "body" || got.err != nil {
		t.Errorf("status %d, body %q, error %v", got.status, got.body, got.err)
	}
	s.log.Line(t, "a worker broke the protocol", "request 1 is not in flight")
	s.log.Line(t, "a worker ended", `"reason":"protocol violation"`)
}

// One thread of a worker describes what another one does, which may be over by
// the time that this is sent.
func TestStacksOfARequestThatHasEnded(t *testing.T) {
	s := serve(t, atImport(""))
	for range 2 {
		got := s.get(t, "/is_described_late")
		if got.status != http.StatusOK || got.body != "answer" {
			t.Errorf("status %d, body %q", got.status, got.body)
		}
	}
	s.get(t, "/pid") // what came late has been read
	if log := s.log.String(); strings.Contains(log, "broke the protocol") {
		t.Errorf("log: %s", log)
	}
}

// A client that has got as many bytes as were announced asks on: the connection
// must not end because the worker did.
func TestConnectionSurvivesAWorkerThatDiesAfterTheBody(t *testing.T) {
	s := serve(t, atImport(""))
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	for _, path := range []string{"/dies_after_its_body", "/pid"} {
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", path)
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		body, err := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusOK || err != nil {
			t.Errorf("%s: status %d, body %q, %v", path, resp.StatusCode, body, err)
		}
		resp.Body.Close()
		s.log.Line(t, "a worker ended", `"worker":1`)
	}
}

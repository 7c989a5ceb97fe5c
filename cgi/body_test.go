package cgi_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// chunked writes a request with a body in chunks of that size.
func chunked(target, body string, size int) string {
	var b strings.Builder
	b.WriteString("POST " + target + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

// sizes prints the announced and the real length of the body, and its checksum.
const sizes = text + "printf '%s ' \"$CONTENT_LENGTH\"; cksum\n"

func TestBodies(t *testing.T) {
	inEachWay(t, func(t *testing.T, w way) {
		dir := w.folder(t, files{"sizes": sizes, "blind": text + "echo done\n", "closes": text + "exec <&-; echo done\n", "half": text + "head -c 10; echo\n"})
		tests := []struct {
			name   string
			target string
			length int
			chunk  int // 0: not chunked
			status int
			want   string // where it is not sizes that is asked
		}{
			{"none", "sizes", 0, 0, 200, " 4294967295 0\n"},
			{"small", "sizes", 100, 0, 200, ""},
			{"more than a pipe holds", "sizes", 300_000, 0, 200, ""},
			{"at the limit", "sizes", 1 << 20, 0, 200, ""},
			{"above the limit", "sizes", 1<<20 + 1, 0, 413, "*"},
			{"chunked", "sizes", 100, 7, 200, ""},
			{"chunked in memory", "sizes", 1000, 1000, 200, ""},
			{"chunked in a file", "sizes", 1001, 500, 200, ""},
			{"chunked at the limit", "sizes", 1 << 20, 64 << 10, 200, ""},
			{"chunked above the limit", "sizes", 1<<20 + 1, 64 << 10, 413, "*"},
			{"not read", "blind", 300_000, 0, 200, "done\n"},
			{"not wanted", "closes", 300_000, 0, 200, "done\n"},
			{"read in part", "half", 300_000, 0, 200, "0123456789\n"},
			{"chunked and not read", "blind", 300_000, 10_000, 200, "done\n"},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				spool := t.TempDir()
				site := w.open(t, dir, cgi.Config{MaxBody: 1 << 20, SpoolMemory: 1000, SpoolDir: spool})
				body := strings.Repeat("0123456789", tt.length/10+1)[:tt.length]
				testserver.Run(t, func(t *testing.T, m testserver.Mode) {
					raw := ask("POST", "/cgi-bin/"+tt.target, body)
					if tt.chunk > 0 {
						raw = chunked("/cgi-bin/"+tt.target, body, tt.chunk)
					}
					c := site.serve(t, m).Dial()
					sent := make(chan error, 1)
					go func() { sent <- c.TrySend(raw) }() // it may be answered before it is all there
					res, err := c.Next("POST")
					if err != nil {
						t.Fatal(err)
					}
					want := tt.want
					if want == "" {
						want = fmt.Sprintf("%d %s", tt.length, cksum(t, body))
					}
					if res.Status != tt.status || want != "*" && res.Text() != want {
						t.Errorf("%d %q, want %d %q", res.Status, res.Text(), tt.status, want)
					}
					c.Conn.Close()
					<-sent
				}, modes...)
				if left, err := os.ReadDir(spool); err != nil || len(left) > 0 {
					t.Errorf("left in the spool: %v, %v", left, err)
				}
			})
		}
	})
}

// Body and answer flow at the same time, at the pace of both sides.
func TestDialogue(t *testing.T) {
	dir := folder(t, files{"echo": text + "exec cat\n"})
	site := open(t, dir, cgi.Config{})
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		c := site.serve(t, m).Dial()
		c.Send("POST /cgi-bin/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
		c.Send("one")
		c.Head("POST")
		for _, part := range []string{"one", "two", "six"} {
			if got := c.Chunk(); got != part {
				t.Errorf("chunk %q, want %q", got, part)
			}
			if part != "six" {
				c.Send(map[string]string{"one": "two", "two": "six"}[part])
			}
		}
		if last := c.Chunk(); last != "" {
			t.Errorf("chunk %q behind the last one", last)
		}
	}, modes...)
}

// A client that leaves before its body is complete must not have the script take
// what there is for all of it.
func TestBodyThatBreaksOff(t *testing.T) {
	dir := folder(t, files{"wait": text + "trap 'echo ended >&2; exit 1' TERM\necho begun >&2\ncat >/dev/null & wait $!\nsleep 60 & wait $!\n"})
	site := open(t, dir, cgi.Config{})
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		c := site.serve(t, m).Dial()
		c.Send("POST /cgi-bin/wait HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\none")
		site.log.Line(t, "begun")
		c.Reset()
		site.log.Line(t, "ended")
	}, modes...)
}

func cksum(t *testing.T, body string) string {
	t.Helper()
	return fmt.Sprintf("%d %d\n", posixChecksum(t, strings.NewReader(body)), len(body))
}

// posixChecksum is the CRC of the cksum command (POSIX).
func posixChecksum(t *testing.T, r io.Reader) uint32 {
	t.Helper()
	all, err := io.ReadAll(r)
	must(t, err)
	for n := len(all); n > 0; n >>= 8 {
		all = append(all, byte(n))
	}
	var crc uint32
	for _, b := range all {
		crc ^= uint32(b) << 24
		for range 8 {
			if crc&(1<<31) != 0 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
	}
	return ^crc
}

package cgi_test

import (
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// Much output, which servers pass on without a copy, is what the script printed:
// in large and in small pieces, with and without its length.
func TestMuchOutput(t *testing.T) {
	const count = "import sys\nblock = b''.join(b'%07d\\n' % n for n in range(1 << 16))\nout = open(1, 'wb', 0)\n"
	dir := folder(t, files{
		"large.py":  count + "out.write(b'Content-Type: text/plain\\n\\n')\nfor n in range(16): out.write(block)\n",
		"length.py": count + "out.write(b'Content-Type: text/plain\\nContent-Length: %d\\n\\n' % (16 * len(block)))\nfor n in range(16): out.write(block)\n",
		"mixed.py":  count + "out.write(b'Content-Type: text/plain\\n\\n')\nfor n in range(16):\n  out.write(block[:300000])\n  for at in range(300000, len(block), 1000): out.write(block[at:at + 1000])\n",
	})
	for _, name := range []string{"large.py", "length.py", "mixed.py"} {
		must(t, os.Chmod(filepath.Join(dir, name), 0o644)) // run for their ending
	}
	want := sha256.New()
	for range 16 {
		for n := range 1 << 16 {
			line := []byte("0000000\n")
			for i, left := 6, n; left > 0; i, left = i-1, left/10 {
				line[i] = byte('0' + left%10)
			}
			want.Write(line)
		}
	}
	site := open(t, dir, cgi.Config{})
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := site.serve(t, m)
		for _, name := range []string{"large.py", "length.py", "mixed.py"} {
			resp, err := s.Client().Get(s.URL() + "/cgi-bin/" + name)
			must(t, err)
			got := sha256.New()
			n, err := io.Copy(got, resp.Body)
			must(t, err)
			must(t, resp.Body.Close())
			if n != 8<<20 || string(got.Sum(nil)) != string(want.Sum(nil)) {
				t.Errorf("%s: %d bytes, and not those that were printed", name, n)
			}
		}
	}, modes...)
}

// Behind much output as well, a piece reaches the client before the next one is
// there, and a script that stands still is ended.
func TestFlowBehindMuch(t *testing.T) {
	dir := folder(t, files{"script": text + "exec 3<>fifo; head -c 3000000 /dev/zero; printf one; read x <&3; printf two; exec sleep 600\n"})
	fifo := filepath.Join(dir, "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	site := open(t, dir, cgi.Config{StallTimeout: 2 * time.Second, KillGrace: -1})
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := site.serve(t, m)
		resp, err := s.Client().Get(s.URL() + "/cgi-bin/script")
		must(t, err)
		defer resp.Body.Close()
		if n, err := io.CopyN(io.Discard, resp.Body, 3_000_000); err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
		var part [3]byte
		if _, err := io.ReadFull(resp.Body, part[:]); err != nil || string(part[:]) != "one" {
			t.Fatalf("%q, %v", part, err)
		}
		must(t, os.WriteFile(fifo, []byte("go\n"), 0))
		if _, err := io.ReadFull(resp.Body, part[:]); err != nil || string(part[:]) != "two" {
			t.Fatalf("%q, %v", part, err)
		}
		if _, err := resp.Body.Read(part[:]); err == nil || err == io.EOF {
			t.Errorf("after the stall: %v", err)
		}
	}, modes...)
	site.log.Line(t, "stopped in the middle")
}

package pyapp_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// No client makes a worker die, hang or grow: what is too much is refused before
// a worker hears of it, what does not go on ends in time.
func TestBadClients(t *testing.T) {
	const maxBody = 1 << 20
	const post = "POST /length HTTP/1.1\r\nHost: test\r\n"
	const chunked = post + "Transfer-Encoding: chunked\r\n\r\n"
	get := func(target, fields string) string {
		return "GET " + target + " HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n"
	}
	sends := func(parts ...string) func(*testserver.Client) {
		return func(c *testserver.Client) {
			for _, part := range parts {
				if c.TrySend(part) != nil {
					return // the server does not want the rest
				}
			}
		}
	}
	endless := func(start, part string) func(*testserver.Client) {
		return func(c *testserver.Client) {
			// The server stops reading soon; what both sockets hold is far less.
			for err := c.TrySend(start); err == nil; {
				_ = c.SetWriteDeadline(time.Now().Add(time.Second))
				err = c.TrySend(part)
			}
		}
	}
	chunk := func(size int) string { return fmt.Sprintf("%x\r\n%s\r\n", size, strings.Repeat("x", size)) }
	tests := []struct {
		name   string
		act    func(*testserver.Client)
		status int
		body   string // of a 200
	}{
		{"announces too much", sends(post + fmt.Sprintf("Content-Length: %d\r\n\r\n", maxBody+1)), 413, ""},
		{"announces more than there is", sends(post + "Content-Length: 9223372036854775807\r\n\r\n"), 413, ""},
		{"sends as much as may be", sends(post+fmt.Sprintf("Content-Length: %d\r\n\r\n", maxBody), strings.Repeat("x", maxBody)), 200, strconv.Itoa(maxBody)},
		{"sends chunks as much as may be", sends(chunked, chunk(maxBody/2), chunk(maxBody/2), "0\r\n\r\n"), 200, strconv.Itoa(maxBody)},
		{"sends a chunk too many", sends(chunked, chunk(maxBody), chunk(1), "0\r\n\r\n"), 413, ""},
		{"sends chunks without end", endless(chunked, chunk(64<<10)), 413, ""},
		{"sends thousands of tiny chunks", sends(chunked, strings.Repeat(chunk(1), 5000), "0\r\n\r\n"), 200, "5000"},
		{"sends no body", sends(post + "Content-Length: 10\r\n\r\n"), 408, ""},
		{"sends no body though asked to", sends(post + "Content-Length: 10\r\nExpect: 100-continue\r\n\r\n"), 408, ""},
		{"stops in the body", sends(post + "Content-Length: 100000\r\n\r\n" + strings.Repeat("x", 50000)), 408, ""},
		{"stops in a chunk", sends(chunked + "10\r\nbegun"), 408, ""},
		{"closes its side in the body", func(c *testserver.Client) {
			c.Send(post + "Content-Length: 10\r\n\r\nbegun")
			c.CloseWrite()
		}, 400, ""},
		{"has a path without end", endless("GET /", strings.Repeat("x", 64<<10)), 414, ""},
		{"has a path too long", sends(get("/"+strings.Repeat("x", 9000), "")), 414, ""},
		{"has fields without end", endless("GET /pid HTTP/1.1\r\nHost: test\r\n", strings.Repeat("X-A: b\r\n", 1000)), 431, ""},
		{"has ten thousand fields", sends(get("/pid", strings.Repeat("X-A: b\r\n", 10000))), 431, ""},
		{"has a field too long", sends(get("/pid", "X-A: "+strings.Repeat("x", 9000)+"\r\n")), 431, ""},
		{"has a head too long", sends(get("/pid", strings.Repeat("X-A: "+strings.Repeat("x", 8000)+"\r\n", 5))), 431, ""},
	}
	config := atImport("")
	config.MaxBody, config.SpoolMemory, config.SpoolDir = maxBody, 100<<10, t.TempDir()
	pool := serve(t, config)
	server := testserver.StartConfig(t, testserver.H1, testserver.Config{
		Handler: pool.Pool, HeadTimeout: 10 * time.Second, BodyStallTimeout: 200 * time.Millisecond, WriteStallTimeout: 200 * time.Millisecond,
	})
	worker := server.Get("/pid").Text()
	all := func(t *testing.T) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				conn, err := server.Connect()
				if err != nil {
					t.Fatal(err)
				}
				c := testserver.NewClient(t, conn)
				tt.act(c)
				got, err := c.Next("")
				if err != nil {
					t.Fatalf("no answer: %v", err)
				}
				if got.Status != tt.status || tt.status == 200 && got.Text() != tt.body {
					t.Errorf("status %d, %.40q; want %d, %q", got.Status, got.Text(), tt.status, tt.body)
				}
			})
		}
		t.Run("closes its side behind the request", func(t *testing.T) {
			// After a tenth of a second it counts as gone, which a busy machine may take.
			eventually(t, "an answer", func() bool {
				c := server.Dial()
				c.Send(post + "Content-Length: 5\r\n\r\nwhole")
				c.CloseWrite()
				got, err := c.Next("")
				return err == nil && got.Status == 200 && got.Text() == "5"
			})
		})
		t.Run("asks a thousand times at once", func(t *testing.T) {
			c := server.Dial()
			go func() { _ = c.TrySend(strings.Repeat(get("/pid", ""), 1000)) }() // a failure shows in the answers
			for i := range 1000 {
				if got := c.Response(""); got.Text() != worker {
					t.Fatalf("answer %d: status %d, %.40q", i, got.Status, got.Text())
				}
			}
		})
		t.Run("leaves in the middle of everything", func(t *testing.T) {
			whole := post + "Content-Length: 40000\r\n\r\n" + strings.Repeat("x", 40000)
			for at := 1; at < len(whole); at += 1 + len(whole)/40 {
				c := server.Dial()
				c.Send(whole[:at])
				c.Reset()
			}
		})
	}
	all(t) // what the first round allocates is kept for the next one
	rss, heap := residentMemory(t, worker), heapInUse()
	all(t)
	t.Run("asks and never reads", func(t *testing.T) {
		conn, err := server.Connect()
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		c := testserver.NewClient(t, conn)
		for flood := strings.Repeat(get("/long", ""), 1000); err == nil; {
			err = c.TrySend(flood)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the server keeps the connection of a client that never reads")
		}
	})
	if grown := residentMemory(t, worker) - rss; grown > 8<<20 {
		t.Errorf("the worker grew by %d bytes", grown)
	}
	if grown := heapInUse() - heap; grown > 16<<20 {
		t.Errorf("the server grew by %d bytes", grown)
	}
	if got := server.Get("/pid").Text(); got != worker {
		t.Errorf("process %s answers instead of %s", got, worker)
	}
	if files, err := os.ReadDir(config.SpoolDir); err != nil || len(files) > 0 {
		t.Errorf("left in the folder for bodies: %v, %v", files, err)
	}
}

// residentMemory is how much memory a process has, in bytes.
func residentMemory(t *testing.T, pid string) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/" + pid + "/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * int64(os.Getpagesize())
}

// heapInUse is how much memory this process's values take, in bytes.
func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

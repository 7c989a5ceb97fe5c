//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

const (
	bulkBytes  = 100 << 20
	bulkGrowth = 32 << 20 // the most that all processes together may grow
)

// pace is how fast a client sends or takes a body.
type pace struct {
	name   string
	first  time.Duration // how long it does nothing at first
	pause  time.Duration // after each piece
	pieces int           // size of a piece in bytes
}

var (
	fast = pace{name: "fast", pieces: 256 << 10}
	slow = pace{name: "slow", first: 2 * time.Second, pause: 5 * time.Millisecond, pieces: 100 << 10} // 20 MB/s at most
)

// transfer is a large body on its way to the application or from it.
type transfer struct {
	name string
	pace pace
	run  func(c net.Conn, size int64, p pace) error
}

// growth is how much larger processes have become.
type growth struct{ server, python int64 }

// measureMemory moves large bodies and reads how much larger the processes have
// become meanwhile: peak over what was resident before, of each process, added up.
func measureMemory(s settings) ([]row, error) {
	var rows []row
	for _, t := range []transfer{{"upload", fast, upload}, {"upload", slow, upload}, {"download", fast, download}, {"download", slow, download}} {
		var of []float64
		for range s.rounds {
			g, err := t.measure(s)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", t.pace.name, t.name, err)
			}
			fmt.Fprintf(s.out, "  %-8s %s client: server grew by %.1f MB, Python processes by %.1f MB\n", t.name, t.pace.name, megabytes(g.server), megabytes(g.python))
			of = append(of, megabytes(g.server+g.python))
		}
		most := slices.Max(of) // a promise about memory is about the worst case
		figure := fmt.Sprintf("%.1f MB", most)
		rows = append(rows, row{ours: figure, result: figure, reached: most < megabytes(bulkGrowth)})
	}
	return rows, nil
}

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }

func (t transfer) measure(s settings) (growth, error) {
	srv, err := gatehouseRuns(bulk)(s)
	if err != nil {
		return growth{}, err
	}
	defer srv.stop()
	// What any first request brings into memory is not the body's.
	if err := t.over(srv.addr, 1, fast); err != nil {
		return growth{}, err
	}
	members, err := family(srv.pids())
	if err != nil {
		return growth{}, err
	}
	before := map[int]int64{}
	for pid := range members {
		if err := resetPeak(pid); err != nil {
			return growth{}, err
		}
		if before[pid], err = residentBytes(pid); err != nil {
			return growth{}, err
		}
	}
	if err := t.over(srv.addr, bulkBytes, t.pace); err != nil {
		return growth{}, err
	}
	after, err := family(srv.pids())
	if err != nil {
		return growth{}, err
	}
	var g growth
	for pid := range members {
		if _, lives := after[pid]; !lives {
			return growth{}, fmt.Errorf("process %d ended during the transfer", pid)
		}
	}
	for pid := range after {
		peak, err := peakBytes(pid)
		if err != nil {
			return growth{}, err
		}
		if pid == srv.pids()[0] {
			g.server += peak - before[pid]
		} else {
			g.python += peak - before[pid]
		}
	}
	return g, nil
}

func (t transfer) over(addr string, size int64, p pace) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	return joinClose(c, t.run(c, size, p))
}

// upload sends a body; the application says how much of it came.
func upload(c net.Conn, size int64, p pace) error {
	if _, err := fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", c.RemoteAddr(), size); err != nil {
		return err
	}
	time.Sleep(p.first)
	piece := make([]byte, p.pieces)
	for left := size; left > 0; {
		n, err := c.Write(piece[:min(left, int64(len(piece)))])
		if err != nil {
			return err
		}
		left -= int64(n)
		time.Sleep(p.pause)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || string(answer) != strconv.FormatInt(size, 10) {
		return fmt.Errorf("answered %s, %.100q, want the length %d", resp.Status, answer, size)
	}
	return nil
}

// download takes what the application generates.
func download(c net.Conn, size int64, p pace) error {
	if _, err := fmt.Fprintf(c, "GET /?%d HTTP/1.1\r\nHost: %s\r\n\r\n", size, c.RemoteAddr()); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", resp.Status)
	}
	time.Sleep(p.first)
	var came int64
	for {
		n, err := io.CopyN(io.Discard, resp.Body, int64(p.pieces))
		came += n
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		time.Sleep(p.pause)
	}
	if came != size {
		return fmt.Errorf("%d bytes came, want %d", came, size)
	}
	return nil
}

package pyapp

import (
	"encoding/binary"
	"math"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"
)

// inFlight is how many requests the fuzzed worker has been sent.
const inFlight = 3

// FuzzLane lets a worker say anything on its lane: whole packets, in any order,
// with and without files. Whatever it says, nothing panics, and each request is
// answered, or it is still on the lane, where the worker's end, the time-outs and
// the client's leave find it.
func FuzzLane(f *testing.F) {
	for _, name := range []string{"from_worker.json", "refused.json"} {
		for _, g := range readGolden[[]golden](f, name) {
			f.Add(appendPacket(nil, unhex(f, g.Packet), false))
		}
	}
	head := appendFrame(nil, frame{kind: frameHead, status: 200, number: 1, head: []byte("A: b\r\n"), body: []byte("x")})
	file := appendFrame(nil, frame{kind: frameFile, number: 1, body: make([]byte, 16)})
	end := appendFrame(nil, frame{kind: frameEnd, flags: flagLast, number: 1})
	f.Add(appendPacket(appendPacket(appendPacket(appendPacket(nil, head, false), file, false), []byte{0}, true), end, false))
	f.Add(appendPacket(appendPacket(nil, append(head, head...), false), nil, false))
	f.Fuzz(func(t *testing.T, script []byte) {
		g := newGhost(t)
		w, p := g.worker, g.worker.pool
		config, err := Config{App: "app", SpoolDir: t.TempDir()}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		p.config, w.leaving = config, make(chan struct{})
		calls := g.give(inFlight)
		g.packet()
		g.takeBack(time.Now(), true) // so that it may say that it has not begun some
		read := make(chan error, 1)
		go func() { read <- g.read() }()
		for len(script) > 2 {
			size, withFile := int(binary.LittleEndian.Uint16(script)&math.MaxInt16), script[1]&0x80 != 0
			script = script[2:]
			size = min(size, len(script))
			if g.speak(script[:size], withFile) != nil {
				break // the lane is not read any more
			}
			script = script[size:]
		}
		close(w.leaving)
		g.ours.Close()
		<-read
		begun, rest := g.close()
		left := map[*call]bool{}
		for _, c := range slices.Concat(begun, rest, p.queue) {
			left[c] = true
		}
		for i, c := range calls {
			if c.over() && c.answer.stream == nil && len(c.answered) != 1 {
				t.Errorf("request %d is over and has %d answers", i+1, len(c.answered))
			}
			if !c.over() && !left[c] {
				t.Errorf("request %d has no answer and is not on the lane: its client waits for ever", i+1)
			}
			c.fail(errLost)
			if left[c] {
				c.release()
			}
			c.leave()
		}
	})
}

// appendPacket adds a packet to a script: its length in 15 bits, whether it
// brings a file in the one above, and its bytes.
func appendPacket(script, packet []byte, withFile bool) []byte {
	mark := uint16(len(packet))
	if withFile {
		mark |= 1 << 15
	}
	return append(binary.LittleEndian.AppendUint16(script, mark), packet...)
}

// speak sends a packet as the worker would, with a regular file if it is to.
func (g *ghost) speak(packet []byte, withFile bool) error {
	if err := g.ours.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	var rights []byte
	if withFile {
		rights = syscall.UnixRights(int(g.worker.page.file.Fd()))
	}
	_, _, err := g.ours.(*net.UnixConn).WriteMsgUnix(packet, rights, nil)
	return err
}

package pyapp

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"math"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/marshal"
)

// ghost is a lane whose worker is the test.
type ghost struct {
	*lane
	t    *testing.T
	ours net.Conn // the worker's end of the answers
	in   *os.File // the worker's end of the requests
}

func newGhost(t *testing.T) *ghost {
	t.Helper()
	p := &Pool{log: slog.New(slog.DiscardHandler), current: &generation{}}
	p.sweeper.init(p)
	w := &worker{pool: p, state: Busy}
	var err error
	if w.page, err = newPage(1); err != nil {
		t.Fatal(err)
	}
	l, theirs, err := newLane(w, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.lanes = []*lane{l}
	requests, answers := theirs[0], theirs[1]
	conn, err := net.FileConn(answers)
	if err != nil {
		t.Fatal(err)
	}
	answers.Close()
	t.Cleanup(func() {
		requests.Close()
		conn.Close()
		w.close()
	})
	return &ghost{l, t, conn, requests}
}

// give sends n new calls in one packet and returns them.
func (g *ghost) give(n int) []*call {
	g.t.Helper()
	calls := make([]*call, n)
	for i := range calls {
		c := g.worker.pool.newCall()
		c.refs.Add(1)           // the handler's
		c.packet = stopPacket() // any request will do
		calls[i] = c
		g.load.depth++
	}
	if !g.send(calls, time.Now(), atOnce) {
		g.t.Fatal("the lane is closed")
	}
	return calls
}

// packet is what the worker reads: how many requests, and their epoch.
func (g *ghost) packet() (requests, epoch int) {
	g.t.Helper()
	buf := make([]byte, maxRequest)
	n, err := g.in.Read(buf)
	if err != nil {
		g.t.Fatal(err)
	}
	return int(binary.LittleEndian.Uint32(buf[1:])) - 1, int(binary.LittleEndian.Uint32(buf[n-epochValue:]))
}

func TestCallsGivenTogetherTravelTogether(t *testing.T) {
	g := newGhost(t)
	for _, n := range []int{1, 3, maxDepth} {
		g.give(n)
		if requests, epoch := g.packet(); requests != n || epoch != 0 {
			t.Errorf("%d calls: a packet with %d requests of epoch %d", n, requests, epoch)
		}
	}
}

func TestLongPacketsAreNotJoined(t *testing.T) {
	g := newGhost(t)
	long := func() *call {
		return &call{packet: append(marshal.AppendList(nil, 2), make([]byte, maxRequest*2/5)...)}
	}
	for i, want := range []int{2, 2, 1} {
		if i == 0 {
			g.lane.unsent = []*call{long(), long(), long(), long(), long()}
			g.lane.flush()
		}
		if requests, _ := g.packet(); requests != want {
			t.Errorf("packet %d: %d requests, want %d", i, requests, want)
		}
	}
}

func TestTakeBack(t *testing.T) {
	begin := time.Now()
	settled := begin.Add(settle)

	t.Run("what the worker has not begun", func(t *testing.T) {
		g := newGhost(t)
		calls := g.give(4)
		g.running.Store(1)
		if got := g.takeBack(begin, false); got != nil {
			t.Errorf("took %d back at once", len(got))
		}
		if got := g.epoch.Load(); got != 1 {
			t.Errorf("epoch %d, want 1", got)
		}
		if got := g.takeBack(settled.Add(-1), false); got != nil {
			t.Errorf("took %d back before it has settled", len(got))
		}
		if got := g.takeBack(settled, false); !slices.Equal(got, calls[1:]) {
			t.Errorf("took %d back, want 3", len(got))
		}
		if g.find(1, false, settled) != calls[0] || len(g.calls) != 1 {
			t.Errorf("%d calls are left, want the first one", len(g.calls))
		}
	})
	t.Run("while the worker goes on", func(t *testing.T) {
		g := newGhost(t)
		calls := g.give(4)
		g.running.Store(1)
		g.takeBack(begin, false)
		g.running.Store(2) // it has seen the change when it was about to begin the second
		if err := g.take(appendFrame(nil, frame{kind: frameUnbegun, number: 2}), begin); err != nil {
			t.Fatal(err)
		}
		if queue := g.worker.pool.queue; !slices.Equal(queue, calls[1:2]) {
			t.Errorf("%d calls in the queue, want the second", len(queue))
		}
		if got := g.takeBack(settled, false); !slices.Equal(got, calls[2:]) {
			t.Errorf("took %d back, want the last two", len(got))
		}
	})
	t.Run("nothing that was sent afterwards", func(t *testing.T) {
		g := newGhost(t)
		old := g.give(2)
		g.running.Store(1)
		g.takeBack(begin, false)
		g.give(1)
		for _, want := range []int{0, 1} {
			if requests, epoch := g.packet(); epoch != want {
				t.Errorf("%d requests of epoch %d, want %d", requests, epoch, want)
			}
		}
		if got := g.takeBack(settled, false); !slices.Equal(got, old[1:]) {
			t.Errorf("took %d back, want one", len(got))
		}
	})
	t.Run("the first, if it has not begun", func(t *testing.T) {
		g := newGhost(t)
		calls := g.give(1)
		if g.takeBack(begin, false); g.epoch.Load() != 0 {
			t.Error("asked for what nothing waits behind")
		}
		g.takeBack(begin, true)
		if got := g.takeBack(settled, true); !slices.Equal(got, calls) {
			t.Errorf("took %d back, want one", len(got))
		}
		if err := g.take(appendFrame(nil, frame{kind: frameUnbegun, number: 1}), settled); err != nil {
			t.Errorf("what the worker then says: %v", err)
		}
	})
}

// A call may be taken back often: only the ends of workers count against it.
func TestCallThatIsHandedBackAgainAndAgain(t *testing.T) {
	g := newGhost(t)
	c := g.give(1)[0]
	for range 2 * maxEnds {
		now := time.Now()
		g.takeBack(now, true)
		g.running.Store(uint64(c.number))
		if err := g.take(appendFrame(nil, frame{kind: frameUnbegun, number: c.number}), now); err != nil {
			t.Fatal(err)
		}
		g.takeBack(now.Add(settle), true)
		g.worker.pool.queue = nil
		g.load.depth++
		if !g.send([]*call{c}, now, atOnce) {
			t.Fatal("the lane is closed")
		}
	}
}

// What is not written yet cannot have been answered: its call would be used
// again while it waits to be written.
func TestAnswerToARequestThatWasNotSent(t *testing.T) {
	g := newGhost(t)
	g.give(1)
	c := g.worker.pool.newCall()
	c.refs.Add(1)
	c.packet = stopPacket()
	g.yielding = true // whoever yields is about to write it
	g.send([]*call{c}, time.Now(), together)
	answer := appendFrame(nil, frame{kind: frameWhole, flags: flagLast, status: 200, number: 2})
	if err := g.take(answer, time.Now()); !errors.Is(err, errFrame) {
		t.Errorf("error %v, want errFrame", err)
	}
	if c.over() || !slices.Contains(g.calls, c) {
		t.Error("the call is off the lane, and has still to be written")
	}
}

// Another worker would be taken for the one that talks nonsense.
func TestRequestThatIsAnsweredAndSaidNotToHaveBegun(t *testing.T) {
	begin := time.Now()
	for _, tt := range []struct {
		name   string
		answer frame
	}{
		{"a head", frame{kind: frameHead, status: 200, number: 2}},
		{"hints", frame{kind: frameHints, number: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answering := func() (*ghost, []*call) {
				g := newGhost(t)
				calls := g.give(2)
				g.running.Store(1)
				if err := g.take(appendFrame(nil, tt.answer), begin); err != nil {
					t.Fatal(err)
				}
				g.takeBack(begin, false)
				return g, calls
			}
			g, _ := answering()
			if got := g.takeBack(begin.Add(settle), false); got != nil {
				t.Errorf("took %d back", len(got))
			}
			if _, rest := g.close(); len(rest) > 0 {
				t.Errorf("%d could be sent again after the worker's end", len(rest))
			}
			g, calls := answering()
			if err := g.take(appendFrame(nil, frame{kind: frameUnbegun, number: 2}), begin); !errors.Is(err, errFrame) {
				t.Errorf("handed back: error %v, want errFrame", err)
			}
			if !calls[1].over() {
				t.Error("the call goes on")
			}
		})
	}
}

// Whoever finds that a request has not begun may be late with it.
func TestLaneThatWasSilentAndIsHeard(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name  string
		begin func(g *ghost) error
	}{
		{"begun", func(g *ghost) error { g.running.Store(1); return nil }},
		{"answered", func(g *ghost) error {
			g.running.Store(1)
			return g.take(appendFrame(nil, frame{kind: frameWhole, flags: flagLast, status: 200, number: 1}), now)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGhost(t)
			c := g.give(1)[0]
			if err := tt.begin(g); err != nil {
				t.Fatal(err)
			}
			g.load.silent = now // it began late
			if g.worker.pool.hush(g.lane, c, now); !g.load.silent.IsZero() {
				t.Error("the lane is given nothing more, and will not be heard again")
			}
		})
	}
	t.Run("not begun", func(t *testing.T) {
		g := newGhost(t)
		if c := g.give(1)[0]; !g.worker.pool.hush(g.lane, c, now) || g.load.silent.IsZero() {
			t.Error("the lane is given more")
		}
	})
}

func TestRequestThatIsHandedBackUnasked(t *testing.T) {
	g := newGhost(t)
	c := g.give(1)[0]
	if err := g.take(appendFrame(nil, frame{kind: frameUnbegun, number: 1}), time.Now()); !errors.Is(err, errFrame) {
		t.Errorf("error %v, want errFrame", err)
	}
	if !errors.Is(c.answer.err, errNonsense) {
		t.Errorf("the call ends with %v", c.answer.err)
	}
}

func TestAnswersInTheOutbox(t *testing.T) {
	answer := func(n int32) []byte {
		return appendFrame(nil, frame{kind: frameWhole, flags: flagLast, status: 200, number: n, body: []byte{byte('0' + n)}})
	}
	tests := []struct {
		name         string
		outbox, sent []byte
		answered     int
		refused      bool
	}{
		{name: "older than the packet", outbox: slices.Concat(answer(1), answer(2)), sent: answer(3), answered: 3},
		{name: "in two parts", outbox: slices.Concat(
			appendFrame(nil, frame{kind: frameWhole, status: 200, number: 1}),
			appendFrame(nil, frame{kind: frameEnd, flags: flagLast, number: 1}),
		), answered: 1},
		{
			name: "whose end is sent", outbox: appendFrame(nil, frame{kind: frameWhole, status: 200, number: 1}),
			sent: appendFrame(nil, frame{kind: frameEnd, flags: flagLast, number: 1}), answered: 1,
		},
		{name: "without a packet", outbox: answer(1), answered: 1},
		{name: "twice", outbox: slices.Concat(answer(1), answer(1)), answered: 1, refused: true},
		{name: "part of one", outbox: answer(1)[:10], refused: true},
		{name: "not the whole of one", outbox: appendFrame(nil, frame{kind: frameHead, status: 200, number: 1}), refused: true},
		{name: "with a file to come", outbox: appendFrame(nil, frame{kind: frameFile, number: 1, body: make([]byte, 16)}), refused: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGhost(t)
			calls := g.give(3)
			copy(g.worker.page.outbox(0), tt.outbox)
			g.worker.page.cell(0, cellFilled).Store(uint64(len(tt.outbox)))
			if err := g.take(tt.sent, time.Now()); errors.Is(err, errFrame) != tt.refused || err != nil != tt.refused {
				t.Errorf("error %v", err)
			}
			count := 0
			for _, c := range calls {
				if c.phase == answered && c.answer.err == nil {
					count++
				}
			}
			if count != tt.answered {
				t.Errorf("%d calls are answered, want %d", count, tt.answered)
			}
		})
	}
}

func TestBegun(t *testing.T) {
	tests := []struct {
		name    string
		last    uint64
		running uint64
		want    uint64
	}{
		{"none", 3, 0, 0},
		{"some", 3, 2, 2},
		{"all", 3, 3, 3},
		{"before the numbers begin again", math.MaxInt32 + 2, math.MaxInt32, math.MaxInt32},
		{"after it", math.MaxInt32 + 2, 1, math.MaxInt32 + 1},
		{"more than there are", 3, 4, 3},
		{"no number", 3, math.MaxUint64, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGhost(t)
			g.last = tt.last
			g.running.Store(tt.running)
			if got := g.begun(); got != tt.want {
				t.Errorf("begun %d, want %d", got, tt.want)
			}
		})
	}
	if got := []int32{numberOf(1), numberOf(math.MaxInt32), numberOf(math.MaxInt32 + 1)}; !slices.Equal(got, []int32{1, math.MaxInt32, 1}) {
		t.Errorf("numbers %v", got)
	}
}

func TestCallForALaneThatIsClosed(t *testing.T) {
	g := newGhost(t)
	calls := g.give(2)
	g.running.Store(1)
	begun, rest := g.close()
	if !slices.Equal(begun, calls[:1]) || !slices.Equal(rest, calls[1:]) {
		t.Errorf("%d begun, %d not, want one each", len(begun), len(rest))
	}
	if g.send([]*call{{packet: stopPacket()}}, time.Now(), atOnce) {
		t.Error("a closed lane takes a call")
	}
	g.collect(time.Now()) // the page may be gone
	if g.holds(calls[1]) {
		t.Error("a closed lane holds a call")
	}
}

// A worker that dies with requests unread resets its socket: what it had sent
// before is read all the same.
func TestLastAnswerOfAWorkerThatDies(t *testing.T) {
	g := newGhost(t)
	calls := g.give(2)
	if err := g.speak(appendFrame(nil, frame{kind: frameWhole, flags: flagLast, status: 200, number: 1}), false); err != nil {
		t.Fatal(err)
	}
	g.ours.Close()
	g.worker.leaving = make(chan struct{})
	close(g.worker.leaving)
	if err := g.read(); err != nil {
		t.Error(err)
	}
	if !calls[0].over() || calls[1].over() {
		t.Errorf("answered: %t and %t, want the first one only", calls[0].over(), calls[1].over())
	}
}

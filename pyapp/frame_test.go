package pyapp

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// update writes the packets that Go makes into the golden files.
var update = flag.Bool("update", false, "write golden files anew")

// golden is a packet from a worker, and what it means. Texts stand for bytes,
// one code point each.
type golden struct {
	Name   string `json:"name"`
	Packet string `json:"packet"`
	Frames []struct {
		Type   int    `json:"type"`
		Flags  uint8  `json:"flags"`
		Status int    `json:"status"`
		Number int32  `json:"number"`
		Head   string `json:"head"`
		Body   string `json:"body"`
	} `json:"frames"`
}

func readGolden[T any](t testing.TB, name string) T {
	t.Helper()
	var v T
	text, err := os.ReadFile("testdata/frames/" + name)
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func latin1(s string) []byte {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}

func TestGoldenFramesFromWorkers(t *testing.T) {
	for _, g := range readGolden[[]golden](t, "from_worker.json") {
		t.Run(g.Name, func(t *testing.T) {
			packet := unhex(t, g.Packet)
			var encoded []byte
			rest := packet
			for i, want := range g.Frames {
				var f frame
				var err error
				if f, rest, err = nextFrame(rest); err != nil {
					t.Fatalf("frame %d: %v", i, err)
				}
				w := frame{frameKind(want.Type), want.Flags, want.Status, want.Number, latin1(want.Head), latin1(want.Body)}
				if f.kind != w.kind || f.flags != w.flags || f.status != w.status || f.number != w.number || !bytes.Equal(f.head, w.head) || !bytes.Equal(f.body, w.body) {
					t.Errorf("frame %d decodes to %+v, want %+v", i, f, w)
				}
				encoded = appendFrame(encoded, w)
			}
			if len(rest) > 0 {
				t.Errorf("%d bytes are left", len(rest))
			}
			if !bytes.Equal(encoded, packet) {
				t.Errorf("encodes to %x", encoded)
			}
		})
	}
}

func TestFramesThatAreRefused(t *testing.T) {
	for _, g := range readGolden[[]golden](t, "refused.json") {
		t.Run(g.Name, func(t *testing.T) {
			rest, err := unhex(t, g.Packet), error(nil)
			for len(rest) > 0 && err == nil {
				_, rest, err = nextFrame(rest)
			}
			if !errors.Is(err, errFrame) {
				t.Errorf("error %v, want errFrame", err)
			}
		})
	}
}

func FuzzFrame(f *testing.F) {
	for _, name := range []string{"from_worker.json", "refused.json"} {
		for _, g := range readGolden[[]golden](f, name) {
			f.Add(unhex(f, g.Packet))
		}
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		var again []byte
		rest := packet
		for len(rest) > 0 {
			var f frame
			var err error
			if f, rest, err = nextFrame(rest); err != nil {
				return
			}
			again = appendFrame(again, f)
			if _, err := checkHead(f.head); err == nil {
				h := http.Header{}
				setHeader(h, f.head)
				for name, values := range h {
					if strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
						t.Fatalf("field %q: %q", name, values)
					}
				}
			}
		}
		if !bytes.Equal(again, packet) {
			t.Fatalf("decoded and encoded again: %x, was %x", again, packet)
		}
	})
}

// finalRecorder does not take an informational response for the last one.
type finalRecorder struct{ *httptest.ResponseRecorder }

func (w finalRecorder) WriteHeader(status int) {
	if status >= 200 {
		w.ResponseRecorder.WriteHeader(status)
	}
}

// FuzzAnswer gives a call whatever frames a packet holds, and its client what
// comes of that. Nothing may panic, wait for ever, or split a head.
func FuzzAnswer(f *testing.F) {
	for _, name := range []string{"from_worker.json", "refused.json"} {
		for _, g := range readGolden[[]golden](f, name) {
			f.Add(unhex(f, g.Packet), g.Name == "ready")
		}
	}
	p := &Pool{log: slog.New(slog.DiscardHandler), config: Config{SpoolMemory: 1 << 20, ResponseSpool: 1 << 30, SpoolDir: f.TempDir()}}
	f.Fuzz(func(t *testing.T, packet []byte, isHead bool) {
		c := p.newCall()
		defer c.release()
		for len(packet) > 0 {
			f, rest, err := nextFrame(packet)
			if err != nil {
				break
			}
			if packet = rest; f.kind == frameReady || f.kind == frameFile || f.kind == frameStacks {
				continue // those are the lane's
			}
			if err := c.take(f, time.Time{}); err != nil {
				break
			}
		}
		c.fail(errLost) // the worker is gone
		method := http.MethodGet
		if isHead {
			method = http.MethodHead
		}
		w, r := finalRecorder{httptest.NewRecorder()}, httptest.NewRequest(method, "/", nil)
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler {
				panic(v)
			}
			for name, values := range w.Header() {
				if strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
					t.Errorf("field %q: %q", name, values)
				}
			}
			if w.Code < 200 || w.Code > 999 {
				t.Errorf("status %d", w.Code)
			}
		}()
		<-c.answered
		if c.hints.any.Load() {
			c.awaitHinted(w, r)
		}
		p.respond(w, r, c)
	})
}

// goldenRequest is a request and the packet that a worker gets for it.
type goldenRequest struct {
	Name    string         `json:"name"`
	Request string         `json:"request"` // as on the wire, one code point for each byte
	Mount   string         `json:"mount"`
	Number  int32          `json:"number"`
	Epoch   int32          `json:"epoch"`
	Packet  string         `json:"packet"`
	Environ map[string]any `json:"environ"`
	Body    *string        `json:"body"` // null if a file brings it
}

func TestGoldenRequests(t *testing.T) {
	const name = "to_worker.json"
	requests := readGolden[[]goldenRequest](t, name)
	for i := range requests {
		g := &requests[i]
		t.Run(g.Name, func(t *testing.T) {
			got := encodeRequest(t, g)
			if *update {
				g.Packet = hex.EncodeToString(got)
			} else if want := unhex(t, g.Packet); !bytes.Equal(got, want) {
				t.Errorf("encodes to\n%q, want\n%q", got, want)
			}
		})
	}
	if *update {
		writeGolden(t, name, requests)
	}
}

// encodeRequest encodes a request that has one header field at most beside
// those that the environ holds by other means: the order of a map is random.
func encodeRequest(t *testing.T, g *goldenRequest) []byte {
	t.Helper()
	config, err := Config{App: "app", Mount: g.Mount}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	p := &Pool{config: config, environ: environ{mount: config.Mount, scheme: config.Scheme}}
	c := p.newCall()
	defer c.release()
	c.id = "0123456789abcdef"
	r := readRequest(t, string(latin1(g.Request)))
	if err := p.takeIn(c, r); err != nil {
		t.Fatal(err)
	}
	setNumber(c.packet, g.Number)
	setEpoch(c.packet, g.Epoch)
	return bytes.Clone(c.packet)
}

// goldenBatch is a packet that holds the requests of to_worker.json that it
// names, in that order.
type goldenBatch struct {
	Requests []string `json:"requests"`
	Epoch    int32    `json:"epoch"`
	Packet   string   `json:"packet"`
}

func TestGoldenBatch(t *testing.T) {
	const name = "batch.json"
	g := readGolden[goldenBatch](t, name)
	var calls []*call
	for _, r := range readGolden[[]goldenRequest](t, "to_worker.json") {
		if slices.Contains(g.Requests, r.Name) {
			calls = append(calls, &call{packet: unhex(t, r.Packet)})
		}
	}
	packet := appendBatch(nil, calls)
	setEpoch(packet, g.Epoch)
	if got := hex.EncodeToString(packet); *update {
		g.Packet = got
		writeGolden(t, name, g)
	} else if len(calls) != len(g.Requests) || got != g.Packet {
		t.Errorf("%d requests encode to\n%s, want\n%s", len(calls), got, g.Packet)
	}
	if one := appendBatch(nil, calls[:1]); !bytes.Equal(one[:len(one)-epochValue], calls[0].packet[:len(one)-epochValue]) {
		t.Error("a packet of one request is not what the call holds")
	}
}

func writeGolden(t *testing.T, name string, v any) {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err == nil {
		err = os.WriteFile("testdata/frames/"+name, append(text, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func readRequest(t *testing.T, text string) *http.Request {
	t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	parsed, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	parsed.RemoteAddr = r.RemoteAddr
	return parsed
}

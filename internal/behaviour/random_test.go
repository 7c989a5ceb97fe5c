package behaviour_test

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// randomHandler does a few random things, as its seed says.
func randomHandler(seed uint64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		random := rand.New(rand.NewPCG(seed, 1))
		for range 1 + random.IntN(6) {
			switch random.IntN(11) {
			case 0:
				w.WriteHeader([]int{200, 201, 204, 206, 304, 404, 500}[random.IntN(7)])
			case 1, 2, 3:
				io.WriteString(w, strings.Repeat("s", random.IntN(200)))
			case 4:
				// The servers' buffers differ in size: between them it may
				// be seen which one answers.
				io.WriteString(w, strings.Repeat("l", 20_000))
			case 5:
				w.(http.Flusher).Flush()
			case 6:
				w.Header().Set("Content-Type", "a/b")
			case 7:
				w.Header().Set("Content-Length", strconv.Itoa(random.IntN(400)))
			case 8:
				w.Header().Set("Connection", "close")
			case 9:
				w.WriteHeader(http.StatusEarlyHints)
			case 10:
				io.CopyN(io.Discard, r.Body, int64(random.IntN(300)))
			}
		}
	}
}

// Whatever a handler does, in whatever order, the engine puts the same answer on
// the wire as the oracle.
func TestRandomHandlers(t *testing.T) {
	engine := testserver.Start(t, testserver.H1, seeded)
	oracle := testserver.Start(t, testserver.NetHTTP, seeded)
	const length = 200
	requests := map[string]func(path string) string{
		"GET":     func(path string) string { return get(path) },
		"POST":    func(path string) string { return request("POST", path, strings.Repeat("b", length)) },
		"chunked": func(path string) string { return chunked(path, "\r\n", strings.Repeat("b", length)) },
		"close":   func(path string) string { return get(path, "Connection: close") },
	}
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		t.Run(name, func(t *testing.T) {
			for seed := range 200 {
				raw := requests[name](fmt.Sprintf("/%d", seed))
				got, want := summary(engine, raw), summary(oracle, raw)
				if got != want {
					t.Errorf("seed %d\n got %s\nwant %s", seed, got, want)
				}
			}
		})
	}
}

func seeded(w http.ResponseWriter, r *http.Request) {
	seed, err := strconv.ParseUint(r.URL.Path[1:], 10, 64)
	if err != nil { // the question whether the connection is open
		w.WriteHeader(http.StatusNoContent)
		return
	}
	randomHandler(seed)(w, r)
}

// summary is an answer with all that must be the same on both servers.
func summary(s *testserver.Server, raw string) string {
	c := s.Dial()
	defer c.Close()
	c.Send(raw)
	res, err := c.Next(methodOf(raw))
	if res == nil {
		return describe(res, err, c)
	}
	if err != nil { // the handler broke its word: how much of the body came is not agreed on
		return fmt.Sprintf("%d %s %d cut", res.Status, res.Framing, res.Length)
	}
	fields := res.Header.Clone()
	fields.Del("Date")
	fields.Del("Server")
	return fmt.Sprintf("%s, %d early, %v, trailer %v", describe(res, err, c), len(res.Early), fields, res.Trailer)
}

package behaviour_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/http1/http1test"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// The parser's table of malformed requests, over a connection: each gets its
// status and the end of the connection, a malformed head reaches no handler,
// and a malformed body fails the handler's Read. The client waits with its
// sending direction open: a fault that can be seen is answered at once.
//
// The oracle does not take part; where it reads these bytes differently is the
// parser's own table.
func TestMalformedRequests(t *testing.T) {
	rows := http1test.Malformed(t)
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		reads := make(chan error, 1) // what the handler's Read of the row ended with
		s := testserver.Start(t, m, func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, r.Body)
			reads <- err
		})
		for _, row := range rows {
			t.Run(row.Name, func(t *testing.T) {
				c := s.Dial()
				defer c.Close()
				c.Send(row.Raw)
				res, err := c.Next(methodOf(row.Raw))
				if err != nil {
					t.Fatalf("no answer: %v", err)
				}
				if res.Status != row.Status || res.Get("Connection") != "close" {
					t.Errorf("status %d, Connection %q; want %d, close", res.Status, res.Get("Connection"), row.Status)
				}
				c.Closed()
				select {
				case err := <-reads:
					if row.Where == http1test.InHead {
						t.Error("handler reached")
					} else if err == nil {
						t.Error("body ended well")
					}
				default:
					if row.Where == http1test.InBody {
						t.Error("handler not reached")
					}
				}
			})
		}
	}, testserver.Engine(testserver.All())...)
}

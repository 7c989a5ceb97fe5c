package behaviour_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// dialogue is one request on a fresh connection and what must come back.
type dialogue struct {
	name    string
	handler http.HandlerFunc
	request string
	// want is the answer in short: status, framing, body, and whether the
	// connection serves another request afterwards, as describe writes it.
	want string
	// fields are "Name: value" that must stand in the head exactly once, or
	// "!Name" that must not.
	fields []string
}

// alive is the path that run asks for to learn whether a connection is open.
const alive = "/alive"

// run runs the dialogues as subtests in modes, in all if there are none.
func run(t *testing.T, dialogues []dialogue, modes ...testserver.Mode) {
	if len(modes) == 0 {
		modes = testserver.All()
	}
	for _, x := range dialogues {
		t.Run(x.name, func(t *testing.T) {
			testserver.Run(t, x.run, modesOf(x.name, modes)...)
		})
	}
}

func (x dialogue) run(t *testing.T, m testserver.Mode) {
	s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == alive {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		x.handler(w, r)
	})
	c := s.Dial()
	c.Send(x.request)
	res, err := c.Next(methodOf(x.request))
	if want, got := expected(m, x.name, x.want), describe(res, err, c); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if res != nil {
		checkFields(t, res, x.fields)
	}
}

// describe writes an answer in short, for comparison with a row: status,
// framing, body, and "open" or "close" for the connection after it.
func describe(res *testserver.Response, err error, c *testserver.Client) string {
	switch {
	case res == nil && testserver.Ended(err):
		return "closed unanswered"
	case res == nil:
		return err.Error()
	case err != nil && testserver.Ended(err):
		return fmt.Sprintf("%d %s %q cut", res.Status, res.Framing, res.Body)
	case err != nil:
		return err.Error()
	}
	after := "open"
	if res.Framing == testserver.UntilClose || !stillServes(c) {
		after = "close"
	}
	if res.Framing == testserver.NoBody {
		return fmt.Sprintf("%d no body, %s", res.Status, after)
	}
	return fmt.Sprintf("%d %s %q, %s", res.Status, res.Framing, res.Body, after)
}

// stillServes asks the connection for another answer.
func stillServes(c *testserver.Client) bool {
	if c.TrySend("GET "+alive+" HTTP/1.1\r\nHost: test\r\n\r\n") != nil {
		return false
	}
	res, err := c.Next("")
	return err == nil && res.Status == http.StatusNoContent
}

func checkFields(t *testing.T, res *testserver.Response, fields []string) {
	t.Helper()
	for _, f := range fields {
		if name, ok := strings.CutPrefix(f, "!"); ok {
			if got, there := res.Header[name]; there {
				t.Errorf("field %s: %q, want none", name, got)
			}
			continue
		}
		name, value, _ := strings.Cut(f, ": ")
		if got := res.Header[http.CanonicalHeaderKey(name)]; len(got) != 1 || got[0] != value {
			t.Errorf("field %s: %q, want %q once", name, got, value)
		}
	}
}

func methodOf(raw string) string {
	method, _, _ := strings.Cut(raw, " ")
	return method
}

// get is a plain request for a path, with more field lines if wanted.
func get(path string, fields ...string) string { return request("GET", path, "", fields...) }

// request writes an HTTP/1.1 request; with a body it has its Content-Length.
func request(method, path, body string, fields ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: test\r\n", method, path)
	for _, f := range fields {
		b.WriteString(f + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	return b.String() + "\r\n" + body
}

// chunked writes an HTTP/1.1 POST whose body is chunks, and then tail: the
// trailer fields and the empty line.
func chunked(path, tail string, chunks ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n", path)
	for _, c := range chunks {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(c), c)
	}
	return b.String() + "0\r\n" + tail
}

// sayHello answers with five bytes.
func sayHello(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }

// nothing returns at once.
func nothing(http.ResponseWriter, *http.Request) {}

// echo answers with method and body.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Method", r.Method)
	w.Write(body)
}

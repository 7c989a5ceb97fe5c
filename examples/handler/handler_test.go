package main

import (
	"bytes"
	"errors"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Main(m, nil)) }

// start runs the program at path and returns what it listens on.
func start(t *testing.T, path string, args ...string) (*testserver.Program, string) {
	t.Helper()
	p := testserver.StartProgram(t, ".", path, args...)
	return p, p.Await(`listening on (.+)\n`)
}

// dial opens a connection to the program.
func dial(t *testing.T, network, address string) *testserver.Client {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return testserver.NewClient(t, conn)
}

// form is a POST with a body.
func form(body string) string {
	return "POST / HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
		"Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

// TestSockets serves on each kind of socket and knows who asks.
func TestSockets(t *testing.T) {
	handler := testserver.Build(t, ".")
	for _, test := range []struct{ name, network, listen string }{
		{"IPv4", "tcp", "127.0.0.1:0"},
		{"IPv6", "tcp", "[::1]:0"},
		{"Unix", "unix", "unix:" + filepath.Join(t.TempDir(), "s")},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, address := start(t, handler, "-listen", test.listen, "-backlog", "5")
			c := dial(t, test.network, address)
			res := c.Open("/some/path")
			if res.Status != http.StatusOK || !strings.Contains(res.Text(), "<h1>GET /some/path</h1>") {
				t.Errorf("%d with %s", res.Status, res.Text())
			}
			if me := c.LocalAddr().String(); test.network == "tcp" && !strings.Contains(res.Text(), "from "+me+"<") {
				t.Errorf("the page does not name the client, %s:\n%s", me, res.Text())
			}
			p.Interrupt()
			if status := p.Wait(); status != 0 {
				t.Errorf("after Ctrl-C the exit status is %d", status)
			}
			if conn, err := net.Dial(test.network, address); err == nil {
				conn.Close()
				t.Errorf("%s still accepts connections", address)
			}
		})
	}
}

// TestAnswers sends one request after the other on the same connection.
func TestAnswers(t *testing.T) {
	_, address := start(t, testserver.Build(t, "."), "-listen", "127.0.0.1:0")
	c := dial(t, "tcp", address)
	for _, test := range []struct {
		name, raw string
		status    int
		want      string // in the body
	}{
		{"parameters", "GET /p?a=1&a=2 HTTP/1.1\r\nHost: test\r\n\r\n", 200, "<tr><th>a<td>1\n<tr><th>a<td>2\n"},
		{"fields", "GET / HTTP/1.1\r\nHost: test\r\nX-Word:  some words \r\n\r\n", 200, "<tr><th>X-Word:<td>some words\n"},
		{"form", form("word=caf%C3%A9+au+lait"), 200, "<tr><th>word<td>café au lait\n"},
		{"escaped path", "GET /%3Cb%3E HTTP/1.1\r\nHost: test\r\n\r\n", 200, "<h1>GET /&lt;b&gt;</h1>"},
		{"escaped parameter", "GET /?%3Cb%3E=%3Ci%3E HTTP/1.1\r\nHost: test\r\n\r\n", 200, "<tr><th>&lt;b&gt;<td>&lt;i&gt;\n"},
		{"escaped field", "GET / HTTP/1.1\r\nHost: test\r\nX-Word: <script>\r\n\r\n", 200, "<td>&lt;script&gt;\n"},
		{"longest form", form("word=" + strings.Repeat("x", maxForm-5)), 200, "<tr><th>word<td>xxx"},
		{"no body for HEAD", "HEAD / HTTP/1.1\r\nHost: test\r\n\r\n", 200, ""},
		{"a verb it does not have", "DELETE / HTTP/1.1\r\nHost: test\r\n\r\n", 405, "Method Not Allowed"},
		{"not a form", form("word=%"), 400, "Bad Request"},
		{"a form too long", form("word=" + strings.Repeat("x", maxForm-4)), 413, "Request Entity Too Large"},
	} {
		res := c.Roundtrip(test.raw)
		if res.Status != test.status || !strings.Contains(res.Text(), test.want) {
			t.Errorf("%s: %d with\n%s\nwant %d with %q", test.name, res.Status, res.Text(), test.status, test.want)
		}
	}
}

// TestSilence is what browsers do: they open connections that they do not use,
// and send empty lines after a form.
func TestSilence(t *testing.T) {
	p, address := start(t, testserver.Build(t, "."), "-listen", "127.0.0.1:0")
	silent := dial(t, "tcp", address)
	gone := dial(t, "tcp", address)
	gone.Close()

	c := dial(t, "tcp", address)
	c.Open("/first")
	c.Send("\r\n")
	if res := c.Open("/second"); !strings.Contains(res.Text(), "GET /second") {
		t.Errorf("after an empty line the answer is %d with %s", res.Status, res.Text())
	}
	c.Close()
	if res := silent.Open("/late"); res.Status != http.StatusOK {
		t.Errorf("who said nothing for a while gets %d", res.Status)
	}
	p.Interrupt()
	p.Wait()
	if got := p.Log.String(); strings.Count(got, "\n") != 1 {
		t.Errorf("it printed more than that it listens:\n%s", got)
	}
}

// TestRefused ends with one line that names the address and the cause.
func TestRefused(t *testing.T) {
	handler := testserver.Build(t, ".")
	_, taken := start(t, handler, "-listen", "127.0.0.1:0")
	for _, test := range []struct{ name, listen, cause string }{
		{"a port in use", taken, "address already in use"},
		{"no address of this machine", "192.0.2.99:0", "cannot assign requested address"},
		{"no port", "127.0.0.1", "missing port"},
	} {
		p := testserver.StartProgram(t, ".", handler, "-listen", test.listen)
		if status := p.Wait(); status != 1 {
			t.Errorf("%s: the exit status is %d, want 1", test.name, status)
		}
		got := p.Log.String()
		if !strings.Contains(got, test.listen) || !strings.Contains(got, test.cause) || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: printed %q", test.name, got)
		}
	}
}

// lamp has three verbs, one of which fails.
type lamp struct{ on bool }

func (l *lamp) Put(http.ResponseWriter, *http.Request) error    { l.on = true; return nil }
func (l *lamp) Delete(http.ResponseWriter, *http.Request) error { l.on = false; return nil }
func (l *lamp) Post(http.ResponseWriter, *http.Request) error   { return errors.New("a short circuit") }

// TestVerbs calls the method that is named after the verb, or says which are
// there; the log learns why one failed, the client does not.
func TestVerbs(t *testing.T) {
	var logged bytes.Buffer
	log.SetOutput(&logged)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	l := &lamp{}
	for _, test := range []struct {
		verb   string
		status int
		on     bool
	}{
		{http.MethodPut, http.StatusOK, true},
		{http.MethodGet, http.StatusMethodNotAllowed, true},
		{http.MethodOptions, http.StatusNoContent, true},
		{http.MethodDelete, http.StatusOK, false},
		{http.MethodPost, http.StatusInternalServerError, false},
		{"put", http.StatusMethodNotAllowed, false},
	} {
		w := httptest.NewRecorder()
		Verbs(l).ServeHTTP(w, httptest.NewRequest(test.verb, "/lamp", nil))
		if w.Code != test.status || l.on != test.on {
			t.Errorf("%s: status %d, lamp on %t; want %d, %t", test.verb, w.Code, l.on, test.status, test.on)
		}
		refused := test.status == http.StatusMethodNotAllowed || test.status == http.StatusNoContent
		if allow := w.Header().Get("Allow"); refused && allow != "DELETE, OPTIONS, POST, PUT" {
			t.Errorf("%s: Allow is %q", test.verb, allow)
		}
		if strings.Contains(w.Body.String(), "short circuit") {
			t.Errorf("%s: the client is told the cause: %s", test.verb, w.Body)
		}
	}
	if got := logged.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `POST "/lamp": a short circuit`) {
		t.Errorf("the log holds %q", got)
	}
}

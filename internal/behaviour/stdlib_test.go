package behaviour_test

import (
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

func TestServeMux(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /item/{id}", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "item "+r.PathValue("id")) })
	mux.HandleFunc("/tree/{rest...}", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "tree "+r.PathValue("rest")) })
	mux.HandleFunc("example.com/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "host") })
	mux.Handle("/strip/", http.StripPrefix("/strip", http.HandlerFunc(path)))
	mux.HandleFunc("/dir/", path)
	run(t, []dialogue{
		{"path value", mux.ServeHTTP, get("/item/7"), `200 content-length "item 7", open`, nil},
		{"escaped path value", mux.ServeHTTP, get("/item/a%2Fb"), `200 content-length "item a/b", open`, nil},
		{"wrong method", mux.ServeHTTP, request("POST", "/item/7", ""), `405 content-length "Method Not Allowed\n", open`, []string{"Allow: GET, HEAD"}},
		{"wildcard", mux.ServeHTTP, get("/tree/a/b/c"), `200 content-length "tree a/b/c", open`, nil},
		{"host pattern", mux.ServeHTTP, "GET /any HTTP/1.1\r\nHost: example.com\r\n\r\n", `200 content-length "host", open`, nil},
		{"prefix stripped", mux.ServeHTTP, get("/strip/x/y"), `200 content-length "/x/y", open`, nil},
		{"redirect to the slash", mux.ServeHTTP, get("/dir"), `307 content-length "<a href=\"/dir/\">Temporary Redirect</a>.\n\n", open`, []string{"Location: /dir/"}},
		{"path is cleaned", mux.ServeHTTP, get("/dir/../item//7"), `307 content-length "<a href=\"/item/7\">Temporary Redirect</a>.\n\n", open`, []string{"Location: /item/7"}},
		{"not found", mux.ServeHTTP, get("/none"), `404 content-length "404 page not found\n", open`, nil},
	})
}

func TestTimeoutHandler(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				<-r.Context().Done()
			}
			sayHello(w, r)
		}), 50*time.Millisecond, "too slow").ServeHTTP)
		c := s.Dial()
		if res := c.Open("/slow"); res.Status != http.StatusServiceUnavailable || res.Text() != "too slow" {
			t.Errorf("%d %q", res.Status, res.Body)
		}
		if res := c.Open("/fast"); res.Status != 200 || res.Text() != "hello" {
			t.Errorf("%d %q", res.Status, res.Body)
		}
	})
}

// net/http's client and the server understand each other.
func TestNetHTTPClient(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "Sum")
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			w.Header().Set("Link", "</a.css>")
			w.WriteHeader(http.StatusEarlyHints)
			fmt.Fprintf(w, "%s %s %d", r.Method, r.Trailer.Get("Sent"), len(body))
			w.Header().Set("Sum", fmt.Sprintf("%x", sha256.Sum256(body)))
		})
		client := s.Client()
		var hints int
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error { hints++; return nil }}
		for _, size := range []int{0, 1, 5000, 1 << 20} {
			body := strings.Repeat("x", size)
			req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "PUT", s.URL()+"/p", struct{ io.Reader }{strings.NewReader(body)})
			if err != nil {
				t.Fatal(err)
			}
			req.Trailer = http.Header{"Sent": {"yes"}}
			req.Header.Set("Expect", "100-continue")
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			res.Body.Close()
			if want := fmt.Sprintf("PUT yes %d", size); err != nil || string(got) != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
			if got, want := res.Trailer.Get("Sum"), fmt.Sprintf("%x", sha256.Sum256([]byte(body))); got != want {
				t.Errorf("trailer %s, want %s", got, want)
			}
		}
		if hints < 4 {
			t.Errorf("%d informational answers", hints)
		}
	})
}

// reverseProxy sends all to the server behind.
func reverseProxy(behind *testserver.Server) *httputil.ReverseProxy {
	target := &url.URL{Scheme: "http", Host: "behind"}
	if behind.Mode.TLS() {
		target = &url.URL{Scheme: "https", Host: "localhost"}
	}
	return &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
		Transport:     behind.Client().Transport,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
	}
}

// httputil.ReverseProxy works as a handler of the server, and with the server
// behind it.
func TestReverseProxy(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		proceed := make(chan struct{})
		behind := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/stream":
				for i := range 3 {
					fmt.Fprintf(w, "part %d", i)
					w.(http.Flusher).Flush()
					<-proceed
				}
			case "/gzip":
				w.Header().Set("Content-Encoding", "gzip")
				zw := gzip.NewWriter(w)
				io.WriteString(zw, strings.Repeat("hello ", 1000))
				zw.Close()
			case "/trailer":
				w.Header().Set("Trailer", "Sum")
				sayHello(w, r)
				w.Header().Set("Sum", "5")
			case "/upgrade":
				conn, rw, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
				rw.Flush()
				io.Copy(conn, rw)
			case "/hints":
				w.Header().Set("Link", "</a.css>")
				w.WriteHeader(http.StatusEarlyHints)
				sayHello(w, r)
			case "/abort":
				sayHello(w, r)
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			default:
				body, _ := io.ReadAll(r.Body)
				fmt.Fprintf(w, "%s %s %s", r.Method, r.Header.Get("X-Forwarded-Proto"), body)
			}
		})
		front := testserver.Start(t, m, reverseProxy(behind).ServeHTTP)
		proto := map[bool]string{false: "http", true: "https"}[m.TLS()]

		c := front.Dial()
		if got, want := c.Roundtrip(request("POST", "/x", "body")).Text(), "POST "+proto+" body"; got != want {
			t.Errorf("POST: %q, want %q", got, want)
		}
		if got, want := c.Roundtrip(chunked("/x", "\r\n", "bo", "dy")).Text(), "POST "+proto+" body"; got != want {
			t.Errorf("chunked POST: %q, want %q", got, want)
		}
		c.Send(get("/stream"))
		c.Head("")
		for i := range 3 {
			if got, want := c.Chunk(), fmt.Sprintf("part %d", i); got != want {
				t.Errorf("chunk %q, want %q", got, want)
			}
			proceed <- struct{}{}
		}
		if c.Chunk() == "" {
			c.Expect("\r\n")
		}
		if res := c.Roundtrip(get("/gzip", "Accept-Encoding: gzip")); res.Get("Content-Encoding") != "gzip" || len(res.Body) == 0 {
			t.Errorf("gzip: %v, %d bytes", res.Header, len(res.Body))
		}
		if res := c.Open("/trailer"); res.Trailer.Get("Sum") != "5" {
			t.Errorf("trailer: %v", res.Trailer)
		}
		if res := c.Open("/hints"); len(res.Early) != 1 || res.Early[0].Get("Link") != "</a.css>" {
			t.Errorf("early hints: %+v", res.Early)
		}
		aborted := front.Dial()
		aborted.Send(get("/abort"))
		if res, err := aborted.Next(""); !testserver.Ended(err) {
			t.Errorf("abort: %+v, %v", res, err)
		}

		up := front.Dial()
		up.Send(get("/upgrade", "Connection: Upgrade", "Upgrade: echo"))
		if head := up.Head(""); head.Status != 101 {
			t.Fatalf("upgrade: %d", head.Status)
		}
		up.Send("through both")
		up.Expect("through both")
		up.Close()
	})
}

// The request through a proxy ends at the far end too when the client leaves.
func TestReverseProxyClientLeaves(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		reached, left := make(chan struct{}), make(chan struct{})
		behind := watchful(t, m, func(w http.ResponseWriter, r *http.Request) {
			close(reached)
			<-r.Context().Done()
			close(left)
		})
		front := watchful(t, m, reverseProxy(behind).ServeHTTP)
		c := front.Dial()
		c.Send(get("/"))
		testserver.Receive(t, "the request behind the proxy", reached)
		c.Close()
		testserver.Receive(t, "its end", left)
	})
}

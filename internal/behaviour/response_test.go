package behaviour_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// answer is a handler that sets the fields ("Name: value"), writes the status
// unless it is 0, and then the parts of the body.
func answer(status int, fields []string, parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, f := range fields {
			name, value, _ := strings.Cut(f, ": ")
			w.Header().Add(name, value)
		}
		if status != 0 {
			w.WriteHeader(status)
		}
		for _, p := range parts {
			io.WriteString(w, p)
		}
	}
}

func TestResponseFraming(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	run(t, []dialogue{
		{"nothing written", nothing, get("/"), `200 content-length "", open`, []string{"Content-Length: 0", "!Content-Type"}},
		{"status only", answer(201, nil), get("/"), `201 content-length "", open`, []string{"Content-Length: 0"}},
		{"empty write", answer(0, nil, ""), get("/"), `200 content-length "", open`, []string{"Content-Length: 0"}},
		{"small body", answer(0, nil, "hello"), get("/"), `200 content-length "hello", open`, []string{"Content-Length: 5"}},
		{"small body in parts", answer(0, nil, "he", "l", "lo"), get("/"), `200 content-length "hello", open`, []string{"Content-Length: 5"}},
		{"long body in one write", answer(0, nil, long), get("/"), `200 chunked "` + long + `", open`, nil},
		{"long body with a length", answer(0, []string{"Content-Length: 10000"}, long), get("/"), `200 content-length "` + long + `", open`, []string{"!Transfer-Encoding"}},
		{"long body for 1.0", answer(0, nil, long), "GET / HTTP/1.0\r\n\r\n", `200 until close "` + long + `", close`, []string{"!Transfer-Encoding"}},
		{"flushed", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "hel")
			w.(http.Flusher).Flush()
			io.WriteString(w, "lo")
		}, get("/"), `200 chunked "hello", open`, nil},
		{"flushed, then closed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			w.(http.Flusher).Flush()
			io.WriteString(w, "hello")
		}, get("/"), `200 chunked "hello", close`, []string{"Connection: close"}},
		{"flushed with a length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			w.(http.Flusher).Flush()
			io.WriteString(w, "hello")
		}, get("/"), `200 content-length "hello", open`, nil},
		{"flushed and nothing else", func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
		}, get("/"), `200 chunked "", open`, nil},
		{"too little for the length", answer(0, []string{"Content-Length: 10"}, "hello"), get("/"), `200 content-length "hello" cut`, nil},
		{"length and nothing written", answer(0, []string{"Content-Length: 10"}), get("/"), `200 content-length "" cut`, nil},
		{"too much for the length", answer(0, []string{"Content-Length: 5"}, "hello", "!"), get("/"), `200 content-length "hello", close`, nil},
		{"too much for the length, then less", answer(0, []string{"Content-Length: 5"}, "hel", "lo!", "lo"), get("/"), `200 content-length "hel" cut`, nil},
		{"too much for the length, then a file", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "5")
			w.Header().Set("Content-Type", "a/b")
			io.WriteString(w, "too much")
			file, err := os.Open("doc.go")
			if err != nil {
				t.Error(err)
				return
			}
			defer file.Close()
			if n, err := io.CopyN(w, file, 3); n != 0 || !errors.Is(err, http.ErrContentLength) {
				t.Errorf("copied %d, %v", n, err)
			}
		}, get("/"), `200 content-length "" cut`, nil},
		{"too much for the length of a HEAD", answer(0, []string{"Content-Length: 5"}, "hello", "!"), request("HEAD", "/", ""), `200 no body, open`, []string{"Content-Length: 5", "!Connection"}},
		{"length with spaces", answer(0, []string{"Content-Length:  5 "}, "hello"), get("/"), `200 content-length "hello", open`, nil},
		{"length that is none", answer(0, []string{"Content-Length: five"}, "hello"), get("/"), `200 content-length "hello", open`, nil},
		{"negative length", answer(0, []string{"Content-Length: -5"}, "hello"), get("/"), `200 content-length "hello", open`, nil},
		{"chunked asked for", answer(0, []string{"Transfer-Encoding: chunked"}, "hello"), get("/"), `200 chunked "hello", open`, nil},
		{"identity asked for", answer(0, []string{"Transfer-Encoding: identity"}, "hello"), get("/"), `200 until close "hello", close`, nil},
		{"length and chunked by the handler", answer(0, []string{"Content-Length: 5", "Transfer-Encoding: chunked"}, "hello"), get("/"), `200 chunked "hello", open`, []string{"!Content-Length"}},

		{"HEAD", answer(0, nil, "hello"), request("HEAD", "/", ""), `200 no body, open`, []string{"Content-Length: 5", "Content-Type: text/plain; charset=utf-8"}},
		{"HEAD changed to GET by the handler", func(w http.ResponseWriter, r *http.Request) {
			r.Method = http.MethodGet
			sayHello(w, r)
		}, request("HEAD", "/", ""), `200 no body, open`, []string{"Content-Length: 5"}},
		{"GET changed to HEAD by the handler", func(w http.ResponseWriter, r *http.Request) {
			r.Method = http.MethodHead
			sayHello(w, r)
		}, get("/"), `200 content-length "hello", open`, nil},
		{"HEAD of nothing", nothing, request("HEAD", "/", ""), `200 no body, open`, nil},
		{"HEAD with a length", answer(0, []string{"Content-Length: 12345"}), request("HEAD", "/", ""), `200 no body, open`, []string{"Content-Length: 12345"}},
		{"HEAD of a long body", answer(0, nil, long), request("HEAD", "/", ""), `200 no body, open`, nil},
		{"HEAD of a flushed body", func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			io.WriteString(w, "hello")
		}, request("HEAD", "/", ""), `200 no body, open`, nil},
		{"204", answer(204, nil), get("/"), `204 no body, open`, []string{"!Content-Length", "!Content-Type", "!Transfer-Encoding"}},
		{"204 with a body", answer(204, nil, "hello"), get("/"), `204 no body, open`, []string{"!Content-Length"}},
		{"204 with a length", answer(204, []string{"Content-Length: 5"}), get("/"), `204 no body, open`, []string{"!Content-Length"}},
		{"204 flushed", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(204)
			w.(http.Flusher).Flush()
		}, get("/"), `204 no body, open`, []string{"!Transfer-Encoding"}},
		{"304", answer(304, []string{"Etag: \"x\""}), get("/"), `304 no body, open`, []string{"Etag: \"x\"", "!Content-Type", "!Transfer-Encoding"}},
		{"304 with a body", answer(304, nil, "hello"), get("/"), `304 no body, open`, nil},
		{"304 with a length", answer(304, []string{"Content-Length: 5"}), get("/"), `304 no body, open`, []string{"!Transfer-Encoding"}},
		{"101 without a hijack", answer(101, []string{"Upgrade: x", "Connection: Upgrade"}), get("/"), `101 no body, open`, []string{"Upgrade: x", "!Content-Length"}},
		{"205", answer(205, nil), get("/"), `205 content-length "", open`, []string{"Content-Length: 0"}},
	})
}

func TestResponseFields(t *testing.T) {
	run(t, []dialogue{
		{"sniffed text", answer(0, nil, "hello"), get("/"), `200 content-length "hello", open`, []string{"Content-Type: text/plain; charset=utf-8"}},
		{"sniffed HTML", answer(0, nil, "<html>"), get("/"), `200 content-length "<html>", open`, []string{"Content-Type: text/html; charset=utf-8"}},
		{"sniffed in parts", answer(0, nil, "<ht", "ml>"), get("/"), `200 content-length "<html>", open`, []string{"Content-Type: text/html; charset=utf-8"}},
		{"sniffed before a flush", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "<html>")
			w.(http.Flusher).Flush()
		}, get("/"), `200 chunked "<html>", open`, []string{"Content-Type: text/html; charset=utf-8"}},
		{"sniffing switched off", func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = nil
			sayHello(w, r)
		}, get("/"), `200 content-length "hello", open`, []string{"!Content-Type"}},
		{"no sniffing of encoded bodies", answer(0, []string{"Content-Encoding: gzip"}, "hello"), get("/"), `200 content-length "hello", open`, []string{"!Content-Type"}},
		{"type of the handler", answer(0, []string{"Content-Type: a/b"}, "hello"), get("/"), `200 content-length "hello", open`, []string{"Content-Type: a/b"}},
		{"Date of the handler", answer(0, []string{"Date: today"}), get("/"), `200 content-length "", open`, []string{"Date: today"}},
		{"Date switched off", func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = nil }, get("/"), `200 content-length "", open`, []string{"!Date"}},
		{"Server of the handler", answer(0, []string{"Server: mine"}), get("/"), `200 content-length "", open`, []string{"Server: mine"}},
		{"own fields", answer(0, []string{"X-One: 1", "x-two: 2"}), get("/"), `200 content-length "", open`, []string{"X-One: 1", "X-Two: 2"}},
		{"line break in a value", answer(0, []string{"X-One: a\r\nX-Two: b"}), get("/"), `200 content-length "", open`, []string{"X-One: a  X-Two: b", "!X-Two"}},
		{"LF in a value", answer(0, []string{"X-One: a\nb"}), get("/"), `200 content-length "", open`, []string{"X-One: a b"}},
		{"line break in a name", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X-One: a\r\nX-Two"] = []string{"b"}
		}, get("/"), `200 content-length "", open`, []string{"!X-One", "!X-Two"}},
		{"space in a name", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X One"] = []string{"b"}
		}, get("/"), `200 content-length "", open`, []string{"!X one", "!X One"}},
		{"value is trimmed", answer(0, []string{"X-One:   a\t "}), get("/"), `200 content-length "", open`, []string{"X-One: a"}},
	})
}

func TestDateAndServer(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, sayHello)
		res := s.Get("/")
		if dates := res.Header["Date"]; len(dates) != 1 {
			t.Errorf("Date: %q", dates)
		} else if _, err := http.ParseTime(dates[0]); err != nil {
			t.Errorf("Date: %v", err)
		}
		if got, want := res.Get("Server"), expected(m, "Server field", "Gatehouse"); got != want {
			t.Errorf("Server: %q, want %q", got, want)
		}
	})
}

// Several values of one field keep their order and stay apart.
func TestRepeatedFields(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, answer(0, []string{"Set-Cookie: a=1", "Set-Cookie: b=2", "Set-Cookie: c=3"}))
		if got := fmt.Sprint(s.Get("/").Header["Set-Cookie"]); got != "[a=1 b=2 c=3]" {
			t.Errorf("Set-Cookie: %s", got)
		}
	})
}

// What a handler does to the header after the head is settled changes nothing.
func TestHeaderAfterWriteHeader(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		s := testserver.Start(t, m, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Kept", "yes")
			w.Header().Set("Content-Type", "a/b")
			w.WriteHeader(http.StatusAccepted)
			w.Header().Set("Late", "yes")
			w.Header().Set("Content-Type", "c/d")
			w.Header().Del("Kept")
			w.WriteHeader(http.StatusTeapot)
			sayHello(w, r)
		})
		res := s.Get("/")
		if res.Status != http.StatusAccepted {
			t.Errorf("status %d", res.Status)
		}
		checkFields(t, res, []string{"Kept: yes", "Content-Type: a/b", "!Late"})
		s.Log.Wait(t, "superfluous")
	})
}

// The head is what the header was at WriteHeader or the first Write, also for a
// handler that has kept the map from before and needs no further call of Header
// to change it.
func TestHeaderKeptBeyondWriteHeader(t *testing.T) {
	run(t, []dialogue{
		{"changed after a write", func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h["One"], h["Two"] = []string{"early"}, []string{"early"}
			sayHello(w, r)
			h.Set("One", "late")
			h["Two"][0] = "late"
			h.Set("Three", "late")
			h.Set("Trailer", "Four")
			h.Set("Connection", "close")
		}, get("/"), `200 content-length "hello", open`, []string{"One: early", "Two: early", "!Three", "!Trailer", "!Connection"}},
		{"length after a write", func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			sayHello(w, r)
			h.Set("Content-Length", "3")
		}, get("/"), `200 content-length "hello", open`, nil},
		{"framing after WriteHeader", func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Length", "5")
			h.Set("Content-Type", "a/b")
			w.WriteHeader(http.StatusAccepted)
			h["Content-Length"][0] = "4"
			h.Set("Transfer-Encoding", "chunked")
			h.Del("Content-Type")
			sayHello(w, r)
			w.(http.Flusher).Flush()
		}, get("/"), `202 content-length "hello", open`, []string{"Content-Type: a/b"}},
	})
}

func TestWriteErrors(t *testing.T) {
	tests := []struct {
		name  string
		write func(w http.ResponseWriter) (int, error)
		want  error
	}{
		{"beyond the length", func(w http.ResponseWriter) (int, error) {
			w.Header().Set("Content-Length", "3")
			return w.Write([]byte("hello"))
		}, http.ErrContentLength},
		{"string beyond the length", func(w http.ResponseWriter) (int, error) {
			w.Header().Set("Content-Length", "3")
			return io.WriteString(w, "hello")
		}, http.ErrContentLength},
		{"second write beyond the length", func(w http.ResponseWriter) (int, error) {
			w.Header().Set("Content-Length", "3")
			w.Write([]byte("abc"))
			return w.Write([]byte("d"))
		}, http.ErrContentLength},
		{"body of 204", func(w http.ResponseWriter) (int, error) {
			w.WriteHeader(204)
			return w.Write([]byte("hello"))
		}, http.ErrBodyNotAllowed},
		{"body of 304", func(w http.ResponseWriter) (int, error) {
			w.WriteHeader(304)
			return io.WriteString(w, "hello")
		}, http.ErrBodyNotAllowed},
		{"within the length", func(w http.ResponseWriter) (int, error) {
			w.Header().Set("Content-Length", "5")
			return w.Write([]byte("hello"))
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				got := make(chan error, 1)
				s := testserver.Start(t, m, func(w http.ResponseWriter, _ *http.Request) {
					n, err := tt.write(w)
					if (n == 0) != (err != nil) {
						t.Errorf("%d bytes written with error %v", n, err)
					}
					got <- err
				})
				c := s.Dial()
				c.Send(get("/"))
				if err := testserver.Receive(t, "the handler", got); !errors.Is(err, tt.want) {
					t.Errorf("error %v, want %v", err, tt.want)
				}
			})
		})
	}
}

// A HEAD handler writes as for GET and is told that all went well.
func TestWriteToHEAD(t *testing.T) {
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		got := make(chan string, 1)
		s := testserver.Start(t, m, func(w http.ResponseWriter, _ *http.Request) {
			n, err := io.WriteString(w, "hello")
			got <- fmt.Sprint(n, err)
		})
		s.Ask(request("HEAD", "/", ""))
		if got, want := testserver.Receive(t, "the handler", got), fmt.Sprint(5, error(nil)); got != want {
			t.Errorf("WriteString gave %s, want %s", got, want)
		}
	})
}

func TestInvalidStatusPanics(t *testing.T) {
	for _, status := range []int{-1, 0, 99, 1000} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				panicked := make(chan bool, 1)
				s := testserver.Start(t, m, func(w http.ResponseWriter, _ *http.Request) {
					defer func() { panicked <- recover() != nil }()
					w.WriteHeader(status)
				})
				c := s.Dial()
				c.Send(get("/"))
				if !testserver.Receive(t, "the handler", panicked) {
					t.Errorf("WriteHeader(%d) did not panic", status)
				}
			})
		})
	}
}

func TestResponseTrailers(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		raw     string
		want    string // the trailer section
		fields  []string
	}{
		{"announced", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "Sum, Never")
			w.Header().Add("Trailer", "Other")
			sayHello(w, r)
			w.Header().Set("Sum", "5")
			w.Header().Set("Other", "o")
			w.Header().Set("Not-Announced", "x")
		}, get("/"), "map[Other:[o] Sum:[5]]", []string{"!Sum", "!Other", "Transfer-Encoding: chunked"}},
		{"by prefix", func(w http.ResponseWriter, r *http.Request) {
			sayHello(w, r)
			w.(http.Flusher).Flush()
			w.Header().Set(http.TrailerPrefix+"Sum", "5")
		}, get("/"), "map[Sum:[5]]", []string{"!Sum"}},
		{"several values", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "Sum")
			sayHello(w, r)
			w.Header()["Sum"] = []string{"1", "2"}
		}, get("/"), "map[Sum:[1 2]]", nil},
		{"set before the head", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "Sum")
			w.Header().Set("Sum", "early")
			sayHello(w, r)
			w.Header().Set("Sum", "late")
		}, get("/"), "map[Sum:[late]]", []string{"Sum: early"}},
		{"no body", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "Sum")
			w.WriteHeader(200)
			w.Header().Set("Sum", "0")
		}, get("/"), "map[Sum:[0]]", nil},
		{"line break in a value", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "Sum")
			sayHello(w, r)
			w.Header().Set("Sum", "a\r\nEvil: b")
		}, get("/"), "map[Sum:[a  Evil: b]]", nil},
		{"forbidden ones", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "Content-Length, Transfer-Encoding, Sum")
			sayHello(w, r)
			w.Header().Set("Sum", "5")
			w.Header().Set("Content-Length", "77")
		}, get("/"), "map[Sum:[5]]", nil},
		{"none for 1.0", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "Sum")
			sayHello(w, r)
			w.Header().Set("Sum", "5")
		}, "GET / HTTP/1.0\r\n\r\n", "map[]", nil},
		// A field that is set in time is not lost where no trailer can be sent.
		{"set before the head for 1.0", answer(0, []string{"Trailer: Sum", "Sum: 5"}, "hello"), "GET / HTTP/1.0\r\n\r\n", "map[]", []string{"Sum: 5"}},
		{"set before the head with a length", answer(0, []string{"Trailer: Sum", "Sum: 5", "Content-Length: 5"}, "hello"), get("/"), "map[]", []string{"Sum: 5"}},
		{"set before the head of a HEAD", answer(0, []string{"Trailer: Sum", "Sum: 5"}, "hello"), request("HEAD", "/", ""), "map[]", []string{"Sum: 5"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				s := testserver.Start(t, m, tt.handler)
				res := s.Ask(tt.raw)
				if got, want := fmt.Sprint(res.Trailer), expected(m, "trailer "+tt.name, tt.want); got != want {
					t.Errorf("trailer %s, want %s", got, want)
				}
				checkFields(t, res, tt.fields)
			})
		})
	}
}

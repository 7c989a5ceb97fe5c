package http1_test

import (
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

// browserHead is what a browser sends for a file of a page: 13 fields, three of
// their names not in canonical form.
const browserHead = "GET /static/css/site.5f2a1c.css?v=3 HTTP/1.1\r\n" +
	"Host: www.example.org\r\n" +
	"Connection: keep-alive\r\n" +
	"sec-ch-ua-platform: \"Linux\"\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n" +
	"sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\"\r\n" +
	"sec-ch-ua-mobile: ?0\r\n" +
	"Accept: text/css,*/*;q=0.1\r\n" +
	"Sec-Fetch-Site: same-origin\r\n" +
	"Sec-Fetch-Mode: no-cors\r\n" +
	"Referer: https://www.example.org/news/2026/11/\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n" +
	"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; seen=1763640000\r\n" +
	"\r\n"

func BenchmarkParseRequest(b *testing.B) {
	for name, head := range map[string]string{
		"browser": browserHead,
		"plain":   "GET / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(head)))
			buf := []byte(head)
			var h http1.RequestHead
			for b.Loop() {
				var s http1.HeadScanner
				n, err := s.Scan(buf, nil)
				if err != nil {
					b.Fatal(err)
				}
				if err := http1.ParseRequest(buf[:n], &h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeChunked(b *testing.B) {
	coded := []byte(strings.Repeat("1000\r\n"+strings.Repeat("x", 4096)+"\r\n", 16) + "0\r\n\r\n")
	dst := make([]byte, len(coded))
	b.ReportAllocs()
	b.SetBytes(int64(len(coded)))
	for b.Loop() {
		var d http1.ChunkedDecoder
		if n, _, _ := d.Decode(dst, coded); n != 16*4096 {
			b.Fatalf("decoded %d bytes", n)
		}
	}
}

func BenchmarkResponseHead(b *testing.B) {
	header := map[string][]string{
		"Content-Type":  {"text/html; charset=utf-8"},
		"Cache-Control": {"no-cache"},
		"Etag":          {`"5f2a1c"`},
		"Vary":          {"Accept-Encoding"},
	}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		f := http1.FrameResponse(&http1.Response{Method: "GET", Minor: 1, Status: 200, Header: header, Length: 1024})
		buf = http1.AppendStatusLine(buf[:0], 200)
		buf = f.Append(buf)
		buf = http1.AppendHeader(buf, header, http1.FramingField)
	}
}

// TestAllocations holds the budget of the hot path: the copy of the head, the
// array of the values, and what a map of that size takes.
func TestAllocations(t *testing.T) {
	tests := []struct {
		name   string
		budget float64
		run    func() error
	}{
		{"browser request", 6, func() error {
			var h http1.RequestHead
			return http1.ParseRequest([]byte(browserHead), &h)
		}},
		{"status line and field", 0, func() error {
			var buf [256]byte
			b := http1.AppendStatusLine(buf[:0], 200)
			_ = http1.AppendField(b, "Content-Type", "text/html")
			return nil
		}},
		{"framing", 0, func() error {
			http1.FrameResponse(&http1.Response{Method: "GET", Minor: 1, Status: 200, Length: 5})
			return nil
		}},
		{"one chunk", 0, func() error {
			var d http1.ChunkedDecoder
			var dst [8]byte
			_, _, err := d.Decode(dst[:], []byte("5\r\nhello\r\n"))
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.run(); err != nil {
				t.Fatal(err)
			}
			if got := testing.AllocsPerRun(100, func() { _ = tt.run() }); got > tt.budget {
				t.Errorf("%v allocations, budget %v", got, tt.budget)
			}
		})
	}
}

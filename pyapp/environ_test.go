package pyapp

import (
	"net/http/httptest"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/metavar"
)

func TestEncodingARequestAllocatesNothing(t *testing.T) {
	e := environ{scheme: metavar.Scheme}
	r := httptest.NewRequest("GET", "/some/page?q=1", nil)
	r.Header.Set("Accept", "text/html")
	packet := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { packet, _ = e.appendHead(packet[:0], r, "0123456789abcdef", 0) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEnviron(b *testing.B) {
	e := environ{scheme: metavar.Scheme}
	r := httptest.NewRequest("GET", "/some/page?q=1", nil)
	for name, value := range map[string]string{
		"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
		"Accept-Language": "en-US,en;q=0.9", "Accept-Encoding": "gzip, deflate, br, zstd", "Cookie": "sessionid=abcdef0123456789",
	} {
		r.Header.Set(name, value)
	}
	packet := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		packet, _ = e.appendHead(packet[:0], r, "0123456789abcdef", 0)
	}
	b.SetBytes(int64(len(packet)))
}

func BenchmarkCheckHead(b *testing.B) {
	head := []byte("Content-Type: text/html; charset=utf-8\r\nX-Frame-Options: DENY\r\nVary: Cookie\r\nContent-Length: 4146\r\n")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := checkHead(head); err != nil {
			b.Fatal(err)
		}
	}
}

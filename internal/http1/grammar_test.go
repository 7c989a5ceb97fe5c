package http1_test

import (
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/http1"
)

// TestEveryByteInAValue puts each byte at each place of a value that is longer
// than two of the words in which values are looked through.
func TestEveryByteInAValue(t *testing.T) {
	for c := range 256 {
		want := c == '\t' || c >= ' ' && c != 0x7f
		for at := range 18 {
			value := []byte("vvvvvvvvvvvvvvvvvv")
			value[at] = byte(c)
			if got := http1.ValidFieldValue(string(value)); got != want {
				t.Fatalf("byte %#x at %d: ValidFieldValue = %t, want %t", c, at, got, want)
			}
			head := "GET / HTTP/1.1\r\nHost: a\r\nX: " + string(value) + "\r\n\r\n"
			var h http1.RequestHead
			if err := http1.ParseRequest([]byte(head), &h); (err == nil) != want {
				t.Fatalf("byte %#x at %d: ParseRequest: %v, want accepted: %t", c, at, err, want)
			}
		}
	}
}

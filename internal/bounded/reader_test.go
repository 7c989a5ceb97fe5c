package bounded_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed-07905ac1/gatehouse/internal/bounded"
)

func TestReader(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name         string
		source       io.Reader
		limit, taken int64
		want         string
		exceeded     bool
		err          error
	}{
		{name: "shorter", source: strings.NewReader("four"), limit: 5, want: "four"},
		{name: "as long as may be", source: strings.NewReader("four"), limit: 4, want: "four"},
		{name: "one byte more", source: strings.NewReader("four"), limit: 3, exceeded: true},
		{name: "with what came before", source: strings.NewReader("four"), limit: 10, taken: 6, want: "four"},
		{name: "one byte more than with what came before", source: strings.NewReader("four"), limit: 10, taken: 7, exceeded: true},
		{name: "nothing may come", source: strings.NewReader(""), limit: 0},
		{name: "without a limit", source: strings.NewReader("four"), limit: -1, want: "four"},
		{name: "from a source that breaks", source: iotest.ErrReader(broken), limit: 4, err: broken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := bounded.NewReader(tt.source, tt.limit, tt.taken)
			got, err := io.ReadAll(r)
			if string(got) != tt.want || r.Exceeded != tt.exceeded || !errors.Is(r.Err, tt.err) {
				t.Errorf("read %q, exceeded %t, error %v", got, r.Exceeded, r.Err)
			}
			if failed := tt.exceeded || tt.err != nil; (err != nil) != failed {
				t.Errorf("a copy ends with %v", err)
			}
		})
	}
}

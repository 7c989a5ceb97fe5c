package pyapp

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
)

func testSpool(t *testing.T, memory, stored int64) *spool {
	p := &Pool{config: Config{SpoolMemory: memory, ResponseSpool: stored, SpoolDir: t.TempDir()}}
	s := p.newSpool()
	t.Cleanup(s.close)
	return s
}

func readAll(s *spool) ([]byte, error) {
	var all, buf []byte
	for {
		b, _, err := s.next(buf)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, b...)
		buf = b
	}
}

func TestSpoolKeepsTheOrder(t *testing.T) {
	tests := []struct {
		name   string
		memory int64
		write  int // bytes before the reader takes something, in blocks of 1,000
	}{
		{"in memory", 1 << 20, 10_000},
		{"at the limit of memory", 10_000, 10_000},
		{"beyond it", 9_999, 10_000},
		{"mostly in a file", 1_000, 300_000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testSpool(t, tt.memory, 1<<20)
			var want []byte
			for round := range 3 { // the file is used again when it has been read
				for i := range tt.write / 1000 {
					block := bytes.Repeat([]byte{byte(i), byte(round)}, 500)
					want = append(want, block...)
					if err := s.write(block); err != nil {
						t.Fatal(err)
					}
				}
				if round == 2 {
					s.finish(nil)
					break
				}
				for got := 0; got < tt.write; {
					b, _, err := s.next(nil)
					if err != nil {
						t.Fatal(err)
					}
					if !bytes.HasPrefix(want, b) {
						t.Fatal("out of order")
					}
					want, got = want[len(b):], got+len(b)
				}
			}
			if got, err := readAll(s); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %v; want %d", len(got), err, len(want))
			}
		})
	}
}

func TestSpoolHoldsTheWriterUp(t *testing.T) {
	// The file's reads and writes are short system calls: they do not disturb
	// the bubble's notion of being blocked.
	synctest.Test(t, func(t *testing.T) {
		p := &Pool{config: Config{SpoolMemory: 10, ResponseSpool: 100, SpoolDir: os.TempDir()}}
		s := p.newSpool()
		defer s.close()
		var wrote int
		go func() {
			for range 30 {
				_ = s.write(make([]byte, 10))
				wrote += 10
			}
			s.finish(nil)
		}()
		synctest.Wait()
		if wrote != 110 || !s.waitsForReader() {
			t.Errorf("the writer got rid of %d bytes and waits: %t; want 110 and true", wrote, s.waitsForReader())
		}
		if got, err := readAll(s); len(got) != 300 || err != nil {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

func TestSpoolThatIsClosedTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Pool{config: Config{SpoolMemory: 10, ResponseSpool: 10, SpoolDir: os.TempDir()}}
		s := p.newSpool()
		go func() {
			for range 100 {
				_ = s.write(make([]byte, 10))
			}
		}()
		synctest.Wait()
		s.close() // lets the writer go
		synctest.Wait()
	})
}

func TestSpoolThatCannotStore(t *testing.T) {
	s := testSpool(t, 10, 100)
	s.dir = "/nowhere/at/all"
	if err := s.write(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	if err := s.write(make([]byte, 8)); err == nil {
		t.Error("no error without a place to store")
	}
	if got, err := readAll(s); len(got) != 8 || err == nil {
		t.Errorf("%d bytes, error %v; want what there was and an error", len(got), err)
	}
}

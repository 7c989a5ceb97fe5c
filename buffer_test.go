package gatehouse

import (
	"bytes"
	"testing"
)

func TestBufferKeepsItsContentWhenItGrows(t *testing.T) {
	var lender buffers
	b := lender.get()
	var want []byte
	for i := range 5 * bufferSize {
		b.room()[0] = byte(i)
		b.grown(1)
		want = append(want, byte(i))
		if i%3 == 0 {
			b.r++ // a part of it is used meanwhile
			want = want[1:]
		}
	}
	if !bytes.Equal(b.bytes(), want) || b.len() != len(want) {
		t.Errorf("the buffer holds %d bytes that differ from the %d written", b.len(), len(want))
	}
}

func TestBuffersDoNotKeepLargeOnes(t *testing.T) {
	var lender buffers
	large := &buffer{b: make([]byte, 0, maxBuffer+1)}
	lender.put(large)
	for range 10 {
		if lender.get() == large {
			t.Fatal("a large buffer was lent again")
		}
	}
}

func TestInputReadsWhatIsBufferedFirst(t *testing.T) {
	in := input{src: bytes.NewReader([]byte("cd")), lender: new(buffers)}
	in.unread([]byte("ab"))
	if got := string(in.buffered()); got != "ab" {
		t.Errorf("buffered %q, want ab", got)
	}
	p := make([]byte, 10)
	n, err := in.Read(p)
	if string(p[:n]) != "ab" || err != nil || in.buf != nil {
		t.Errorf("read %q, %v, buffer kept: %t; want ab and no buffer", p[:n], err, in.buf != nil)
	}
	if err := in.await(); err != nil || string(in.buffered()) != "c" {
		t.Errorf("await buffered %q, %v, want one byte", in.buffered(), err)
	}
	if err := in.fill(); err != nil || string(in.buffered()) != "cd" {
		t.Errorf("fill buffered %q, %v, want cd", in.buffered(), err)
	}
	in.use(2)
	if err := in.fill(); err == nil || in.buf != nil {
		t.Errorf("at the end: %v, buffer kept: %t; want an error and no buffer", err, in.buf != nil)
	}
}

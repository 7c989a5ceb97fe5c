package logbook_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/logbook"
)

// texts are records in short.
func texts(records []logbook.Record) (all []string) {
	for _, r := range records {
		var s strings.Builder
		s.WriteString(r.App + ":" + r.Message)
		for _, a := range r.Attrs {
			s.WriteString(" " + a.Key + "=" + a.Value)
		}
		all = append(all, s.String())
	}
	return all
}

func wants(t *testing.T, b *logbook.Book, app string, after uint64, most int, lost bool, want ...string) {
	t.Helper()
	records, _, gotLost, _ := b.After(app, after, most)
	if got := texts(records); !slices.Equal(got, want) || gotLost != lost {
		t.Errorf("%s after %d: %q, lost %v; want %q, %v", app, after, got, gotLost, want, lost)
	}
}

func TestBook(t *testing.T) {
	b := logbook.New()
	var out bytes.Buffer
	log := slog.New(b.Handler(slog.NewTextHandler(&out, nil)))
	log.Info("begun", "in", "0.1s")
	shop := log.With("app", "/shop", "x", 1)
	shop.Error("broken", "traceback", "a\nb", slog.Group("request", "id", "7"))
	shop.WithGroup("g").With("app", "no name here").Warn("odd", slog.Group("", "k", "v"), slog.Attr{})
	log.Info("said", "app", "/blog")
	log.Debug("nobody listens")

	wants(t, b, logbook.All, 0, 10, false, ":begun in=0.1s", "/shop:broken x=1 traceback=a\nb request.id=7", "/shop:odd x=1 g.app=no name here g.k=v", "/blog:said")
	wants(t, b, "/shop", 0, 10, false, "/shop:broken x=1 traceback=a\nb request.id=7", "/shop:odd x=1 g.app=no name here g.k=v")
	wants(t, b, "/shop", 2, 10, false, "/shop:odd x=1 g.app=no name here g.k=v")
	wants(t, b, "/shop", 0, 1, true, "/shop:odd x=1 g.app=no name here g.k=v")
	wants(t, b, "", 0, 10, false, ":begun in=0.1s")
	wants(t, b, "/nobody", 0, 10, false)
	if _, last, _, _ := b.After("/shop", 0, 10); last != 4 {
		t.Errorf("the latest record is %d, want 4", last)
	}
	for _, part := range []string{"level=ERROR msg=broken app=/shop x=1", "msg=odd app=/shop x=1 g.app="} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("the log has not got %q:\n%s", part, &out)
		}
	}
}

func TestBounds(t *testing.T) {
	b := logbook.New()
	log := slog.New(b.Handler(slog.DiscardHandler))
	if log.Enabled(t.Context(), slog.LevelError) {
		t.Fatal("the book listens where the log does not")
	}
	log = slog.New(b.Handler(slog.NewTextHandler(&bytes.Buffer{}, nil)))
	log.Info("quiet", "app", "/quiet")
	for i := range logbook.MaxRecords + 1 {
		log.Info(fmt.Sprint(i), "app", "/loud")
	}
	records, _, lost, _ := b.After("/loud", 0, 1<<20)
	if len(records) != logbook.MaxRecords || records[0].Message != "1" || !lost {
		t.Errorf("%d records from %q on, lost %v; want %d from 1 on, and one lost", len(records), records[0].Message, lost, logbook.MaxRecords)
	}
	if _, _, lost, _ := b.After("/loud", records[0].Number, 1<<20); lost {
		t.Error("one who has seen the lost record has lost something")
	}
	wants(t, b, "/quiet", 0, 10, false, "/quiet:quiet")

	long := strings.Repeat("x", 2*logbook.MaxText)
	for range 10 {
		log.Info("long", "app", "/loud", "text", long)
	}
	records, _, _, _ = b.After("/loud", 0, 1<<20)
	if n := len(records) * logbook.MaxText; n > logbook.MaxBytes || len(records) == 0 {
		t.Errorf("%d long records are kept, which are %d bytes", len(records), n)
	}
	if v := records[0].Attrs[0].Value; len(v) > logbook.MaxText+len("…") {
		t.Errorf("a text of %d bytes is kept", len(v))
	}

	for i := range 2 * logbook.MaxTotal / logbook.MaxText {
		log.Info("many", "app", fmt.Sprint(i), "text", long)
	}
	records, _, _, _ = b.After(logbook.All, 0, 1<<20)
	if n := len(records) * logbook.MaxText; n > logbook.MaxTotal || n < logbook.MaxTotal/2 {
		t.Errorf("%d bytes of many applications are kept, want some less than %d", n, logbook.MaxTotal)
	}
	wants(t, b, "/quiet", 0, 10, false) // it was the oldest
}

func TestWait(t *testing.T) {
	b := logbook.New()
	log := slog.New(b.Handler(slog.NewTextHandler(&bytes.Buffer{}, nil)))
	_, last, _, more := b.After(logbook.All, 0, 10)
	var wg sync.WaitGroup
	wg.Go(func() {
		<-more
		wants(t, b, logbook.All, last, 10, false, ":now")
	})
	log.Info("now")
	wg.Wait()
	_, _, _, more = b.After(logbook.All, 0, 10)
	if b.Closed() {
		t.Error("it is closed")
	}
	b.Close()
	b.Close()
	<-more
	log.Info("afterwards")
	if _, last, _, _ := b.After(logbook.All, 0, 10); last != 2 || !b.Closed() {
		t.Errorf("closed, the latest record is %d, want 2", last)
	}
}

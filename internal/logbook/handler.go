package logbook

import (
	"context"
	"log/slog"
	"slices"
)

// appKey is the attribute by which records are told apart.
const appKey = "app"

// handler is a slog.Handler that writes down what it passes on.
type handler struct {
	book  *Book
	next  slog.Handler
	group string // prefix of keys, with its dot
	app   string
	attrs []Attr // keys complete
}

// Handler returns next with what it handles written down in b.
func (b *Book) Handler(next slog.Handler) slog.Handler { return &handler{book: b, next: next} }

// Enabled implements slog.Handler.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	w := *h
	w.attrs = slices.Clip(w.attrs)
	r.Attrs(func(a slog.Attr) bool {
		w.take(h.group, a)
		return true
	})
	h.book.add(Record{Time: r.Time, Level: r.Level.String(), App: w.app, Message: cut(r.Message), Attrs: w.attrs})
	return h.next.Handle(ctx, r)
}

// take takes an attribute in. The application's name is none like others.
func (h *handler) take(group string, a slog.Attr) {
	v := a.Value.Resolve()
	switch {
	case v.Kind() == slog.KindGroup:
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, inner := range v.Group() {
			h.take(group, inner)
		}
	case a.Equal(slog.Attr{}):
	case group == "" && a.Key == appKey:
		h.app = v.String()
	default:
		h.attrs = append(h.attrs, Attr{group + a.Key, cut(v.String())})
	}
}

// cut bounds a text.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	return s[:maxText] + "…"
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	w := *h
	w.next, w.attrs = h.next.WithAttrs(attrs), slices.Clip(h.attrs)
	for _, a := range attrs {
		w.take(h.group, a)
	}
	return &w
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	w := *h
	w.next = h.next.WithGroup(name)
	if name != "" {
		w.group += name + "."
	}
	return &w
}

var _ slog.Handler = (*handler)(nil)

package daemon

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/seed-07905ac1/gatehouse/accesslog"
	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// logHandler is the form of the log that the configuration asks for.
func logHandler(cfg *config.Config, w io.Writer) slog.Handler {
	if cfg.Log.Format == "json" {
		return slog.NewJSONHandler(w, nil)
	}
	return newConsole(w)
}

// relay is a slog.Handler that hands records to another, which can be exchanged
// while loggers made of it are in use.
type relay struct {
	to   *atomic.Pointer[slog.Handler]
	with []func(slog.Handler) slog.Handler // attributes and groups, in their order
}

func newRelay(h slog.Handler) *relay {
	r := &relay{to: &atomic.Pointer[slog.Handler]{}}
	r.to.Store(&h)
	return r
}

// Enabled implements slog.Handler.
func (r *relay) Enabled(ctx context.Context, level slog.Level) bool {
	return (*r.to.Load()).Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (r *relay) Handle(ctx context.Context, record slog.Record) error {
	h := *r.to.Load()
	for _, add := range r.with {
		h = add(h)
	}
	return h.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (r *relay) WithAttrs(attrs []slog.Attr) slog.Handler {
	return r.and(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (r *relay) WithGroup(name string) slog.Handler {
	return r.and(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (r *relay) and(add func(slog.Handler) slog.Handler) *relay {
	return &relay{to: r.to, with: append(r.with[:len(r.with):len(r.with)], add)}
}

// openAccessLog opens what the configuration names, nil if requests are not
// logged. out is standard output.
func openAccessLog(l *config.Loaded, out io.Writer, log *slog.Logger) (*accesslog.Log, error) {
	format := accesslog.Combined
	if l.Config.Log.Format == "json" {
		format = accesslog.JSON
	}
	switch path := l.Config.Log.Access; path {
	case "off":
		return nil, nil
	case "-":
		return accesslog.New(out, format, log), nil
	default:
		a, err := accesslog.Open(path, format, log)
		if err != nil {
			return nil, &Error{Err: fmt.Errorf("cannot write the access log %s: %w", path, cause(err)), Hint: l.Call("access-log") + " takes a path, - or off"}
		}
		return a, nil
	}
}

var _ slog.Handler = (*relay)(nil)

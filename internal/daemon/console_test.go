package daemon_test

import (
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

func TestConsole(t *testing.T) {
	for _, tt := range []struct {
		name string
		log  func(l *slog.Logger)
		want string // without the time
	}{
		{"message", func(l *slog.Logger) { l.Info("hello there") }, "INFO hello there\n"},
		{"debug", func(l *slog.Logger) { l.Debug("nobody asked") }, ""},
		{"values", func(l *slog.Logger) { l.Warn("w", "n", 1, "text", "a b", "none", "", "err", errors.New("broken")) }, `WARN w n=1 text="a b" none="" err=broken` + "\n"},
		{"several lines", func(l *slog.Logger) {
			l.Error("it failed", "traceback", "Traceback:\n  File \"a.py\"\nValueError: x\n", "request", "8f3a")
		}, "ERROR it failed request=8f3a\n    Traceback:\n      File \"a.py\"\n    ValueError: x\n"},
		{"one line with its end", func(l *slog.Logger) { l.Info("said", "text", "word\n") }, `INFO said text="word\n"` + "\n"},
		{"forged line and cursor", func(l *slog.Logger) { l.Info("a\nERROR b\x1b[2J", "v", "x\x1b[2J", "t", "1\n\x1b[2J\n") }, "INFO a ERROR b?[2J v=\"x\\x1b[2J\"\n    1\n    ?[2J\n"},
		{"with and groups", func(l *slog.Logger) {
			l.With("app", "blog").WithGroup("g").With("a", 1).Info("m", "b", 2, slog.Group("h", "c", 3))
		}, "INFO m app=blog g.a=1 g.b=2 g.h.c=3\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			tt.log(slog.New(daemon.NewConsole(&out)))
			got := regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d) `).ReplaceAllString(out.String(), "")
			if got != tt.want {
				t.Errorf("wrote\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

// Two loggers of one console share attributes' memory but not their values.
func TestConsoleWithTwice(t *testing.T) {
	var out strings.Builder
	base := slog.New(daemon.NewConsole(&out)).With("a", 1).With("b", 2)
	one, two := base.With("c", 3), base.With("c", 4)
	one.Info("m")
	two.Info("m")
	if !strings.Contains(out.String(), "a=1 b=2 c=3\n") || !strings.Contains(out.String(), "a=1 b=2 c=4\n") {
		t.Errorf("wrote\n%s", &out)
	}
}

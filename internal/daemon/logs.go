package daemon

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/seed-07905ac1/gatehouse/accesslog"
	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// newLog is the log of the server and of what it runs.
func newLog(cfg *config.Config, w io.Writer) *slog.Logger {
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(newConsole(w))
}

// openAccessLog opens what the configuration names. out is standard output.
func (d *daemon) openAccessLog(out io.Writer) error {
	format := accesslog.Combined
	if d.cfg.Log.Format == "json" {
		format = accesslog.JSON
	}
	switch path := d.cfg.Log.Access; path {
	case "off":
	case "-":
		d.access = accesslog.New(out, format, d.log)
	default:
		l, err := accesslog.Open(path, format, d.log)
		if err != nil {
			return &Error{Err: fmt.Errorf("cannot write the access log %s: %w", path, cause(err)), Hint: d.loaded.Call("access-log") + " takes a path, - or off"}
		}
		d.access = l
	}
	return nil
}

func (d *daemon) closeAccessLog() {
	if d.access == nil {
		return
	}
	if err := d.access.Close(); err != nil {
		d.log.Error("access log", "err", err)
	}
}

// reopenLog is for log rotation: it goes on in a new file of the same name.
func (d *daemon) reopenLog() {
	if d.access == nil || d.cfg.Log.Access == "-" {
		return
	}
	if err := d.access.Reopen(); err != nil {
		d.log.Error("access log goes on in the old file", "err", err)
		return
	}
	d.log.Info("access log goes on in a new file", "path", d.cfg.Log.Access)
}

package daemon

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/accesslog"
	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// newEngine is the server that cfg asks for. access gets requests that it refuses
// itself; nil if they are not logged.
func newEngine(cfg *config.Config, h http.Handler, log *slog.Logger, access func(*accesslog.Entry)) *gatehouse.Server {
	e := &cfg.Engine
	srv := &gatehouse.Server{
		Handler:           h,
		Backlog:           cfg.Backlog,
		HeadTimeout:       limit(e.HeadTimeout),
		BodyStallTimeout:  limit(e.BodyStall),
		WriteStallTimeout: limit(e.WriteStall),
		IdleTimeout:       limit(e.IdleTimeout),
		MaxRequestLine:    int(e.RequestLine),
		MaxField:          int(e.Field),
		MaxFields:         e.Fields,
		MaxHead:           int(e.Head),
		Name:              e.ServerName,
		ErrorLog:          log,
		OnQuiet:           giveBack,
	}
	if access != nil {
		srv.OnReject = func(r gatehouse.Rejection) {
			access(&accesslog.Entry{
				Time:   time.Now(),
				Remote: r.RemoteAddr.String(),
				Target: string(r.Line),
				Status: r.Status,
			})
		}
	}
	return srv
}

// limit turns a configuration's "no limit" into the engine's: there zero is the
// default.
func limit(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

package testserver

import (
	"log/slog"

	"github.com/seed-07905ac1/gatehouse"
)

// newEngine is the server under test.
func newEngine(cfg Config, out *Log) server {
	return &gatehouse.Server{
		Handler:           cfg.Handler,
		TLSConfig:         cfg.tls,
		HeadTimeout:       cfg.HeadTimeout,
		BodyStallTimeout:  cfg.BodyStallTimeout,
		WriteStallTimeout: cfg.WriteStallTimeout,
		IdleTimeout:       cfg.IdleTimeout,
		ConnContext:       cfg.ConnContext,
		BaseContext:       cfg.BaseContext,
		ErrorLog:          slog.New(slog.NewTextHandler(out, nil)),
	}
}

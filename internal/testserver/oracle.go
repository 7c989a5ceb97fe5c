package testserver

import (
	"log"
	"net/http"
)

// newNetHTTP is the oracle: net/http's server as it is.
func newNetHTTP(cfg Config, out *Log) server {
	return &http.Server{
		Handler:           cfg.Handler,
		ReadHeaderTimeout: cfg.HeadTimeout,
		IdleTimeout:       cfg.IdleTimeout,
		ConnContext:       cfg.ConnContext,
		BaseContext:       cfg.BaseContext,
		ErrorLog:          log.New(out, "", 0),
	}
}

package testserver

import (
	"crypto/tls"
	"log"
	"net/http"
)

// newNetHTTP is the oracle: net/http's server as it is.
func newNetHTTP(cfg Config, out *Log) server {
	return &http.Server{
		Handler:           cfg.Handler,
		TLSConfig:         cfg.tls,
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){}, // no HTTP/2
		ReadHeaderTimeout: cfg.HeadTimeout,
		IdleTimeout:       cfg.IdleTimeout,
		ConnContext:       cfg.ConnContext,
		BaseContext:       cfg.BaseContext,
		ErrorLog:          log.New(out, "", 0),
	}
}

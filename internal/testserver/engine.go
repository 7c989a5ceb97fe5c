package testserver

// newEngine waits for the engine.
func newEngine(Config, *Log) server { panic("testserver: no engine") }

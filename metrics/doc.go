// Package metrics measures what an http.Handler does: how many requests it
// answered and how, how fast, how many it works at and since when.
//
// A Meter belongs to one handler and costs a request two short locks that
// requests on other cores hardly ever want at the same time. Numbers are read as
// a Snapshot, which a reader may keep. The package keeps the last minute; it is no
// database, and knows no format that other programs read.
package metrics

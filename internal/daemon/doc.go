// Package daemon is the room where the engine and the handlers meet: it builds
// the tree of handlers from a configuration, listens, says what is served where,
// obeys signals, and ends in good order.
//
// It is for the command. A Go program that wants a server uses the root package
// and hands it handlers itself.
package daemon

// Package lifeline has process groups end with the server that has started them,
// even if that is killed: docs/adr/0010-lifelines.md. Only Linux can do that;
// elsewhere a lifeline does nothing.
package lifeline

//go:build !linux

package lifeline

// A Lifeline is not there: a group lives on without the server.
type Lifeline struct{}

// New returns one that does nothing.
func New() (*Lifeline, error) { return &Lifeline{}, nil }

// Hold does nothing.
func (*Lifeline) Hold(int) error { return nil }

// Close does nothing.
func (*Lifeline) Close() {}

// Lifelines are not there.
type Lifelines struct{}

// Get returns one that does nothing.
func (*Lifelines) Get() (*Lifeline, error) { return New() }

// Put does nothing.
func (*Lifelines) Put(*Lifeline) {}

// Close does nothing.
func (*Lifelines) Close() {}

// Await returns false at once: there is no portable way to wait without reaping.
func Await(int) bool { return false }

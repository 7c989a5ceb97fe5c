package http1

import "strconv"

// Error says that the peer broke the protocol or a limit. The connection can
// not be used for another request after it: where the next one would begin is
// unknown or not to be trusted.
type Error struct {
	// Status is the status to answer with: 400, 414, 417, 431, 501 or 505.
	Status int
	// Reason says what was wrong, for the log. It holds no bytes of the peer.
	Reason string
}

// Error returns the status and the reason.
func (e *Error) Error() string {
	return "http1: " + strconv.Itoa(e.Status) + ": " + e.Reason
}

// bad is an error of the peer's grammar.
func bad(reason string) *Error {
	return &Error{Status: 400, Reason: reason}
}

// tooLarge is a header section or trailer section beyond a limit (RFC 6585,
// section 5).
func tooLarge(reason string) *Error {
	return &Error{Status: 431, Reason: reason}
}

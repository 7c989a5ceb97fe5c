package daemon

// Error is what keeps a daemon from starting, for the person who typed the
// command.
type Error struct {
	// Err is the line: what was tried and the cause.
	Err error
	// Hint is what can be done about it, one or more lines; may be empty.
	Hint string
	// Detail is what belongs above the line, such as the traceback of an
	// application that does not import; may be empty.
	Detail string
	// Usage reports that the command line itself cannot be right, so that the
	// exit status is the one for wrong usage.
	Usage bool
}

// Error is the line without hint and detail.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

var _ error = (*Error)(nil)

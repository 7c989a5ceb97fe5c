// Package pyproc starts Python processes and sees them to their end: a template
// process that loads a service once, and the processes forked from it.
//
// It knows nothing of what a service does: that is a Python module handed in by
// the caller. It is for processes that belong to the server and end with it,
// not for running programs in general.
package pyproc

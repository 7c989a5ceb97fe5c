// Package watch tells when the source of a Python application has changed, for
// development: folders are watched with all that lies below them, and a save is
// told once, when the editor is done with it.
//
// What the system says of a change is a hint, no more. Whether something has
// changed is decided by looking at the files and comparing with what was seen
// before: editors write, rename and delete in many orders, folders come and go
// while their watch is being set up, and a queue of events can overflow. The
// same comparison, made twice a second, is what remains where the system has no
// watches left.
//
// Symbolic links to folders are not followed, the roots excepted. It is not a
// general tool: which files count is written down here, in rules.go.
package watch

//go:build !linux

package testserver

// openFiles finds nothing: there is no portable way to list descriptors.
func openFiles() map[string]bool { return nil }

// childProcesses finds nothing: there is no portable way to list children.
func childProcesses() map[string]bool { return nil }

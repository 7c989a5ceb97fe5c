//go:build !linux

package cgroup

import "syscall"

// A Tree is not there.
type Tree struct{}

// Open returns one that makes no groups.
func Open() *Tree { return &Tree{} }

// At returns ErrNone.
func At(string) (*Tree, error) { return nil, ErrNone }

// None returns ErrNone.
func (*Tree) None() error { return ErrNone }

// Give does nothing.
func (*Tree) Give(int, int) {}

// Controllers are none.
func (*Tree) Controllers() Controllers { return Controllers{} }

// Close does nothing.
func (*Tree) Close() error { return nil }

// Make returns ErrNone.
func (*Tree) Make(string, Limits) (*Group, error) { return nil, ErrNone }

// A Group is not there.
type Group struct{}

// Attach does nothing.
func (*Group) Attach(*syscall.SysProcAttr) {}

// Heed does nothing.
func (*Group) Heed(func(Events)) {}

// Events are none.
func (*Group) Events() Events { return Events{} }

// Path is none.
func (*Group) Path() string { return "" }

// Close does nothing.
func (*Group) Close() error { return nil }

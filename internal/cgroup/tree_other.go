//go:build !linux

package cgroup

import (
	"fmt"
	"syscall"
)

// A Tree is not there.
type Tree struct{}

// Open returns an ErrNone.
func Open() (*Tree, error) { return nil, fmt.Errorf("cgroup: %w: this is not Linux", ErrNone) }

// At returns an ErrNone.
func At(string) (*Tree, error) { return Open() }

// Give does nothing.
func (*Tree) Give(int, int) error { return nil }

// Controllers are none.
func (*Tree) Controllers() Controllers { return Controllers{} }

// Close does nothing.
func (*Tree) Close() error { return nil }

// Make returns an ErrNone.
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

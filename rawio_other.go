//go:build !linux

package gatehouse

import (
	"errors"
)

// rawIO is not available on this system: everything goes through net.Conn.
type rawIO struct{ more bool }

func (r *rawIO) init(*transport)                            {}
func (r *rawIO) ok() bool                                   { return false }
func (r *rawIO) fill(*input) error                          { return errors.ErrUnsupported }
func (r *rawIO) readInto([]byte) (int, error)               { return 0, errors.ErrUnsupported }
func (r *rawIO) write(_, _, _ []byte) (int, error)          { return 0, errors.ErrUnsupported }
func (r *rawIO) sendFile(regularFile, int64) (int64, error) { return 0, errors.ErrUnsupported }
func (r *rawIO) splice(regularFile, int64) (int64, error)   { return 0, errors.ErrUnsupported }
func (r *rawIO) pending(regularFile) int64                  { return 0 }

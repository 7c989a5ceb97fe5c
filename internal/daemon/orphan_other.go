//go:build !linux

package daemon

import (
	"context"
	"time"
)

const settle = 0

// isFirst reports whether orphans become this process's children: only Linux has
// containers whose first process is any program.
func isFirst() bool { return false }

func reapOrphans(context.Context, time.Duration) {}

//go:build !linux

package webapps

import (
	"io/fs"
	"time"
)

// changeTime is when a file last changed, as far as it is known here.
func changeTime(info fs.FileInfo) time.Time { return info.ModTime() }

package webapps

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime is when a file or its attributes last changed: unlike the time of
// modification, no tool that copies can set it.
func changeTime(info fs.FileInfo) time.Time {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(s.Ctim.Unix())
	}
	return info.ModTime()
}

package archive

import (
	"context"
	"io"
	"io/fs"
	"os"
)

// UnpackOnto is Unpack onto a disk that takes that many bytes of each file.
func UnpackOnto(ctx context.Context, path, dir string, room int, full error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return unpack(ctx, f, dir, Limits{}, nil, func(root *os.Root, name string, mode fs.FileMode) (io.WriteCloser, error) {
		f, err := createFile(root, name, mode)
		return &fullDisk{f, room, full}, err
	})
}

type fullDisk struct {
	io.WriteCloser
	room int
	full error
}

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.room {
		n, _ := d.WriteCloser.Write(p[:d.room])
		d.room = 0
		return n, d.full
	}
	d.room -= len(p)
	return d.WriteCloser.Write(p)
}

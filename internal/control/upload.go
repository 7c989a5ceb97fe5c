package control

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/seed-07905ac1/gatehouse/webapps"
)

// Upload is what is deployed, as bytes: an archive as it is, or a folder that is
// packed while it is read.
type Upload struct {
	io.ReadCloser
	Name   webapps.ContextName // what its own name says
	Ending string              // of the archive, such as ".zip"
	// Size is how many bytes of files are read for it in all, and Taken is called
	// with how many have been by now, from the goroutine that reads.
	Size  int64
	Taken func(int64)

	taken int64
}

// left is what is not packed of a folder: what belongs to its working copy, or is
// made anew where it runs.
var left = []string{".git", ".hg", ".svn", ".gatehouse", "__pycache__", "node_modules"}

// OpenUpload opens an archive or a folder. named is where it is to answer, "" if
// its own name says so.
func OpenUpload(path, named string) (*Upload, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("control: deploy: %w", err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, fmt.Errorf("cannot deploy %s: %w", path, cause(err))
	}
	u := &Upload{Taken: func(int64) {}}
	base := filepath.Base(abs)
	if info.IsDir() {
		u.Ending = ".tar.gz"
	} else if base, u.Ending = webapps.SplitArchive(base); u.Ending == "" {
		return nil, &Error{Code: Usage, Message: path + " is neither a folder nor an archive", Hint: "archives end in .zip, .tar.gz, .tgz, .whl or .pyz"}
	}
	if named != "" {
		base = named
	}
	if u.Name, err = webapps.ParseName(base); err != nil {
		return nil, &Error{Code: Usage, Message: err.Error(), Hint: "--as /path says where it answers"}
	}
	if !info.IsDir() {
		f, err := os.Open(abs)
		if err != nil {
			return nil, fmt.Errorf("cannot deploy %s: %w", path, cause(err))
		}
		u.Size = info.Size()
		u.ReadCloser = counted{f, u}
		return u, nil
	}
	return u, u.pack(path, abs)
}

// cause is the error of a file without the name of the call.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// counted counts what is read of a file.
type counted struct {
	io.ReadCloser
	u *Upload
}

// Read implements io.Reader.
func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.u.taken += int64(n)
	c.u.Taken(c.u.taken)
	return n, err
}

// packed is a folder that is packed while it is read. Close ends the packing and
// waits for that.
type packed struct {
	*io.PipeReader
	done chan struct{}
}

// Close implements io.Closer.
func (p *packed) Close() error {
	err := p.PipeReader.Close()
	<-p.done
	return err
}

// pack begins to pack a folder; told is what it was called.
func (u *Upload) pack(told, dir string) error {
	err := walk(dir, func(_, _ string, info fs.FileInfo) error {
		if info.Mode().IsRegular() {
			u.Size += info.Size()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("cannot deploy %s: %w", told, err)
	}
	r, w := io.Pipe()
	p := &packed{r, make(chan struct{})}
	u.ReadCloser = p
	go func() {
		defer close(p.done)
		err := u.write(w, dir)
		if err != nil {
			err = fmt.Errorf("pack %s: %w", told, err)
		}
		_ = w.CloseWithError(err) // never fails
	}()
	return nil
}

// walk calls each for what is packed of a folder.
func walk(dir string, each func(path, rel string, info fs.FileInfo) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path == dir {
			return nil
		}
		if slices.Contains(left, d.Name()) || d.IsDir() && isVenv(path) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return each(path, filepath.ToSlash(rel), info)
	})
}

// isVenv reports whether a folder is a virtual environment, which works in no
// other place.
func isVenv(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, "pyvenv.cfg"))
	return err == nil
}

// write packs.
func (u *Upload) write(w io.Writer, dir string) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed) // it goes no further than this machine
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	err = walk(dir, func(path, rel string, info fs.FileInfo) error {
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return t.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: rel, Linkname: to})
		case info.IsDir():
			return t.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: rel + "/", Mode: 0o755, ModTime: info.ModTime()})
		case info.Mode().IsRegular():
			return u.file(t, path, rel)
		}
		return nil // sockets and the like are nobody's code
	})
	return errors.Join(err, t.Close(), z.Close())
}

// file packs a file as it is now.
func (u *Upload) file(t *tar.Writer, path, rel string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: rel, Size: info.Size(), Mode: int64(info.Mode().Perm()), ModTime: info.ModTime()}); err != nil {
		return err
	}
	_, err = io.CopyN(t, counted{f, u}, info.Size())
	if err == io.EOF {
		err = fmt.Errorf("%s has become shorter meanwhile", rel)
	}
	return err
}

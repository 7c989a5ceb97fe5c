package webapps

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/filestate"
)

// movingPrefix begins the names of folders that are being moved: a number and the
// folder's own name follow.
const movingPrefix = ".moving-"

// rename is os.Rename for a folder that may be somebody else's. For one that gets
// another parent, and so another "..", the kernel asks for the right to write in
// it. So it becomes the server's for that moment, under a name that is nobody's.
// If the server is killed in that moment, recoverMoved undoes it.
func rename(from, to string) error {
	err := os.Rename(from, to)
	if err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	info, lookErr := os.Lstat(from)
	if lookErr != nil || !info.IsDir() || stranger(info) == nil {
		return err
	}
	between, err := betweenName(from)
	if err != nil {
		return err
	}
	if err := os.Rename(from, between); err != nil {
		return err
	}
	at := between
	if err = os.Lchown(between, os.Geteuid(), -1); err == nil {
		if err = os.Rename(between, to); err == nil {
			at = to
		}
		err = errors.Join(err, os.Lchown(at, int(ownerOf(info)), -1))
	}
	if at == between {
		err = errors.Join(err, os.Rename(between, from))
	}
	return err
}

// betweenName is a name beside path that nothing has: what was left of another move
// may still be there.
func betweenName(path string) (string, error) {
	for n := 1; ; n++ {
		name := filepath.Join(filepath.Dir(path), movingPrefix+strconv.Itoa(n)+"-"+filepath.Base(path))
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name, nil
		} else if err != nil {
			return "", err
		}
	}
}

// recoverMoved gives the folders in dir their names and owners back that a server
// which was killed was moving. Where there is another by that name now, they stay
// as they are. It is called before anything is moved.
func recoverMoved(dir string, log *slog.Logger) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // whoever needs the folder tells
	}
	for _, e := range slices.Backward(entries) { // the last one first
		rest, ok := strings.CutPrefix(e.Name(), movingPrefix)
		number, name, ok2 := strings.Cut(rest, "-")
		if _, err := strconv.Atoi(number); !ok || !ok2 || err != nil || name == "" || !e.IsDir() {
			continue
		}
		from, to := filepath.Join(dir, e.Name()), filepath.Join(dir, name)
		if err := giveBack(from, to); err != nil {
			log.Warn("a folder that was being moved when the server was killed stays", "folder", from, "error", err, "hint", "move it to where it belongs, or remove it")
			continue
		}
		log.Warn("a folder that was being moved when the server was killed is back", "folder", to)
	}
}

// giveBack makes the folder from, which was being moved, to again.
func giveBack(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if int(ownerOf(info)) == os.Geteuid() {
		owner, err := ownerWithin(from, info)
		if err == nil && owner != ownerOf(info) {
			err = os.Lchown(from, int(owner), -1)
		}
		if err != nil {
			return err
		}
	}
	return os.Rename(from, to)
}

// ownerWithin is whom all that lies in a folder belongs to. Whose a folder is
// decides whom an application runs as: nobody else may have put anything there.
func ownerWithin(dir string, info fs.FileInfo) (uint32, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	owner := ownerOf(info)
	for n, e := range entries {
		within, err := e.Info()
		if err != nil {
			return 0, err
		}
		if n == 0 {
			owner = ownerOf(within)
		}
		if ownerOf(within) != owner {
			return 0, fmt.Errorf("what is in it belongs to several users (%d, %d)", owner, ownerOf(within))
		}
	}
	if owner != ownerOf(info) && filestate.OthersMayChange(info) {
		return 0, fmt.Errorf("others than its owner can change it (mode %04o)", info.Mode().Perm())
	}
	return owner, nil
}

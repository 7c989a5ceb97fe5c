package static

import (
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/nofollow"
)

// maxLinks is how many symbolic links one name may lead through: Linux allows
// as many.
const maxLinks = 40

// resolve returns the name without symbolic links of what name leads to. Links
// that are absolute or lead out of top are refused. The answer is a name like
// any other: whoever opens it does so with package nofollow, so that an exchange meanwhile gains nothing.
func resolve(top *os.Root, name string) (string, error) {
	var done []string
	todo := strings.Split(name, "/")
	for links := 0; len(todo) > 0; {
		element := todo[0]
		todo = todo[1:]
		switch element {
		case "", ".":
			continue
		case "..":
			if len(done) == 0 {
				return "", nofollow.ErrNotServed
			}
			done = done[:len(done)-1]
			continue
		}
		at := path.Join(path.Join(done...), element)
		info, err := top.Lstat(at)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = append(done, element)
			continue
		}
		if links++; links > maxLinks {
			return "", nofollow.ErrNotServed
		}
		target, err := top.Readlink(at)
		if err != nil {
			return "", err
		}
		if path.IsAbs(target) {
			return "", nofollow.ErrNotServed
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return path.Join(append([]string{"."}, done...)...), nil
}

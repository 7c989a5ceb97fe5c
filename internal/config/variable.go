package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// Variable is one variable of an application's environment. Its value is a
// text, or lies elsewhere, so that a secret need not stand in the file: at most
// one of File and From is set.
type Variable struct {
	Name  string
	Value string
	File  string // whose content is the value, without a line end behind it
	From  string // the server's own variable that has the value
}

// maxSecret bounds a value that comes from a file. Linux takes 128 KB for one
// variable; keys and passwords are smaller.
const maxSecret = 64 << 10

// Resolve finds the value out.
func (v Variable) Resolve() (string, error) {
	switch {
	case v.File != "":
		text, err := readRegular(v.File, maxSecret)
		if err != nil {
			return "", fmt.Errorf("variable %s: %w", v.Name, err)
		}
		value := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
		if strings.ContainsRune(value, 0) {
			return "", fmt.Errorf("variable %s: %s holds a zero byte", v.Name, v.File)
		}
		return value, nil
	case v.From != "":
		value, ok := os.LookupEnv(v.From)
		if !ok {
			return "", fmt.Errorf("variable %s: the server has no variable %s", v.Name, v.From)
		}
		return value, nil
	}
	return v.Value, nil
}

// toml is the value as a file has it.
func (v Variable) toml() string {
	switch {
	case v.File != "":
		return "{ file = " + tomlText(v.File) + " }"
	case v.From != "":
		return "{ env = " + tomlText(v.From) + " }"
	}
	return tomlText(v.Value)
}

// tableLines implements tabled.
func (v *variablesValue) tableLines() []Line {
	var lines []Line
	for _, variable := range *v.p {
		lines = append(lines, Line{Key: variable.Name, Value: variable.toml()})
	}
	return lines
}

// isVariable reports whether a variable may have that name (POSIX, with lower
// case, which is in use).
func isVariable(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// readRegular reads a regular file of at most limit bytes. It is opened without
// waiting: a FIFO would hold whoever opens it.
func readRegular(name string, limit int64) ([]byte, error) {
	f, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readLimited(f, name, limit)
}

func openRegular(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: name, Err: errors.New("not a regular file")}
	}
	if err != nil {
		_ = f.Close() // err is what to tell
		return nil, err
	}
	return f, nil
}

func readLimited(f *os.File, name string, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > limit {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("larger than %s", Size(limit))}
	}
	return text, nil
}

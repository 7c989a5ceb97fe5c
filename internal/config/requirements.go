package config

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Requirements are the dependencies that the table [project] in the pyproject.toml
// at path names; nil if there is no such file or table. The error is a *FileError
// if the file is to blame.
func Requirements(path string) ([]string, error) {
	src, err := readRegular(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	wrong := func(at position, format string, args ...any) ([]string, error) {
		return nil, &FileError{[]Problem{{path, at.line, at.column, fmt.Sprintf(format, args...)}}}
	}
	root, err := parse(src)
	if s, ok := errors.AsType[*syntaxError](err); ok {
		return wrong(s.at, "%s", s.what)
	}
	if err != nil {
		return nil, err
	}
	project := root.child("project")
	if project == nil || project.kind != Table {
		return nil, nil
	}
	if dynamic := project.child("dynamic"); dynamic != nil {
		for _, item := range dynamic.items {
			if item.text == "dependencies" {
				return wrong(item.at, "dependencies are dynamic, so that only a build tells them; name them in requirements.txt, or in [project]")
			}
		}
	}
	all := []string{}
	list := project.child("dependencies")
	if list == nil {
		return all, nil
	}
	if list.kind != Array {
		return wrong(list.at, "dependencies: expected an array of texts in quotes, got %s", list.describe())
	}
	for _, item := range list.items {
		if item.kind != Text || strings.ContainsAny(item.text, "\r\n") {
			return wrong(item.at, "dependencies: expected a text in quotes and on one line, got %s", item.describe())
		}
		all = append(all, item.text)
	}
	return all, nil
}

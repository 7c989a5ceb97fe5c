// Package http1test holds the table of malformed requests, for every layer that
// must refuse them: the parser's own tests and those of the engine over a
// connection. It is test help and no part of the server.
package http1test

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// Where in a request the fault is.
const (
	InHead = "head" // no handler may see the request
	InBody = "body" // the head is right; reading the body must fail
)

// Request is a malformed request.
type Request struct {
	// Name says what is wrong with it.
	Name string
	// Status is the one to answer with, before the connection is closed.
	Status int
	// Where is InHead or InBody.
	Where string
	// Raw is what the client sends. It may lack its end: a fault that can be
	// seen early must be answered early.
	Raw string
}

//go:embed malformed.txt
var malformed string

// Malformed returns the table in malformed.txt, whose head describes the
// format. A table that cannot be read fails the test.
func Malformed(t testing.TB) []Request {
	t.Helper()
	requests, err := parse(malformed)
	if err != nil {
		t.Fatalf("http1test: read malformed.txt: %v", err)
	}
	return requests
}

func parse(table string) ([]Request, error) {
	var requests []Request
	names := map[string]bool{}
	number := 0
	for line := range strings.Lines(table) {
		number++
		line = strings.TrimSpace(line)
		switch {
		case line == "", line[0] == '#':
			continue
		case line[0] == '"' || line[0] >= '1' && line[0] <= '9' && strings.Contains(line, "*"):
			raw, err := unquote(line)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", number, err)
			}
			if len(requests) == 0 {
				return nil, fmt.Errorf("line %d: bytes before the first request", number)
			}
			requests[len(requests)-1].Raw += raw
		default:
			r, err := parseTitle(line)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", number, err)
			}
			if names[r.Name] {
				return nil, fmt.Errorf("line %d: second request %q", number, r.Name)
			}
			names[r.Name] = true
			requests = append(requests, r)
		}
	}
	return requests, nil
}

// parseTitle reads "head 400: name".
func parseTitle(line string) (Request, error) {
	title, name, _ := strings.Cut(line, ": ")
	where, number, _ := strings.Cut(title, " ")
	status, err := strconv.Atoi(number)
	if err != nil || name == "" || where != InHead && where != InBody {
		return Request{}, fmt.Errorf("want \"head STATUS: NAME\" or \"body STATUS: NAME\", got %q", line)
	}
	return Request{Name: name, Status: status, Where: where}, nil
}

// unquote reads Go string literals with spaces between them; 3*"x" is "xxx".
func unquote(line string) (string, error) {
	var raw strings.Builder
	for line != "" {
		count := 1
		if n, rest, ok := strings.Cut(line, "*"); ok && !strings.HasPrefix(line, `"`) {
			var err error
			if count, err = strconv.Atoi(n); err != nil {
				return "", err
			}
			line = rest
		}
		literal, err := strconv.QuotedPrefix(line)
		if err != nil {
			return "", fmt.Errorf("read %q: %w", line, err)
		}
		s, err := strconv.Unquote(literal)
		if err != nil {
			return "", fmt.Errorf("read %q: %w", literal, err)
		}
		raw.WriteString(strings.Repeat(s, count))
		line = strings.TrimSpace(line[len(literal):])
	}
	return raw.String(), nil
}

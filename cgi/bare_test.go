package cgi_test

import (
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// TestHeadOptional holds what is taken for a head where scripts need not print
// one, and what for the document.
func TestHeadOptional(t *testing.T) {
	tests := []struct {
		name   string
		script string
		file   string // of the script; "" means script
		method string // "" means GET
		status int
		media  string // "" means the type of a bare document
		body   string // "*" means any
		log    string // that must be in the log
	}{
		{name: "bare", script: sh(`<h1>hello</h1>\n`), status: 200, body: "<h1>hello</h1>\n"},
		{name: "bare without line end", script: sh(`hello`), status: 200, body: "hello"},
		{name: "HEAD", script: sh(`hello`), method: "HEAD", status: 200},
		{name: "with a head", script: sh(`Content-Type: text/plain\n\nhello`), status: 200, media: "text/plain", body: "hello"},
		{name: "with a status", script: sh(`Status: 404\nContent-Type: text/plain\n\nnone`), status: 404, media: "text/plain", body: "none"},
		{name: "local redirect", script: sh(`Location: /cgi-bin/other\n\n`), status: 200, body: "the other"},
		{name: "empty line first", script: sh(`\nContent-Type: text/plain\n\nhello`), status: 200, body: "\nContent-Type: text/plain\n\nhello"},
		{name: "text like a field", script: sh(`Note: closed\n\non Sundays`), status: 200, body: "Note: closed\n\non Sundays"},
		{name: "fields and no field", script: sh(`Content-Type: text/plain\n<p>\n\nhello`), status: 200, body: "Content-Type: text/plain\n<p>\n\nhello"},
		{name: "folded field", script: sh(`Content-Type: text/plain\n charset=x\n\n`), status: 200, body: "Content-Type: text/plain\n charset=x\n\n"},
		{name: "fields without an end", script: sh(`Status: open\n`), status: 200, body: "Status: open\n"},
		{name: "a field cut off", script: sh(`Content-Ty`), status: 200, body: "Content-Ty"},
		{name: "long line", script: "#!/bin/sh\nprintf '%040000d' 0\n", status: 200, body: strings.Repeat("0", 40000)},
		{name: "long document", script: "#!/bin/sh\nprintf '<p>%0200000d\\n' 0\n", status: 200, body: "<p>" + strings.Repeat("0", 200000) + "\n"},
		{name: "malformed head", script: sh(`Status: OK\n\n`), status: 502, body: "*", log: "none from 200 to 599"},
		{name: "head too long", script: "#!/bin/sh\necho Content-Type: text/plain\nprintf 'X-Long: %040000d\\n\\n' 0\n", status: 502, body: "*", log: "the head is too long"},
		{name: "nothing", script: "#!/bin/sh\n", status: 502, body: "*", log: "printed nothing"},
		{name: "NPH", file: "nph-script", script: sh(`HTTP/1.1 299 Fine\r\nContent-Type: text/plain\r\n\r\nhello`), status: 299, media: "text/plain", body: "hello"},
		{name: "NPH without status line", file: "nph-script", script: sh(`hello\n\n`), status: 502, body: "*", log: "not with a status line"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file, method, media := tt.file, tt.method, tt.media
			if file == "" {
				file = "script"
			}
			if method == "" {
				method = "GET"
			}
			if media == "" {
				media = cgi.BareType
			}
			dir := folder(t, files{file: tt.script, "other": sh(`the other`)})
			other := open(t, dir, cgi.Config{HeadOptional: true})
			site := open(t, dir, cgi.Config{HeadOptional: true, Redirect: other})
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				res := site.serve(t, m).Ask(ask(method, "/cgi-bin/"+file, ""))
				if res.Status != tt.status || tt.body != "*" && res.Text() != tt.body {
					t.Errorf("%d %.200q, want %d %.200q", res.Status, res.Text(), tt.status, tt.body)
				}
				if got := res.Get("Content-Type"); tt.body != "*" && got != media {
					t.Errorf("Content-Type %q, want %q", got, media)
				}
			}, modes...)
			if tt.log != "" {
				site.log.Line(t, tt.log, "request=")
			}
		})
	}
}

// A document without a head reaches the client as it is printed.
func TestBareDocumentStreams(t *testing.T) {
	site := open(t, folder(t, files{"script": "#!/bin/sh\necho '<p>first'\nread line\necho \"<p>$line\"\n"}), cgi.Config{HeadOptional: true})
	testserver.Run(t, func(t *testing.T, m testserver.Mode) {
		c := site.serve(t, m).Dial()
		c.Send("POST /cgi-bin/script HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n")
		c.Head("POST")
		if got := c.Chunk(); got != "<p>first\n" {
			t.Errorf("first %q", got)
		}
		c.Send("last\n")
		if got := c.Chunk(); got != "<p>last\n" {
			t.Errorf("then %q", got)
		}
	}, modes...)
}

// TestQueryArgument holds what arguments scripts get where the query is one.
func TestQueryArgument(t *testing.T) {
	shows := "import sys\nprint('Content-Type: text/plain\\n')\nprint(sys.argv[1:])\n"
	site := open(t, folder(t, files{
		"show.py":     shows,
		"bang.py":     "#!/usr/bin/env python3\n" + shows,
		"compiled.sh": "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nprintf '[%s]' \"$#\" \"$@\"\n",
	}), cgi.Config{QueryArgument: true})
	for _, tt := range []struct{ target, want string }{
		{"show.py", "['']\n"},
		{"show.py?", "['']\n"},
		{"show.py?a=1&b=2", "['a=1&b=2']\n"},
		{"show.py?cat+dog", "['cat+dog']\n"},
		{"show.py?a=%3Cb%3E%20%00+;$(id)`id`|&", "['a=%3Cb%3E%20%00+;$(id)`id`|&']\n"},
		{"show.py?-c", "['-c']\n"},
		{"show.py/more?--version", "['--version']\n"},
		{"bang.py?-x", "['-x']\n"},
		{"bang.py?cat+dog", "['cat+dog']\n"},
		{"compiled.sh?-s", "[1][-s]"},
	} {
		t.Run(tt.target, func(t *testing.T) {
			testserver.Run(t, func(t *testing.T, m testserver.Mode) {
				if res := site.serve(t, m).Ask(get("/cgi-bin/" + tt.target)); res.Status != 200 || res.Text() != tt.want {
					t.Errorf("%d %q, want %q", res.Status, res.Text(), tt.want)
				}
			}, modes...)
		})
	}
}

// FuzzBare: that something is no head is certain once it is said, whatever more
// comes, and what is one has an end and is not taken for a document.
func FuzzBare(f *testing.F) {
	for _, seed := range []string{
		"Content-Type: text/plain\n\nhello", "<html>\n\n", "\n\n", "Note: x\r\n\r\nx", "Status: 1\n", "a: b\nStatus: 2\r\n\n", "x",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all := cgi.IsBare(b, cgi.EndOfHead(b, 0), true, false)
		for n := range len(b) {
			end := cgi.EndOfHead(b[:n], 0)
			if early := cgi.IsBare(b[:n], end, false, false); early && !all || end >= 0 && early != all {
				t.Fatalf("after %d bytes %t, in the end %t", n, early, all)
			}
		}
		if all {
			return
		}
		if end := cgi.EndOfHead(b, 0); end < 0 {
			t.Fatal("a head without an end")
		}
	})
}

package cgi_test

import (
	"log"
	"net/http"
	stdcgi "net/http/cgi"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
)

// divergences are the meta-variables that net/http/cgi tells otherwise, and why
// we do not follow it. what is "ours" where only we set them, "theirs" where only
// net/http/cgi does, and "both" where the values differ.
var divergences = map[string]struct{ what, why string }{
	"SERVER_SOFTWARE":     {"both", "each server's own name"},
	"SERVER_PROTOCOL":     {"both", "RFC 3875, section 4.1.16: the protocol of the request, which net/http/cgi always calls HTTP/1.1"},
	"PATH_INFO":           {"theirs", "section 4.1.5: no path is no variable; net/http/cgi sets an empty one, and forgets that a path may hold encoded slashes"},
	"PATH_TRANSLATED":     {"ours", "section 4.1.6: servers should set it with PATH_INFO"},
	"DOCUMENT_ROOT":       {"ours", "what every server tells beyond the RFC"},
	"REQUEST_SCHEME":      {"ours", "as above"},
	"HTTP_X_REQUEST_ID":   {"ours", "by which a script's log can be found in the server's"},
	"CONTENT_LENGTH":      {"ours", "section 4.1.2: a body of no bytes is a body; one in chunks has a length when the script starts"},
	"SERVER_PORT":         {"both", "section 4.1.15: without Host, the port that the request came to; net/http/cgi takes 80"},
	"SERVER_NAME":         {"both", "section 4.1.14: it must not be empty where the request names no host"},
	"HTTP_HOST":           {"theirs", "section 4.1.18: of a field that is not there, no variable is made"},
	"HTTP_CONTENT_LENGTH": {"theirs", "section 4.1.18: what another variable tells already should be left out"},
	"HTTP_CONTENT_TYPE":   {"theirs", "as above"},
}

// TestMetaVariablesBesideOracle asks a script for its environment, by way of us and
// by way of net/http/cgi.
func TestMetaVariablesBesideOracle(t *testing.T) {
	dir := folder(t, files{"env": text + "env -0\n"})
	site := open(t, dir, cgi.Config{})
	ours := site.serve(t, testserver.NetHTTP)
	oracle := &stdcgi.Handler{Path: filepath.Join(dir, "env"), Root: "/cgi-bin/env", Dir: dir, Logger: log.New(&testserver.Log{}, "", 0), Stderr: os.Stderr}
	theirs := testserver.Start(t, testserver.NetHTTP, oracle.ServeHTTP)
	seen := map[string]bool{}
	for _, tt := range []struct{ name, request string }{
		{"plain", get("/cgi-bin/env")},
		{"query", get("/cgi-bin/env?a=b%20c&d=%zz")},
		{"empty query", get("/cgi-bin/env?")},
		{"path", get("/cgi-bin/env/more/of/it")},
		{"path with a slash behind", get("/cgi-bin/env/more/")},
		{"encoded path", get("/cgi-bin/env/m%C3%B6hre%20x")},
		{"fields twice", get("/cgi-bin/env", "X-A: 1", "X-A: 2", "Cookie: a=b", "Cookie: c=d", "Accept: text/html", "Accept: text/plain")},
		{"Proxy", get("/cgi-bin/env", "Proxy: http://evil.example")},
		{"odd names", get("/cgi-bin/env", "X-1: a", "user-agent: b", "ACCEPT-LANGUAGE: c")},
		{"empty value", get("/cgi-bin/env", "X-Empty:")},
		{"no port in Host", "GET /cgi-bin/env HTTP/1.1\r\nHost: example.org\r\n\r\n"},
		{"IPv6 in Host", "GET /cgi-bin/env HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"},
		{"HTTP/1.0", "GET /cgi-bin/env HTTP/1.0\r\nHost: example.org:81\r\n\r\n"},
		{"HTTP/1.0 without Host", "GET /cgi-bin/env HTTP/1.0\r\n\r\n"},
		{"POST", ask("POST", "/cgi-bin/env", "a=b", "Content-Type: application/x-www-form-urlencoded")},
		{"POST of nothing", ask("POST", "/cgi-bin/env", "", "Content-Length: 0", "Content-Type: text/plain")},
		{"DELETE", ask("DELETE", "/cgi-bin/env/7", "")},
		{"OPTIONS", ask("OPTIONS", "/cgi-bin/env", "")},
		{"own method", ask("FROB", "/cgi-bin/env", "")},
		{"absolute target", "GET http://example.net/cgi-bin/env?x HTTP/1.1\r\nHost: example.org\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := environ(t, ours, tt.request), environ(t, theirs, tt.request)
			names := map[string]bool{}
			for name := range a {
				names[name] = true
			}
			for name := range b {
				names[name] = true
			}
			for name := range names {
				mine, isMine := a[name]
				other, isTheirs := b[name]
				if isMine && isTheirs && mine == other {
					continue
				}
				what := "both"
				switch {
				case !isTheirs:
					what = "ours"
				case !isMine:
					what = "theirs"
				}
				if divergences[name].what != what {
					t.Errorf("%s: %q, net/http/cgi %q, and no divergence says so", name, mine, other)
				}
				seen[name] = true
			}
		})
	}
	for name := range divergences {
		if !seen[name] {
			t.Errorf("divergence %s is none", name)
		}
	}
}

// environ is what the script is told of a request.
func environ(t *testing.T, s *testserver.Server, request string) map[string]string {
	t.Helper()
	res := s.Ask(request)
	if res.Status != http.StatusOK {
		t.Fatalf("%d %q", res.Status, res.Text())
	}
	env := map[string]string{}
	for pair := range strings.SplitSeq(strings.TrimSuffix(res.Text(), "\x00"), "\x00") {
		name, value, _ := strings.Cut(pair, "=")
		// The shell's own, and what moves from one request to the next.
		if !slices.Contains([]string{"_", "PWD", "OLDPWD", "SHLVL", "REMOTE_PORT", "LD_LIBRARY_PATH"}, name) {
			env[name] = value
		}
	}
	return env
}

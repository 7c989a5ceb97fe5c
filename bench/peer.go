//go:build linux

package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// peer is another way to serve a WSGI application.
type peer struct {
	name    string
	command string // see runs; words are separated by space
	front   string // nginx's location when nginx stands before it, else ""
}

// The peers, each as fast as its options make it where applications need no more
// than the measured ones do: one process for each worker, no access log. Tried and
// not kept, because they cost something or made no difference that could be told:
//   - uWSGI: several interpreters, the other handling of environ, a longer queue,
//     no master; in nginx multi_accept, tcp_nopush, no buffering. Alone: its HTTP
//     router, which costs three times as much
//   - gunicorn: its own parser in Python; more threads or fewer
//   - Granian: more than one thread for the application, the other runtime
//   - waitress: more than one thread, poll
//   - mod_wsgi-express: its daemon mode, the other MPMs
var (
	nginxUWSGI = peer{
		"nginx + uWSGI",
		"{{bin}}/uwsgi --master --processes {{workers}} --single-interpreter --need-app --disable-logging --listen 128 --die-on-term" +
			" --socket {{dir}}/backend.sock --chmod-socket=666 --module {{app}}",
		uwsgiLocation,
	}
	nginxGunicorn = peer{
		"nginx + gunicorn",
		"{{bin}}/gunicorn --workers {{workers}} --worker-class sync --http-parser fast --no-control-socket --bind unix:{{dir}}/backend.sock {{app}}",
		proxyLocation,
	}
	otherPeers = []peer{
		{
			"uWSGI alone",
			"{{bin}}/uwsgi --master --processes {{workers}} --single-interpreter --need-app --disable-logging --listen 128 --die-on-term" +
				" --http-socket {{addr}} --add-header Connection:close --module {{app}}",
			"",
		},
		{"gunicorn, sync", "{{bin}}/gunicorn --workers {{workers}} --worker-class sync --http-parser fast --no-control-socket --bind {{addr}} {{app}}", ""},
		{
			"gunicorn, gthread",
			"{{bin}}/gunicorn --workers {{workers}} --worker-class gthread --threads 4 --http-parser fast --no-control-socket --bind {{addr}} {{app}}",
			"",
		},
		{
			"Granian",
			"{{bin}}/granian --interface wsgi --workers {{workers}} --http 1 --no-ws --no-access-log --blocking-threads 1 --host {{host}} --port {{port}} {{app}}",
			"",
		},
		{"waitress", "{{bin}}/waitress-serve --listen {{addr}} --threads 1 {{app}}", ""},
		{
			"mod_wsgi-express",
			"{{bin}}/mod_wsgi-express start-server --embedded-mode --server-mpm event --max-clients 128 --keep-alive-timeout 75 --disable-reloading" +
				" --log-to-terminal --locale C.UTF-8 --server-root {{dir}}/httpd --include-file {{dir}}/httpd.conf --user nobody --group nogroup" +
				" --host {{host}} --port {{port}} --application-type module {{module}}",
			"",
		},
	}
)

// runs starts the peer with an application. In its command {{app}} stands for
// module:callable, {{module}} for the first half of that, {{bin}} for the folder
// of the virtual environment's commands.
func (p peer) runs(a app) starter {
	return func(s settings) (*server, error) {
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		module, _, _ := strings.Cut(a.target, ":")
		words := strings.Fields(p.command)
		fill := strings.NewReplacer("{{bin}}", filepath.Dir(s.tool("python")), "{{dir}}", s.dir, "{{addr}}", addr, "{{host}}", host,
			"{{port}}", port, "{{workers}}", strconv.Itoa(a.workers), "{{app}}", a.target, "{{module}}", module)
		for i := range words {
			words[i] = fill.Replace(words[i])
		}
		// A socket that an earlier run left refuses, and some peers do not replace it.
		os.Remove(filepath.Join(s.dir, "backend.sock"))
		cmd := pinned(words[0], words[1:]...)
		cmd.Dir = s.appDir()
		srv := &server{addr: addr}
		if err := srv.launch(s.dir, cmd); err != nil {
			return nil, err
		}
		if p.front != "" {
			if err := srv.launchNginx(s, "", p.front); err != nil {
				return nil, srv.failed(err)
			}
		}
		return srv, srv.awaitAnswer()
	}
}

//go:build linux

package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
)

const lighttpdConf = `
server.modules = ("mod_cgi")
server.document-root = "{{dir}}/cgi"
server.bind = "{{host}}"
server.port = {{port}}
server.errorlog = "{{dir}}/lighttpd.err"
server.max-keep-alive-requests = 1000000000
$HTTP["url"] =~ "^/cgi-bin/" { cgi.assign = ("" => "") }
`

// startLighttpd serves the folder of scripts.
func startLighttpd(s settings) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	conf := strings.NewReplacer("{{dir}}", s.dir, "{{host}}", host, "{{port}}", port).Replace(lighttpdConf)
	file := filepath.Join(s.dir, "lighttpd.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return nil, err
	}
	srv := &server{addr: addr}
	if err := srv.launch(s.dir, pinned("lighttpd", "-D", "-f", file)); err != nil {
		return nil, err
	}
	return srv, srv.awaitAnswer()
}

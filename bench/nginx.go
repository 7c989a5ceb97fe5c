//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
)

const nginxConf = `
daemon off; worker_processes 1; pid {{dir}}/nginx.pid; error_log {{dir}}/nginx.err;
events { worker_connections 12000; }
http {
  access_log off; sendfile on; {{more}} keepalive_requests 1000000000; keepalive_timeout 75;
  open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s;
  types { text/html html; } default_type application/octet-stream;
  client_body_temp_path {{dir}}/t1; proxy_temp_path {{dir}}/t2; fastcgi_temp_path {{dir}}/t3; uwsgi_temp_path {{dir}}/t4; scgi_temp_path {{dir}}/t5;
  server { listen {{addr}} backlog=4096; root {{dir}}/site; {{location}} }
}
`

// uwsgiLocation hands everything to a backend that speaks the uwsgi protocol,
// with fewer variables than the uwsgi_params file that nginx comes with.
const uwsgiLocation = `location / {
  uwsgi_pass unix:{{dir}}/backend.sock;
  uwsgi_param REQUEST_METHOD $request_method; uwsgi_param PATH_INFO $document_uri; uwsgi_param QUERY_STRING $query_string;
  uwsgi_param REQUEST_URI $request_uri; uwsgi_param CONTENT_TYPE $content_type; uwsgi_param CONTENT_LENGTH $content_length;
  uwsgi_param SERVER_PROTOCOL $server_protocol; uwsgi_param REMOTE_ADDR $remote_addr; uwsgi_param REMOTE_PORT $remote_port;
  uwsgi_param SERVER_PORT $server_port; uwsgi_param SERVER_NAME $server_name;
}`

// proxyLocation hands everything to a backend that speaks HTTP.
const proxyLocation = `location / {
  proxy_pass http://unix:{{dir}}/backend.sock;
  proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
}`

// startNginxStatic serves the site folder with sendfile and open_file_cache.
func startNginxStatic(s settings) (*server, error) { return startNginx(s, "", "") }

// startNginxNoPush is startNginxStatic with tcp_nopush, which nginx leaves off by
// itself and Debian's configuration turns on: head and file then leave as one.
func startNginxNoPush(s settings) (*server, error) { return startNginx(s, "tcp_nopush on;", "") }

// startNginx starts nginx with more directives for all servers, and what stands
// in its one server.
func startNginx(s settings, more, location string) (*server, error) {
	srv := &server{}
	if err := srv.launchNginx(s, more, location); err != nil {
		return nil, err
	}
	return srv, srv.awaitAnswer()
}

// launchNginx adds nginx to the server, which gets its address.
func (s *server) launchNginx(set settings, more, location string) (err error) {
	if s.addr, err = freeAddr(); err != nil {
		return err
	}
	conf := strings.NewReplacer("{{more}}", more, "{{location}}", location).Replace(nginxConf)
	conf = strings.NewReplacer("{{dir}}", set.dir, "{{addr}}", s.addr).Replace(conf)
	file := filepath.Join(set.dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return err
	}
	return s.launch(set.dir, pinned("nginx", "-e", filepath.Join(set.dir, "nginx.err"), "-c", file))
}

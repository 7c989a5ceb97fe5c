//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// server is a running peer or Gatehouse: an address and the processes behind it.
type server struct {
	addr  string // host:port
	procs []*exec.Cmd
}

type starter func(settings) (*server, error)

// pids are the roots of the server's process families.
func (s *server) pids() []int {
	var pids []int
	for _, p := range s.procs {
		pids = append(pids, p.Process.Pid)
	}
	return pids
}

// stop ends the server and everything it started.
func (s *server) stop() {
	for _, p := range s.procs {
		_ = p.Process.Signal(syscall.SIGTERM) // gone already is as good
		timer := time.AfterFunc(10*time.Second, func() { _ = p.Process.Kill() })
		_ = p.Wait() // the exit status of an ended server tells nothing
		timer.Stop()
	}
}

// pinned is a command on the servers' core; it dies with this process.
func pinned(name string, args ...string) *exec.Cmd {
	cmd := exec.Command("taskset", append([]string{"-c", "0", name}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// startGatehouseStatic serves the site folder.
func startGatehouseStatic(s settings) (*server, error) {
	return startGatehouse(s, filepath.Join(s.dir, "site"))
}

// startGatehouseWSGI runs the hello application in one worker.
func startGatehouseWSGI(s settings) (*server, error) {
	return startGatehouse(s, "run", "--workers", "1", "--python", s.python, "hello:application")
}

// announced finds the URL in Gatehouse's start lines.
var announced = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/`)

func startGatehouse(s settings, args ...string) (*server, error) {
	cmd := pinned(s.gatehouse, append(args, "--listen", "127.0.0.1:0", "--access-log", "off")...)
	cmd.Dir = filepath.Join(s.dir, "app")
	log, err := os.CreateTemp(s.dir, "gatehouse-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	srv := &server{procs: []*exec.Cmd{cmd}}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(log.Name())
		if err != nil {
			return nil, err
		}
		if m := announced.FindSubmatch(text); m != nil {
			srv.addr = string(m[1])
			return srv, srv.awaitAnswer()
		}
	}
	srv.stop()
	text, _ := os.ReadFile(log.Name()) // best effort: it goes into the error
	return nil, fmt.Errorf("%s %s announced no address:\n%s", s.gatehouse, strings.Join(args, " "), text)
}

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

const uwsgiLocation = `location / {
  uwsgi_pass unix:{{dir}}/uwsgi.sock;
  uwsgi_param REQUEST_METHOD $request_method; uwsgi_param PATH_INFO $document_uri; uwsgi_param QUERY_STRING $query_string;
  uwsgi_param REQUEST_URI $request_uri; uwsgi_param CONTENT_TYPE $content_type; uwsgi_param CONTENT_LENGTH $content_length;
  uwsgi_param SERVER_PROTOCOL $server_protocol; uwsgi_param REMOTE_ADDR $remote_addr; uwsgi_param REMOTE_PORT $remote_port;
  uwsgi_param SERVER_PORT $server_port; uwsgi_param SERVER_NAME $server_name;
}`

// startNginxStatic serves the site folder with sendfile and open_file_cache.
func startNginxStatic(s settings) (*server, error) { return startNginx(s, "", "") }

// startNginxNoPush is startNginxStatic with tcp_nopush, which nginx leaves off by
// itself and Debian's configuration turns on: head and file then leave as one.
func startNginxNoPush(s settings) (*server, error) { return startNginx(s, "tcp_nopush on;", "") }

// startNginxUWSGI runs the hello application in one uWSGI worker behind nginx.
func startNginxUWSGI(s settings) (*server, error) {
	socket := filepath.Join(s.dir, "uwsgi.sock")
	uwsgi := pinned("uwsgi", "--plugin", "python3", "--master", "--processes", "1", "--disable-logging", "--listen", "128", "--die-on-term",
		"--socket", socket, "--chmod-socket=666", "--chdir", filepath.Join(s.dir, "app"), "--module", "hello:application")
	if err := uwsgi.Start(); err != nil {
		return nil, err
	}
	backend := &server{procs: []*exec.Cmd{uwsgi}}
	if err := awaitDial("unix", socket); err != nil {
		backend.stop()
		return nil, err
	}
	srv, err := startNginx(s, "", uwsgiLocation)
	if err != nil {
		backend.stop()
		return nil, err
	}
	srv.procs = append(srv.procs, uwsgi)
	return srv, nil
}

// startNginx starts nginx with more directives for all servers, and what stands
// in its one server.
func startNginx(s settings, more, location string) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	conf := strings.NewReplacer("{{more}}", more, "{{location}}", location).Replace(nginxConf)
	conf = strings.NewReplacer("{{dir}}", s.dir, "{{addr}}", addr).Replace(conf)
	file := filepath.Join(s.dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return nil, err
	}
	var output bytes.Buffer
	cmd := pinned("nginx", "-e", filepath.Join(s.dir, "nginx.err"), "-c", file)
	cmd.Stderr = &output
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	srv := &server{addr: addr, procs: []*exec.Cmd{cmd}}
	if err := srv.awaitAnswer(); err != nil {
		srv.stop()
		return nil, fmt.Errorf("nginx: %w\n%s", err, output.String())
	}
	return srv, nil
}

// freeAddr returns a loopback address nobody listens on. Peers cannot be handed
// port 0 and asked for the number, so another process might take it in between.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// awaitAnswer waits until the server accepts connections.
func (s *server) awaitAnswer() error { return awaitDial("tcp", s.addr) }

func awaitDial(network, addr string) error {
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var c net.Conn
		if c, err = net.Dial(network, addr); err == nil {
			return c.Close()
		}
	}
	return err
}

//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// clientPatience ends an exchange that hangs.
const clientPatience = 30 * time.Second

// client is one keep-alive connection to a server.
type client struct {
	conn   net.Conn
	reader *bufio.Reader
	ask    []byte // a whole request
}

func dial(addr, path string) (*client, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{c, bufio.NewReader(c), fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, addr)}, nil
}

func (c *client) send() error {
	if err := c.conn.SetDeadline(time.Now().Add(clientPatience)); err != nil {
		return err
	}
	_, err := c.conn.Write(c.ask)
	return err
}

// receive reads a whole answer and tells whether the connection can be used
// again. All but 200 is an error.
func (c *client) receive() (body []byte, again bool, err error) {
	resp, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return nil, false, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	if err != nil {
		return nil, false, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, false, fmt.Errorf("answered %s: %.200s", resp.Status, body)
	}
	return body, !resp.Close, nil
}

// getOnce fetches a page over a connection of its own.
func getOnce(addr, path string) ([]byte, error) {
	c, err := dial(addr, path)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	if err := c.send(); err != nil {
		return nil, err
	}
	body, _, err := c.receive()
	return body, err
}

// fromClientCore calls do while this process, which is itself the load generator
// then, is kept away from the servers' core.
func fromClientCore(do func() error) error {
	before, err := statusField(os.Getpid(), "Cpus_allowed_list:")
	if err != nil {
		return err
	}
	if err := moveTo("1"); err != nil {
		return err
	}
	// One core, but more than one goroutine in the middle of a system call: what
	// waits for the next arrival must not keep answers from being read.
	procs := runtime.GOMAXPROCS(4)
	err = do()
	runtime.GOMAXPROCS(procs)
	return errors.Join(err, moveTo(before))
}

// moveTo confines all threads of this process to a list of cores.
func moveTo(cores string) error {
	out, err := exec.Command("taskset", "--all-tasks", "--cpu-list", "--pid", cores, strconv.Itoa(os.Getpid())).CombinedOutput()
	if err != nil {
		return fmt.Errorf("taskset: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

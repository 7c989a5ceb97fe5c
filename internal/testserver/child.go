package testserver

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// childVariable names, in the environment of a re-executed test binary, the
// program that Main runs in place of the tests.
const childVariable = "GATEHOUSE_TEST_CHILD"

// Child is a test program in a process of its own: the test binary, run again.
type Child struct {
	t      testing.TB
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr *Log
}

// StartChild starts the program that Main knows by name. env is added to its
// environment as KEY=value. The child is ended with the test.
func StartChild(t testing.TB, name string, env ...string) *Child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &Child{t: t, cmd: exec.Command(exe), stderr: &Log{}}
	c.cmd.Env = append(append(os.Environ(), childVariable+"="+name), env...)
	c.cmd.Stderr = c.stderr
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdout = bufio.NewReader(stdout)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			_ = c.cmd.Process.Kill()
			_ = c.cmd.Wait()
		}
	})
	return c
}

// Line reads the next line the child printed.
func (c *Child) Line() string {
	c.t.Helper()
	line, err := c.stdout.ReadString('\n')
	if err != nil {
		c.t.Fatalf("child ended: %v\n%s", err, c.stderr)
	}
	return strings.TrimSuffix(line, "\n")
}

// Stop closes the child's standard input, which asks it to end, waits, and
// fails the test if it did not end well.
func (c *Child) Stop() {
	c.t.Helper()
	_ = c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("child: %v\n%s", err, c.stderr)
	}
}

// runChild is the process of a Child.
func runChild(name string, children map[string]func() error) int {
	program, ok := children[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "testserver: no child program %q\n", name)
		return 2
	}
	if err := program(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}

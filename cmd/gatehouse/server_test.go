package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// server is a gatehouse process of a test.
type server struct {
	cmd         *exec.Cmd
	mark        string // in the environment of the process and of all its children
	out, errOut *output
	ended       chan struct{} // closed when the process was waited for
}

// newServer prepares gatehouse in dir.
func newServer(dir string, env, args []string) *server {
	s := &server{mark: mark(), out: newOutput(), errOut: newOutput(), ended: make(chan struct{})}
	s.cmd = exec.Command("gatehouse", args...) // this test binary, see TestMain
	s.cmd.Dir, s.cmd.Env = dir, append(env, s.mark, quickExit)
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.errOut
	return s
}

// start starts it.
func (s *server) start() error {
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // end reads the status
		s.out.close()
		s.errOut.close()
	}()
	return nil
}

// await waits until one of the outputs matches and returns what they hold.
func (s *server) await(pattern *regexp.Regexp, outs ...*output) (string, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		var text strings.Builder
		changed := make([]<-chan struct{}, 2)
		for i, o := range outs {
			held, next := o.look()
			text.WriteString(held)
			changed[i] = next
		}
		if pattern.MatchString(text.String()) {
			return text.String(), nil
		}
		select {
		case <-changed[0]:
		case <-changed[1]:
		case <-s.ended:
			return text.String(), fmt.Errorf("the server ended before it wrote %s", pattern)
		case <-timer.C:
			return text.String(), fmt.Errorf("the server did not write %s", pattern)
		}
	}
}

// end waits for the end of the process and returns its exit status. It is an
// error if a child outlives it.
func (s *server) end() (int, error) {
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.kill()
		return 0, errors.New("the server did not end")
	}
	var left []string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if left = s.processes(); len(left) == 0 {
			return s.cmd.ProcessState.ExitCode(), nil
		}
	}
	return 0, fmt.Errorf("children outlive the server: %s", strings.Join(left, ", "))
}

// processes are those that were started by s, itself included, where the system
// tells (Linux).
func (s *server) processes() []string {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	var found []string
	for _, f := range files {
		env, err := os.ReadFile(f)
		if err == nil && bytes.Contains(env, []byte(s.mark)) {
			found = append(found, filepath.Base(filepath.Dir(f)))
		}
	}
	return found
}

// kill ends the process, whatever it does.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // ended already is as good
	<-s.ended
}

// output holds what a process writes and tells when there is more.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	next chan struct{} // closed at the next change
	done bool
}

func newOutput() *output { return &output{next: make(chan struct{})} }

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	close(o.next)
	o.next = make(chan struct{})
	return len(p), nil
}

// close tells for the last time.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.done {
		o.done = true
		close(o.next)
	}
}

// look returns what is there and a channel that is closed when there is more.
func (o *output) look() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.next
}

// String is what is there.
func (o *output) String() string {
	text, _ := o.look()
	return text
}

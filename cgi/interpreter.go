package cgi

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/lifeline"
	"github.com/seed-07905ac1/gatehouse/internal/marshal"
	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

const (
	// loadTime bounds how long an interpreter may take until it is ready.
	loadTime = 20 * time.Second
	// answerTime bounds how long it may take to answer an order: to fork, or to look
	// at a script and import what that imports. One that takes longer is stopped or
	// stuck.
	answerTime = 10 * time.Second
	// endTime bounds how long it may take to end.
	endTime = 2 * time.Second
	// maxOrder bounds an order to the interpreter, in bytes: it has to fit into a
	// packet.
	maxOrder = 60 << 10
	// maxChecked bounds how many scripts are known to be fit; interpreter.py keeps
	// as many.
	maxChecked = 256
)

// The orders that interpreter.py knows.
const (
	orderRun    = 'R'
	orderSignal = 'S'
	orderCheck  = 'C'
)

var (
	// errUnfit is the error of openInterpreter for one that will never do.
	errUnfit         = errors.New("cgi: scripts cannot be forked from the interpreter")
	errNotFit        = errors.New("cgi: not fit to be run warm")
	errOrderTooLarge = errors.New("cgi: the order to the interpreter is too large")
	errOver          = errors.New("cgi: the interpreter has ended")
)

// killed is how a script ended that was killed because its interpreter was no more.
var killed = pyproc.Exit{Code: -1, Signal: syscall.SIGKILL}

// An interpreter is a Python process that forks itself for each script; see
// interpreter.py. Its methods may be called concurrently.
type interpreter struct {
	template *pyproc.Template // the process
	user     *User            // whom it runs as
	channel  *net.UnixConn
	over     chan struct{} // closed when nothing comes from the process any more
	late     *time.Timer   // ends it; runs as long as it owes an answer

	lifelines lifeline.Lifelines // of the scripts; only receive touches them

	checks  sync.Mutex // one check at a time
	answers chan string

	mu       sync.Mutex
	patience time.Duration // answerTime, but for tests
	owed     int           // answers to orders
	stuck    bool          // it has been ended for not answering
	lie      error         // it has been ended for that
	last     uint64        // number of the last run
	runs     map[uint64]*run
	checked  map[string]checked // by path
}

// checked is what the interpreter found when it looked at a script.
type checked struct {
	file, folder string // their identities then
	reason       string // why it is not fit, "" if it is
}

// openInterpreter starts an interpreter. The caller calls close in the end.
func openInterpreter(c pyproc.Command) (*interpreter, error) {
	t, err := pyproc.Start(c)
	if err != nil {
		return nil, err
	}
	i := &interpreter{
		template: t, user: c.User, over: make(chan struct{}), answers: make(chan string, 1),
		patience: answerTime, runs: map[uint64]*run{}, checked: map[string]checked{},
	}
	i.late = time.AfterFunc(answerTime, i.giveUp)
	i.late.Stop()
	if err := i.open(); err != nil {
		t.Close()
		return nil, err
	}
	go i.receive()
	return i, nil
}

// open waits until the interpreter is ready and has it take orders.
func (i *interpreter) open() error {
	ctx, cancel := context.WithTimeout(context.Background(), loadTime)
	defer cancel()
	loaded, err := i.template.Ready(ctx)
	if err != nil {
		return err
	}
	var info struct {
		Unfit string `json:"unfit"`
	}
	if err := json.Unmarshal(loaded.Info, &info); err != nil {
		return err
	}
	if info.Unfit != "" {
		return fmt.Errorf("%w: %s", errUnfit, info.Unfit)
	}
	if loaded.Threads != 1 {
		return errors.New("it has threads, so it cannot be forked")
	}
	ours, theirs, err := pyproc.SocketPair()
	if err != nil {
		return err
	}
	defer theirs.Close()
	if _, err := i.template.Become(0, theirs); err != nil {
		ours.Close()
		return err
	}
	i.channel = ours
	return nil
}

// isOver reports whether the interpreter has ended.
func (i *interpreter) isOver() bool {
	select {
	case <-i.over:
		return true
	default:
		return false
	}
}

// cause says why the interpreter has ended. It is called after close.
func (i *interpreter) cause() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stuck {
		return fmt.Sprintf("it did not answer within %v", i.patience)
	}
	if i.lie != nil {
		return i.lie.Error()
	}
	return i.template.Exit().String()
}

// giveUp ends an interpreter that does not answer: neither do its scripts start
// then, nor can they be ended.
func (i *interpreter) giveUp() {
	i.mu.Lock()
	i.stuck = i.owed > 0 // it may have answered just now
	stuck := i.stuck
	i.mu.Unlock()
	if stuck {
		i.template.Close()
	}
}

// owe notes that an answer is owed.
func (i *interpreter) owe() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.owed++
	if i.owed == 1 {
		i.late.Reset(i.patience)
	}
}

// settle notes that an answer has come, or will not. i.mu is held.
func (i *interpreter) settle() {
	i.owed = max(i.owed-1, 0)
	if i.owed == 0 {
		i.late.Stop()
		return
	}
	i.late.Reset(i.patience)
}

// close ends the interpreter, and with it what scripts it still runs.
func (i *interpreter) close() {
	i.channel.Close() // it ends, and kills what it has started
	timer := time.AfterFunc(endTime, func() { i.template.Close() })
	<-i.template.Done()
	timer.Stop()
	i.template.Close()
	<-i.over
	i.late.Stop()
}

// start starts a script. An error means that it has not been started and should
// be run cold, and that c.ended is not called.
func (i *interpreter) start(c *command, args []string) (process, error) {
	file, folder := identity(c.script.file), identityOf(c.dir, i.user)
	env := environment(c.env)
	if err := i.check(c.script.path, file, folder, env); err != nil {
		return nil, err
	}
	p := &run{interpreter: i, ended: c.ended, closed: make(chan struct{})}
	i.mu.Lock()
	if i.isOver() {
		i.mu.Unlock()
		return nil, errOver
	}
	i.last++
	p.number = i.last
	i.runs[p.number] = p
	i.mu.Unlock()
	err := i.order(orderRun, p.number, task(c.script.path, file, args, env), c.stdin, c.stdout, c.stderr)
	if err == nil {
		return p, nil
	}
	i.mu.Lock()
	_, open := i.runs[p.number]
	delete(i.runs, p.number)
	i.mu.Unlock()
	if !open {
		return p, nil // end has come first, and told
	}
	return nil, err
}

// task is what interpreter.py is told of the script.
func task(path, file string, args []string, env []byte) []byte {
	b := marshal.AppendTuple(make([]byte, 0, 256+len(env)), 4)
	b = marshal.AppendBytes(b, []byte(path))
	b = marshal.AppendBytes(b, []byte(file))
	b = marshal.AppendList(b, len(args))
	for _, arg := range args {
		b = marshal.AppendBytes(b, []byte(arg))
	}
	return append(b, env...)
}

// environment is env as a dict in marshal's format.
func environment(env []string) []byte {
	b := marshal.BeginDict(make([]byte, 0, 2<<10))
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		b = marshal.AppendBytes(b, []byte(name))
		b = marshal.AppendBytes(b, []byte(value))
	}
	return marshal.EndDict(b)
}

// order sends an order.
func (i *interpreter) order(kind byte, number uint64, about []byte, files ...*os.File) error {
	b := make([]byte, 0, 9+len(about))
	b = binary.BigEndian.AppendUint64(append(b, kind), number)
	b = append(b, about...)
	if len(b) > maxOrder {
		return errOrderTooLarge
	}
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for n, f := range files {
			fds[n] = int(f.Fd())
		}
		rights = syscall.UnixRights(fds...)
	}
	i.owe()
	if _, _, err := i.channel.WriteMsgUnix(b, rights, nil); err != nil {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.settle()
		return fmt.Errorf("cgi: order to the interpreter: %w", err)
	}
	return nil
}

// check returns an error if the script would behave differently here than cold.
func (i *interpreter) check(path, file, folder string, env []byte) error {
	i.mu.Lock()
	known, ok := i.checked[path]
	i.mu.Unlock()
	if !ok || folder == "" || known.folder != folder || known.file != file {
		i.checks.Lock()
		defer i.checks.Unlock()
		var err error
		if known, err = i.look(path, file, folder, env); err != nil {
			return err
		}
	}
	if known.reason != "" {
		return fmt.Errorf("%w: %s", errNotFit, known.reason)
	}
	return nil
}

// look has the interpreter look at the script. i.checks is held.
func (i *interpreter) look(path, file, folder string, env []byte) (checked, error) {
	b := marshal.AppendTuple(nil, 3)
	b = marshal.AppendBytes(b, []byte(path))
	b = marshal.AppendBytes(b, []byte(file))
	b = append(b, env...)
	if err := i.order(orderCheck, 0, b); err != nil {
		return checked{}, err
	}
	var answer string
	select {
	case answer = <-i.answers:
	case <-i.over:
		return checked{}, errOver
	}
	again, reason, _ := strings.Cut(answer, " ")
	i.mu.Lock()
	defer i.mu.Unlock()
	if again == "again" || len(i.checked) >= maxChecked {
		clear(i.checked)
	}
	found := checked{file: file, folder: folder, reason: reason}
	i.checked[path] = found
	return found, nil
}

// receive takes what the interpreter tells, until it ends.
func (i *interpreter) receive() {
	buf := make([]byte, 1<<10)
	for {
		n, err := i.channel.Read(buf)
		if err != nil || n == 0 {
			break
		}
		i.hear(string(buf[:n]))
	}
	i.end()
}

// hear acts on a message. What cannot be understood says nothing.
func (i *interpreter) hear(message string) {
	kind, rest, _ := strings.Cut(message, " ")
	name, about, _ := strings.Cut(rest, " ")
	switch kind {
	case "checked":
		select {
		case i.answers <- rest:
		default: // nobody has asked
		}
		fallthrough
	case "signalled":
		i.mu.Lock()
		defer i.mu.Unlock()
		i.settle()
		return
	}
	number, err := strconv.ParseUint(name, 10, 64)
	if err != nil {
		return
	}
	value, err := strconv.Atoi(about)
	if err != nil {
		return
	}
	i.mu.Lock()
	p := i.runs[number]
	if p == nil {
		i.mu.Unlock()
		return
	}
	first := !p.started
	if first {
		i.settle() // failed and ended are answers, too
	}
	if kind == "started" {
		p.started = true
		i.mu.Unlock()
		if first {
			i.hold(p, value)
		}
		return
	}
	delete(i.runs, number)
	i.mu.Unlock()
	if p.life != nil {
		i.lifelines.Put(p.life) // the interpreter has ended the group
	}
	switch kind {
	case "ended":
		p.end(pyproc.ExitOf(syscall.WaitStatus(value)))
	case "failed":
		p.end(pyproc.Exit{Code: -1})
	}
}

// hold has a lifeline hold the group that a script's process leads, by the number
// that came for it. An interpreter that tells another's number is ended.
func (i *interpreter) hold(p *run, pid int) {
	death, err := i.template.Vouch(pid)
	if errors.Is(err, pyproc.ErrForeign) {
		i.mu.Lock()
		i.lie = err
		i.mu.Unlock()
		i.template.Close()
		i.channel.Close() // whoever else has the other end
	}
	if err != nil {
		return // it has ended, or cannot be ended but by the interpreter
	}
	defer death.Close()
	life, err := i.lifelines.Get()
	if err != nil {
		return
	}
	// The kernel looks at who asks for the signal as it would at who sends it.
	err = i.user.Do(func() error { return life.Hold(pid) })
	if err != nil || pyproc.Unreaped(death) != nil { // what it holds may be another's by now
		_ = life.Hold(0) // there is no reason to refuse that
		i.lifelines.Put(life)
		return
	}
	p.life = life
}

// end is called when the interpreter is no more: nobody else is left to end its
// scripts.
func (i *interpreter) end() {
	i.mu.Lock()
	close(i.over)
	runs := i.runs
	i.runs = nil
	i.mu.Unlock()
	for _, p := range runs {
		if p.life != nil {
			p.life.Close()
		}
		p.end(killed)
	}
	i.lifelines.Close()
}

// run is a script's process, which the interpreter is the parent of.
type run struct {
	interpreter *interpreter
	number      uint64
	started     bool // guarded by interpreter.mu
	ended       func()
	closed      chan struct{}
	status      pyproc.Exit // valid once closed is

	life *lifeline.Lifeline // holds its group, nil if none does; only receive touches it
}

// signal implements process.
func (p *run) signal(sig syscall.Signal) {
	_ = p.interpreter.order(orderSignal, p.number, []byte{byte(sig)}) // it may have ended
}

// done implements process.
func (p *run) done() <-chan struct{} { return p.closed }

// exit implements process.
func (p *run) exit() pyproc.Exit { return p.status }

func (p *run) end(e pyproc.Exit) {
	p.status = e
	p.ended()
	close(p.closed)
}

var _ process = (*run)(nil)

package cgroup

import (
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// A watcher tells when the kernel has changed one of its files. Such a change looks
// like one of an ordinary file that somebody has written to.
type watcher struct {
	file  *os.File // an inotify descriptor
	ended chan struct{}

	mu   sync.Mutex
	call map[int32]func() // by the number of a watch
}

func newWatcher() (*watcher, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init", err)
	}
	w := &watcher{file: os.NewFile(uintptr(fd), "inotify"), ended: make(chan struct{}), call: map[int32]func(){}}
	go w.run()
	return w, nil
}

// add has f called when one of the files has changed. Those that are not there, or
// for which there are no watches left, do not count: then there is less to tell.
func (w *watcher) add(f func(), paths ...string) (watches []int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, path := range paths {
		if number, err := w.watch(path); err == nil {
			w.call[number] = f
			watches = append(watches, number)
		}
	}
	return watches
}

func (w *watcher) watch(path string) (number int32, err error) {
	conn, err := w.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	var n int
	var watchErr error
	if err := conn.Control(func(fd uintptr) { n, watchErr = syscall.InotifyAddWatch(int(fd), path, syscall.IN_MODIFY) }); err != nil {
		return 0, err
	}
	return int32(n), watchErr
}

func (w *watcher) remove(watches []int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	conn, err := w.file.SyscallConn()
	for _, number := range watches {
		delete(w.call, number)
		if err == nil {
			_ = conn.Control(func(fd uintptr) { _, _ = syscall.InotifyRmWatch(int(fd), uint32(number)) }) // it is gone with its file in any case
		}
	}
}

// run tells of changes until the watcher is closed.
func (w *watcher) run() {
	defer close(w.ended)
	buf := make([]byte, 64*syscall.SizeofInotifyEvent) // events of files have no name behind them
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		changed := map[int32]bool{}
		for at := 0; at+syscall.SizeofInotifyEvent <= n; {
			event := (*syscall.InotifyEvent)(unsafe.Pointer(&buf[at]))
			changed[event.Wd] = true
			at += syscall.SizeofInotifyEvent + int(event.Len)
		}
		for number := range changed {
			w.mu.Lock()
			f := w.call[number]
			w.mu.Unlock()
			if f != nil {
				f()
			}
		}
	}
}

// close ends the watcher, and returns when nothing is called any more.
func (w *watcher) close() error {
	err := w.file.Close()
	<-w.ended
	return err
}

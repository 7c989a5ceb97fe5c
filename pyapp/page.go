package pyapp

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// page is memory shared with one worker. Each lane has a row of eight cells.
// The worker may write anything at any time: a cell is advice on what to do
// with that worker's own requests, nothing more.
type page struct {
	file *os.File // the worker gets a duplicate
	mem  []byte
}

// Cells of a row, numbered as in the worker.
const (
	cellRunning   = 0 // number of the request that the worker has begun
	cellAbandoned = 1 // number of the request whose answer nobody wants
	cellOverdue   = 2 // number of the request that is to be interrupted
	cellAsked     = 3 // number of the request whose stack is wanted
	rowCells      = 8
)

// newPage makes a page with a row for each lane.
func newPage(lanes int) (*page, error) {
	size := lanes * rowCells * 8
	size += -size & (os.Getpagesize() - 1)
	file, err := memoryFile(int64(size))
	if err != nil {
		return nil, fmt.Errorf("pyapp: shared page: %w", err)
	}
	mem, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("pyapp: shared page: %w", err)
	}
	return &page{file: file, mem: mem}, nil
}

// cell returns a cell of a lane's row. It must not be used after close.
func (p *page) cell(lane, cell int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&p.mem[(lane*rowCells+cell)*8]))
}

func (p *page) close() {
	_ = syscall.Munmap(p.mem) // it is ours and mapped
	p.file.Close()
}

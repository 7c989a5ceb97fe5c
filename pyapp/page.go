package pyapp

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/seed-07905ac1/gatehouse/internal/unlinked"
)

// page is memory shared with one worker. Each lane has a row of eight cells and,
// behind all rows, an outbox. The worker may write anything at any time: a cell
// is advice on what to do with that worker's own requests, nothing more.
type page struct {
	file     *os.File // the worker gets a duplicate
	mem      []byte
	outboxes []byte // the part of mem behind the rows
}

// Cells of a row, numbered as in the worker.
const (
	cellRunning   = 0 // number of the request that the worker has begun
	cellAbandoned = 1 // number of the request whose answer nobody wants
	cellOverdue   = 2 // number of the request that is to be interrupted
	cellAsked     = 3 // number of the request whose stack is wanted
	cellEpoch     = 4 // packets of another epoch are not to be begun
	cellFilled    = 5 // how far the worker has filled its outbox
	cellTaken     = 6 // how far of that we have taken
	cellAskedAll  = 7 // of the first lane only: 1 if the stacks of all threads are wanted
	rowCells      = 8
)

// outboxSize is the length of a lane's outbox in bytes. Memory is used only as
// far as it is filled.
const outboxSize = 64 << 10

// rowsSize is the length of all rows, whole pages.
func rowsSize(lanes int) int {
	size := lanes * rowCells * 8
	return size + -size&(os.Getpagesize()-1)
}

// newPage makes a page with a row and an outbox for each lane.
func newPage(lanes int) (*page, error) {
	size := rowsSize(lanes) + lanes*outboxSize
	file, err := unlinked.Memory(int64(size))
	if err != nil {
		return nil, fmt.Errorf("pyapp: shared page: %w", err)
	}
	mem, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("pyapp: shared page: %w", err)
	}
	return &page{file: file, mem: mem, outboxes: mem[rowsSize(lanes):]}, nil
}

// cell returns a cell of a lane's row. It must not be used after close.
func (p *page) cell(lane, cell int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&p.mem[(lane*rowCells+cell)*8]))
}

// outbox is the memory of a lane's outbox. It must not be used after close.
func (p *page) outbox(lane int) []byte {
	return p.outboxes[lane*outboxSize:][:outboxSize:outboxSize]
}

func (p *page) close() {
	_ = syscall.Munmap(p.mem) // it is ours and mapped
	p.file.Close()
}

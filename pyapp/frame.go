package pyapp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// frameKind is the type of a frame from a worker.
type frameKind uint8

const (
	frameReady   frameKind = iota // the worker can take requests
	frameWhole                    // status, head and the whole body
	frameHead                     // status, head and the first part of a body that goes on
	frameBlock                    // a part of the body
	frameEnd                      // the request is over
	frameFailed                   // the application failed: head is one sentence, body the traceback
	frameFile                     // the rest of the body is in a file, which the next packet brings
	frameStacks                   // body is what the request's thread, or without a number all threads, were doing when asked
	frameUnbegun                  // the request was not begun and will not be
	frameHints                    // head is field lines to send ahead of the response
	frameKinds                    // number of kinds
)

// Flags of a frame.
const (
	flagLast   = 1 << iota // the worker is done with the request
	flagAdvice             // of frameFailed: the head tells the application's author what to return
	flagNamed              // of frameHead: the body is the file that follows, or parts of it
	flagsKnown = flagLast | flagAdvice | flagNamed
)

// kindFlags holds, for each kind, the flags that it may have. What does not end a
// response never ends its request: nobody would wait for the rest any more.
var kindFlags = [frameKinds][flagsKnown + 1]bool{
	frameReady:   {0: true},
	frameWhole:   {0: true, flagLast: true},
	frameHead:    {0: true, flagNamed: true},
	frameBlock:   {0: true},
	frameEnd:     {flagLast: true},
	frameFailed:  {flagLast: true, flagLast | flagAdvice: true},
	frameFile:    {0: true},
	frameStacks:  {0: true},
	frameUnbegun: {0: true},
	frameHints:   {0: true},
}

// maxPacket is the longest packet a worker sends: small enough for the socket
// buffers of every system, long enough that most pages need one.
const maxPacket = 64 << 10

// frameHeader is the length of what precedes a frame's head and body.
const frameHeader = 16

// frame is one decoded frame. head and body alias the packet.
type frame struct {
	kind       frameKind
	flags      uint8
	status     int   // 0 where the kind has none
	number     int32 // of the request; 0 where the kind belongs to none
	head, body []byte
}

// mayLackNumber reports whether frames of that kind may belong to no request.
func (k frameKind) mayLackNumber() bool { return k == frameReady || k == frameStacks }

var errFrame = errors.New("bad frame")

// nextFrame decodes the first frame of packet and returns the rest. It trusts
// nothing: the sender may run hostile code.
func nextFrame(packet []byte) (f frame, rest []byte, err error) {
	if len(packet) < frameHeader {
		return f, nil, fmt.Errorf("%w: %d bytes, shorter than a frame's header", errFrame, len(packet))
	}
	f.kind, f.flags = frameKind(packet[0]), packet[1]
	f.status = int(binary.LittleEndian.Uint16(packet[2:]))
	f.number = int32(binary.LittleEndian.Uint32(packet[4:]))
	head, body := uint64(binary.LittleEndian.Uint32(packet[8:])), uint64(binary.LittleEndian.Uint32(packet[12:]))
	rest = packet[frameHeader:]
	switch {
	case head+body > uint64(len(rest)):
		return f, nil, fmt.Errorf("%w: announces %d bytes, has %d", errFrame, head+body, len(rest))
	case f.kind >= frameKinds:
		return f, nil, fmt.Errorf("%w: unknown type %d", errFrame, f.kind)
	case f.flags&^flagsKnown != 0:
		return f, nil, fmt.Errorf("%w: unknown flags %#x", errFrame, f.flags)
	case !kindFlags[f.kind][f.flags]:
		return f, nil, fmt.Errorf("%w: type %d with flags %#x", errFrame, f.kind, f.flags)
	case f.number < 0, f.number == 0 && !f.kind.mayLackNumber(), f.number > 0 && f.kind == frameReady:
		return f, nil, fmt.Errorf("%w: type %d with request number %d", errFrame, f.kind, f.number)
	}
	hasHead := f.kind == frameWhole || f.kind == frameHead
	switch {
	case hasHead && (f.status < 200 || f.status > 999):
		return f, nil, fmt.Errorf("%w: status %d", errFrame, f.status)
	case !hasHead && f.status != 0 && !(f.kind == frameFailed && (f.status == 404 || f.status == 500)):
		return f, nil, fmt.Errorf("%w: type %d with status %d", errFrame, f.kind, f.status)
	case !hasHead && f.kind != frameFailed && f.kind != frameHints && head != 0:
		return f, nil, fmt.Errorf("%w: type %d with a head", errFrame, f.kind)
	case body != 0 && (f.flags&flagNamed != 0 || f.kind == frameHints):
		return f, nil, fmt.Errorf("%w: type %d with flags %#x and a body", errFrame, f.kind, f.flags)
	}
	f.head, f.body = rest[:head:head], rest[head:head+body:head+body]
	return f, rest[head+body:], nil
}

// extent returns which part of the file a frameFile means.
func (f *frame) extent() (from, size int64, err error) {
	if len(f.body) != 16 {
		return 0, 0, fmt.Errorf("%w: a file's extent of %d bytes", errFrame, len(f.body))
	}
	from, size = int64(binary.LittleEndian.Uint64(f.body)), int64(binary.LittleEndian.Uint64(f.body[8:]))
	if from < 0 || size < 0 || from > math.MaxInt64-size {
		return 0, 0, fmt.Errorf("%w: %d bytes of a file from %d", errFrame, size, from)
	}
	return from, size, nil
}

// appendFrame appends f. Only tests and tools send frames of this kind from Go.
func appendFrame(dst []byte, f frame) []byte {
	dst = append(dst, byte(f.kind), f.flags)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(f.status))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(f.number))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(f.head)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(f.body)))
	dst = append(dst, f.head...)
	return append(dst, f.body...)
}

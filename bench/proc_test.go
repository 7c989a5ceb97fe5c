//go:build linux

package main

import (
	"os"
	"os/exec"
	"runtime/debug"
	"testing"
	"time"
)

// A family's CPU time includes children, running and reaped, and nobody else.
func TestFamilyCPU(t *testing.T) {
	burn := exec.Command("sh", "-c", `sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; read line`)
	in, err := burn.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := burn.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); burn.Wait() })
	for deadline := time.Now().Add(20 * time.Second); ; {
		cpu, err := familyCPU([]int{burn.Process.Pid})
		if err != nil {
			t.Fatal(err)
		}
		if cpu >= 2*tick {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the family used %v of CPU time, want at least %v", cpu, 2*tick)
		}
	}
	if _, err := familyCPU([]int{1 << 30}); err == nil {
		t.Error("a process that does not exist has CPU time")
	}
}

func TestResidentBytes(t *testing.T) {
	n, err := residentBytes(os.Getpid())
	if err != nil || n < 1<<20 || n > 1<<34 {
		t.Errorf("residentBytes of this process = %d, %v", n, err)
	}
}

// What a process needed before its peak was reset does not count.
func TestResetPeak(t *testing.T) {
	const size = 64 << 20
	pid := os.Getpid()
	block := make([]byte, size)
	for i := 0; i < size; i += os.Getpagesize() {
		block[i] = 1
	}
	high, err := peakBytes(pid)
	if err != nil || high < size || block[0] != 1 {
		t.Fatalf("peakBytes = %d, %v with %d bytes in use", high, err, size)
	}
	block = nil
	debug.FreeOSMemory()
	if err := resetPeak(pid); err != nil {
		t.Fatal(err)
	}
	if low, err := peakBytes(pid); err != nil || low > high-size/2 {
		t.Errorf("peakBytes = %d, %v after resetPeak, want far less than %d", low, err, high)
	}
}

//go:build linux

package main

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	tests := []struct {
		in   []float64
		want float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 3, 2}, 2.5},
	}
	for _, tt := range tests {
		if got := median(tt.in); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", tt.in, got, tt.want)
		}
	}
}

func TestChoose(t *testing.T) {
	chosen, err := choose("start,idle")
	if err != nil || len(chosen) != 2 || chosen[0].name != "start" || chosen[1].name != "idle" {
		t.Errorf("choose(start,idle) = %v, %v; want those two in that order", chosen, err)
	}
	if _, err := choose("starts"); err == nil {
		t.Error("choose took a name that does not exist")
	}
	if all, err := choose(""); err != nil || len(all) != len(works()) {
		t.Errorf("choose(\"\") = %d works, %v; want all", len(all), err)
	}
}

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

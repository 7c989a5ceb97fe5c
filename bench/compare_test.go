//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
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

// Contenders take turns, and ratios are taken within a round: here they are 2, 4
// and 3 while that of the medians would be 4.
func TestInTurn(t *testing.T) {
	var order []string
	given := map[string][]float64{"Gatehouse": {2, 40, 6}, "peer": {1, 10, 2}}
	var all []contender[figures]
	for _, name := range []string{"Gatehouse", "peer"} {
		all = append(all, contender[figures]{name, func(_ settings, round int) (figures, error) {
			order = append(order, fmt.Sprint(name, round))
			return figures{perSecond: given[name][round], cpuMicros: 1}, nil
		}})
	}
	var out bytes.Buffer
	rounds, err := inTurn(settings{rounds: 3, out: &out}, all, showLoad)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"Gatehouse0", "peer0", "Gatehouse1", "peer1", "Gatehouse2", "peer2"}; !slices.Equal(order, want) {
		t.Errorf("measured %v, want %v", order, want)
	}
	if r := versus(rounds, 1, requests, "%.0f/s", atLeast(3)); r.ours != "6/s" || r.peer != "2/s" || r.result != "3.00 ×" || !r.reached {
		t.Errorf("versus = %+v", r)
	}
	if r := versus(rounds, 1, requests, "%.0f/s", atLeast(3.01)); r.reached {
		t.Error("a ratio of 3 reaches 3.01")
	}
	if text := out.String(); !strings.Contains(text, "round 2  peer") || !strings.Contains(text, "(4.000 ×)") {
		t.Errorf("printed:\n%s", text)
	}

	all[1].measure = func(settings, int) (figures, error) { return figures{}, errors.New("broken") }
	if _, err := inTurn(settings{rounds: 1, out: &out}, all, showLoad); err == nil || err.Error() != "peer: broken" {
		t.Errorf("inTurn with a broken peer: %v", err)
	}
}

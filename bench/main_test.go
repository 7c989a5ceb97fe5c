//go:build linux

package main

import "testing"

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

// Every work says what its rows are about; names do not repeat.
func TestWorks(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range works() {
		if w.name == "" || seen[w.name] || w.method == "" || len(w.goals) == 0 || w.measure == nil {
			t.Errorf("work %q is incomplete or there twice", w.name)
		}
		seen[w.name] = true
	}
}

package cgi

import (
	"strings"
	"time"
)

// IsBare is what the fuzz target of bare documents feeds.
var IsBare = isBare

// Waiting returns how many requests wait for their turn.
func Waiting(h *Handler) int { return int(h.admission.waiting.Load()) }

// Running returns how many scripts run.
func Running(h *Handler) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.running)
}

// EndOfHead and ParseHead are what the fuzz target feeds.
var EndOfHead = endOfHead

// ParseHead returns status and fields of a head.
func ParseHead(b []byte, nph bool) (status int, fields map[string][]string, err error) {
	h, err := parseHead(b, nph)
	if err != nil {
		return 0, nil, err
	}
	return h.status, h.fields, nil
}

// Patient has a Handler wait longer for the end of scripts that have closed their
// output. It is called before the first request.
func Patient(h *Handler) { h.exitWait = time.Minute }

// Interpret has a warm Handler's interpreters run another program, ours with a text
// replaced. It is called before the first request.
func Interpret(h *Handler, text, by string) {
	modules := h.runner.(*warm).command.Modules
	modules["interpreter"] = strings.Replace(modules["interpreter"], text, by, 1)
}

// Impatient has a warm Handler's interpreters answer within that time.
func Impatient(h *Handler, patience time.Duration) {
	for _, s := range h.runner.(*warm).slots {
		s.interpreter.mu.Lock()
		s.interpreter.patience = patience
		s.interpreter.mu.Unlock()
	}
}

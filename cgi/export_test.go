package cgi

// Waiting returns how many requests wait for their turn.
func Waiting(h *Handler) int { return int(h.admission.waiting.Load()) }

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

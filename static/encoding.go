package static

import (
	"net/http"
	"strings"
)

// coding is a content coding whose files may lie beside the original.
type coding struct {
	name   string // in Accept-Encoding and Content-Encoding
	ending string // of the neighbour's file name
}

// neighbours is how many codings are looked for.
const neighbours = 3

// codings returns them; of two files of the same size the earlier one is sent.
func codings() [neighbours]coding {
	return [neighbours]coding{{"br", ".br"}, {"zstd", ".zst"}, {"gzip", ".gz"}}
}

// choose returns which of reps suits the client best: the first is the file as it
// is, the others its encoded neighbours. Of those that the client likes best it
// is the smallest (RFC 9110 section 12.5.3).
//
// A client that names nothing gets the file as it is. So does one that refuses
// everything there is, identity included: 406 would help nobody, and the section
// cited lets a server disregard the field.
func choose(reps []*representation, h http.Header) *representation {
	field, ok := h["Accept-Encoding"]
	if !ok || len(reps) == 1 {
		return reps[0]
	}
	weights := acceptances(field)
	best := reps[0]
	for _, rep := range reps[1:] {
		weight, highest := weights[rep.rank], weights[best.rank]
		if weight > highest || weight > 0 && weight == highest && rep.size < best.size {
			best = rep
		}
	}
	return best
}

// acceptances returns the weights, in thousandths, that the lines of an
// Accept-Encoding field give to identity and to the codings, in their order. What
// is malformed counts as not said.
func acceptances(lines []string) (weights [1 + neighbours]int) {
	const unsaid = -1
	for i := range weights {
		weights[i] = unsaid
	}
	starred := unsaid
	for _, line := range lines {
		for member := range strings.SplitSeq(line, ",") {
			token, parameters, _ := strings.Cut(member, ";")
			weight, ok := qvalue(parameters)
			if !ok {
				continue
			}
			token = trimSpace(token)
			if token == "*" {
				starred = max(starred, weight)
			} else if rank := rankOf(token); rank >= 0 {
				weights[rank] = max(weights[rank], weight)
			}
		}
	}
	// Identity is acceptable unless excluded, but whoever lists codings wants one
	// of them: so it gets the least weight there is.
	if weights[0] == unsaid && starred != 0 {
		weights[0] = 1
	}
	for i := range weights {
		if weights[i] == unsaid {
			weights[i] = max(starred, 0)
		}
	}
	return weights
}

// rankOf returns the index that acceptances has for a coding's name, or -1. Names
// are compared without case; x-gzip is gzip (section 8.4.1).
func rankOf(token string) int {
	switch len(token) {
	case len("br"):
		if strings.EqualFold(token, "br") {
			return 1
		}
	case len("zstd"):
		if strings.EqualFold(token, "zstd") {
			return 2
		}
		if strings.EqualFold(token, "gzip") {
			return 3
		}
	case len("x-gzip"):
		if strings.EqualFold(token, "x-gzip") {
			return 3
		}
	case len("identity"):
		if strings.EqualFold(token, "identity") {
			return 0
		}
	}
	return -1
}

// qvalue reads the weight in the parameters behind a member of a list, in
// thousandths; none means 1 (RFC 9110 section 12.4.2). Other parameters are
// passed over.
func qvalue(parameters string) (int, bool) {
	weight := 1000
	for parameters != "" {
		var parameter string
		parameter, parameters, _ = strings.Cut(parameters, ";")
		key, value, ok := strings.Cut(trimSpace(parameter), "=")
		if !strings.EqualFold(trimSpace(key), "q") {
			continue
		}
		if !ok {
			return 0, false
		}
		if weight, ok = thousandths(trimSpace(value)); !ok {
			return 0, false
		}
	}
	return weight, true
}

// trimSpace takes the optional space of RFC 9110 section 5.6.3 from both ends of s.
func trimSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// thousandths reads ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ).
func thousandths(s string) (int, bool) {
	if s == "" || len(s) > len("0.000") || s[0] != '0' && s[0] != '1' {
		return 0, false
	}
	value := int(s[0]-'0') * 1000
	if len(s) == 1 {
		return value, true
	}
	if s[1] != '.' {
		return 0, false
	}
	scale := 100
	for _, c := range []byte(s[2:]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		value += int(c-'0') * scale
		scale /= 10
	}
	return value, value <= 1000
}

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
	best, bestWeight := reps[0], acceptance(field, reps[0].coding)
	for _, rep := range reps[1:] {
		weight := acceptance(field, rep.coding)
		if weight > bestWeight || weight > 0 && weight == bestWeight && rep.size < best.size {
			best, bestWeight = rep, weight
		}
	}
	return best
}

// acceptance returns the weight, in thousandths, that the lines of an
// Accept-Encoding field give to a coding; "" is identity. What is malformed
// counts as not said.
func acceptance(lines []string, coding string) int {
	named, starred := -1, -1
	for _, line := range lines {
		for member := range strings.SplitSeq(line, ",") {
			token, parameters, _ := strings.Cut(member, ";")
			token = strings.Trim(token, " \t")
			weight, ok := qvalue(parameters)
			if !ok {
				continue
			}
			switch {
			case token == "*":
				starred = max(starred, weight)
			case sameCoding(token, coding):
				named = max(named, weight)
			}
		}
	}
	switch {
	case named >= 0:
		return named
	case coding == "":
		// Acceptable unless excluded, but whoever lists codings wants one of them.
		if starred == 0 {
			return 0
		}
		return 1
	case starred >= 0:
		return starred
	}
	return 0
}

// sameCoding compares without case (section 8.4.1). x-gzip is gzip.
func sameCoding(token, coding string) bool {
	switch coding {
	case "":
		return strings.EqualFold(token, "identity")
	case "gzip":
		return strings.EqualFold(token, "gzip") || strings.EqualFold(token, "x-gzip")
	}
	return strings.EqualFold(token, coding)
}

// qvalue reads the weight in the parameters behind a member of a list, in
// thousandths; none means 1 (RFC 9110 section 12.4.2). Other parameters are
// passed over.
func qvalue(parameters string) (int, bool) {
	weight := 1000
	for parameters != "" {
		var parameter string
		parameter, parameters, _ = strings.Cut(parameters, ";")
		key, value, ok := strings.Cut(strings.Trim(parameter, " \t"), "=")
		if !strings.EqualFold(strings.Trim(key, " \t"), "q") {
			continue
		}
		if !ok {
			return 0, false
		}
		if weight, ok = thousandths(strings.Trim(value, " \t")); !ok {
			return 0, false
		}
	}
	return weight, true
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

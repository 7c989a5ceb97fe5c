package cgi

import (
	"net/http"
	"net/url"
	"strings"
)

// arguments returns what the script is given behind its name.
func (x *exchange) arguments() []string {
	switch {
	case x.h.config.QueryArgument:
		return []string{x.r.URL.RawQuery}
	case x.program.words:
		return searchWords(x.r)
	}
	return nil
}

// searchWords returns the arguments that RFC 3875, section 4.4, wants for the
// search string of an "indexed" query: one without an unencoded "=", its words
// separated by "+". There are none for any other request, and none for a query
// that does not follow that section's grammar.
//
// The section leaves it to the server to decide against them. We do where a word
// begins with "-", since the script, or the interpreter that it is, would take
// it for an option: the way in of CVE-2012-1823.
func searchWords(r *http.Request) []string {
	query := r.URL.RawQuery
	if query == "" || strings.Contains(query, "=") || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil
	}
	words := strings.Split(query, "+")
	for i, word := range words {
		decoded, err := url.PathUnescape(word)
		if err != nil || decoded == "" || decoded[0] == '-' || strings.IndexByte(decoded, 0) >= 0 {
			return nil
		}
		words[i] = decoded
	}
	return words
}

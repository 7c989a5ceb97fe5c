package owncookies_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/owncookies"
)

func TestStrip(t *testing.T) {
	for _, tt := range []struct{ sent, seen []string }{
		{nil, nil},
		{[]string{"a=1; b=2"}, []string{"a=1; b=2"}},
		{[]string{"gatehouse-manager-8001=secret"}, nil},
		{[]string{"a=1; gatehouse-manager-8001=secret; b=2"}, []string{"a=1; b=2"}},
		{[]string{"a=1", "gatehouse-version=x", "__Host-gatehouse-manager=secret;b=2"}, []string{"a=1", "b=2"}},
		{[]string{"a=gatehouse-manager-8001; my-gatehouse-x=1"}, []string{"a=gatehouse-manager-8001; my-gatehouse-x=1"}},
		{[]string{";; gatehouse-x ;\tgatehouse-y=1"}, nil},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if tt.sent != nil {
			r.Header["Cookie"] = slices.Clone(tt.sent)
		}
		if got := owncookies.Strip(r).Header["Cookie"]; !slices.Equal(got, tt.seen) {
			t.Errorf("of %q there is %q, want %q", tt.sent, got, tt.seen)
		}
		if !slices.Equal(r.Header["Cookie"], tt.sent) {
			t.Errorf("the request itself has changed to %q", r.Header["Cookie"])
		}
	}
}

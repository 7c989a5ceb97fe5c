package requestid_test

import (
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

func TestOfMakesOneAndKeepsIt(t *testing.T) {
	w := httptest.NewRecorder()
	id := requestid.Of(w)
	if !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(id) {
		t.Errorf("identifier = %q, want 16 hexadecimal digits", id)
	}
	if again := requestid.Of(w); again != id {
		t.Errorf("second call = %q, want the first one's %q", again, id)
	}
	if got := w.Result().Header.Get(requestid.Field); got != id {
		t.Errorf("response field = %q, want %q", got, id)
	}
}

func TestOfKeepsWhatAnOuterMiddlewareSet(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("X-Request-Id", "from-the-balancer")
	if id := requestid.Of(w); id != "from-the-balancer" {
		t.Errorf("identifier = %q, want the one already set", id)
	}
}

func TestNewDiffers(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		seen[requestid.New()] = true
	}
	if len(seen) != 1000 {
		t.Errorf("1000 calls gave %d identifiers", len(seen))
	}
}

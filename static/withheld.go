package static

import (
	"errors"
	"net/http"
	"os"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
)

// errWithheld is what looking up a file comes to that lies in a withheld folder.
var errWithheld = errors.New("static: the folder is withheld")

// withheld says why name, a clean slash path below top, is not served: nil if it
// does not lie in a withheld folder. Where there is no such folder, that is all
// there is to say. Letters are compared in any case, because so do some file
// systems.
func (h *Handler) withheld(top *os.Root, name string) error {
	first, _, _ := strings.Cut(name, "/")
	if !h.withholds(first) {
		return nil
	}
	if _, err := top.Lstat(first); err != nil {
		return err
	}
	return errWithheld
}

// withholds reports whether an entry of that name right below a root is
// withheld.
func (h *Handler) withholds(base string) bool {
	for _, folder := range h.apart {
		if strings.EqualFold(folder, base) {
			return true
		}
	}
	return false
}

// withhold answers a request for a withheld file.
func withhold(w http.ResponseWriter, r *http.Request) {
	errorpage.Write(w, r, http.StatusForbidden, "")
}

package daemon

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
)

// respondKind is a route with a fixed answer.
func respondKind() routeKind {
	return routeKind{open: openRespond, describe: describeRespond}
}

func openRespond(_ context.Context, _ *treeBuilder, at *routePlace) (http.Handler, error) {
	status, text := respondStatus(at), at.route.Respond
	contentType := cmp.Or(at.route.ContentType, "text/plain; charset=utf-8")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text == "" && status >= http.StatusBadRequest {
			errorpage.Write(w, r, status, "")
			return
		}
		if text != "" {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		}
		w.WriteHeader(status)
		if text != "" && r.Method != http.MethodHead {
			_, _ = io.WriteString(w, text) // a client that left is no error of ours
		}
	}), nil
}

func respondStatus(at *routePlace) int { return cmp.Or(at.route.Status, http.StatusOK) }

func describeRespond(at *routePlace) string {
	if at.route.Respond == "" {
		return fmt.Sprintf("a fixed answer (%d)", respondStatus(at))
	}
	return fmt.Sprintf("a fixed text (%d)", respondStatus(at))
}

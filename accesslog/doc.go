// Package accesslog writes one line for each answered request, in the combined
// format of Apache and nginx or as JSON, without making requests wait for the
// disk.
//
// What a client sends reaches the log escaped: control bytes, quotes,
// backslashes and everything outside ASCII, so that no request can forge a line
// or move a terminal's cursor.
//
// The package is not for the server's own reports (start, errors, what
// applications print): those go through log/slog.
package accesslog

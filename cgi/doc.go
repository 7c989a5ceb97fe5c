// Package cgi runs the scripts of a folder as RFC 3875 (CGI/1.1) describes, one
// process for each request, and serves them as an http.Handler, in any
// net/http-compatible server.
//
//	scripts, err := cgi.Open(cgi.Config{Dir: "site/cgi-bin", Prefix: "/cgi-bin/"})
//	...
//	defer scripts.Close()
//	mux.Handle("/cgi-bin/", scripts)
//
// A file of the folder is run or refused; its text is never served. Which file a
// request means is decided on the files that are there, component by component
// and without following links, never on the spelling of the URL.
//
// The life of a request: find (the script), program (what runs it), takeBody
// (its standard input), admission (its turn), runner (its process), respond (its
// answer). The process belongs to the request: when the client leaves, time is
// up or the script ends, its whole process group ends.
//
// Scripts in Python find the modules cgi and cgitb, which Python has dropped:
// package compat.
//
// The package serves no static files (static does), and it is not for programs
// that answer more than one request (pyapp does that for Python).
package cgi

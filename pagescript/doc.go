// Package pagescript serves a folder of Python pages: a file there is a page, its
// path the address, and what is saved is served, as people know it from PHP.
//
//	pages, err := pagescript.Open(pagescript.Config{
//		Scripts: cgi.Config{Dir: "site"},
//		Files:   files, // answers for whatever is no page
//	})
//	...
//	defer pages.Close()
//	mux.Handle("/", pages)
//
// A .py file whose source binds the name application is a WSGI application and
// runs in worker processes of its own (package pyapp), from the first request for
// it on until it has not been asked for a while. Any other one is run for each
// request and prints its page (package cgi), with a head or without.
//
// Package cgi finds the files and refuses what must not run; whether a file is an
// application is decided on the file that it has opened. The source of a page is
// never shown, whatever becomes of its run.
//
// The package serves no other files (static does), and it is not for projects,
// whose modules are one application (pyapp alone).
package pagescript

// Package pyapp runs a Python WSGI application in worker processes and serves
// it as an http.Handler, in any net/http-compatible server.
//
//	app, err := pyapp.Open(pyapp.Config{Dir: "blog", App: "blog.wsgi:application", Mount: "/blog"})
//	...
//	defer app.Close()
//	mux.Handle("/blog/", app)
//
// Go does everything that has to do with HTTP: it takes in request bodies from
// slow clients, queues, times, and hands responses out at the client's speed.
// Python only calls the application. The two sides talk as PROTOCOL.md says;
// what a worker sends is checked like input from a stranger.
//
// The package does not find out what a folder holds (internal/detect does) and
// serves no files (static does); Pool.Info tells which folders the application
// wants served.
package pyapp

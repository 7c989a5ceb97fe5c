// Package webapps serves a folder of applications: each entry, a folder or an
// archive, is an application of its own at the path that its name says. What
// appears in the folder is deployed, what changes is deployed again beside the
// old, and what goes away is retired; an application that is broken answers 503
// and harms nobody else.
//
// An entry is recognised as a WSGI project, a folder with scripts, or a static
// site. What is none of these is failed, and its files are never served.
//
// A Deployer is a plain http.Handler. The package knows no configuration file: a
// function that whoever opens the Deployer hands in says how each application
// runs. It opens files and starts processes with its caller's rights or those
// that the function gives; package pyapp says what keeps processes apart.
package webapps

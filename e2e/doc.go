// Package e2e holds tests that start the real binary and look at it with a real
// browser. They need Chromium and the examples' virtual environments, which
// "make test" provides; without them they fail and say so.
//
// Everything that can be told from bytes is tested elsewhere. Here is only what
// takes a browser: that pages are styled, that scripts run, that forms and
// uploads get through, that nothing is wider than a phone.
package e2e

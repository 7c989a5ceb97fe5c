// Package e2e holds tests of real applications: the real binary looked at with a
// real browser, and Django and Flask behind the engine in this process, where the
// race detector sees it. They need Chromium and the examples' virtual
// environments, which "make test" provides; without them they fail and say so.
//
// The demo is tested here as "make demo" runs it.
//
// Everything that can be told of a small application is tested elsewhere, of an
// example in its folder. Here is what takes a browser: that pages are styled, that
// scripts run, that forms are sent and pictures seen, that nothing is wider than a
// phone; and what takes a framework: its sessions, uploads, streams, and reloads
// of a whole project.
package e2e

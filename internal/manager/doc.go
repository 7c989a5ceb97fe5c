// Package manager is the page by which an operator looks after a folder of
// applications: what runs, what it does, why something fails, and what to do
// about it. It works without JavaScript and is live with it.
//
// A Manager is a plain http.Handler for a listener of its own, which only this
// machine can reach. Whoever gets in may run code, by deploying some, so it
// believes nobody: it answers to its own names alone, takes changes from its own
// pages alone, and lets in who knows the password or holds a one-time link.
//
// It is not for programs: they have the package webapps, and a command line.
package manager

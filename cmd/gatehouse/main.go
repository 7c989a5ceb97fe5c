// Command gatehouse serves folders and runs Python web applications.
//
//	gatehouse [flags] [DIR] [PORT]          serve a folder
//	gatehouse run [flags] [TARGET] [PORT]   run an application
//
// See gatehouse help, and docs/reference/cli.md.
package main

import (
	"context"
	"os"
)

//go:generate go run . reference --dir ../../docs/reference

func main() {
	os.Exit(profiled(os.Stderr, func() int {
		return execute(context.Background(), os.Args[1:], os.Stdout, os.Stderr)
	}))
}

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/control"
)

// remote is what commands share that talk to a running server.
type remote struct {
	socket string // path of its socket; "" to look for it
	json   bool   // print what the server has said, for programs
}

// newRemote is a command for a running server. usage is that of cobra, do gets the
// server.
func newRemote(usage, short, long, example string, args cobra.PositionalArgs, do func(*cobra.Command, *remote, *control.Client, []string) error) (*cobra.Command, *remote) {
	r := &remote{}
	cmd := &cobra.Command{
		Use: usage, Short: short, Long: long, Example: example, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := r.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			return do(cmd, r, c, args)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&r.json, "json", false, "print JSON")
	cmd.Flags().Var((*socketValue)(&r.socket), "control", "the server's socket, if it is not the only one, nor that of this folder")
	bindHelp(cmd)
	return cmd, r
}

// socketValue is the path of a socket as a flag has it.
type socketValue string

// String implements pflag.Value.
func (v *socketValue) String() string { return string(*v) }

// Set implements pflag.Value.
func (v *socketValue) Set(text string) error { *v = socketValue(text); return nil }

// Type implements pflag.Value.
func (v *socketValue) Type() string { return "PATH" }

// connect finds the server.
func (r *remote) connect(ctx context.Context) (*control.Client, error) {
	if r.socket != "" {
		return control.Dial(r.socket), nil
	}
	cwd, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("this folder: %w", err)
	}
	found, err := control.Find(ctx, control.Places(), cwd)
	if err != nil {
		return nil, err
	}
	return found.Client, nil
}

// aboutApp names an application in a request.
func aboutApp(args []string) url.Values {
	if len(args) == 0 {
		return nil
	}
	return url.Values{"app": {args[0]}}
}

// show asks for what path names, and prints it with write, or as JSON.
func show[T any](cmd *cobra.Command, r *remote, c *control.Client, path string, query url.Values, write func(io.Writer, *T) error) error {
	v := new(T)
	if err := c.Get(cmd.Context(), path, query, v); err != nil {
		return err
	}
	if r.json {
		return printJSON(cmd.OutOrStdout(), v)
	}
	return write(cmd.OutOrStdout(), v)
}

// printJSON prints for programs, and so that people can read it.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false) // it is for no page
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// oneApp takes the name of an application.
func oneApp(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return &usageError{err: errors.New("which application? Its path, such as /shop, names it")}
	case 1:
		return nil
	}
	return &usageError{err: fmt.Errorf("%q is one argument too many", args[1])}
}

// oneAppOrAll takes the name of an application, or none.
func oneAppOrAll(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return oneApp(cmd, args)
}

// completionTime is how long a shell that completes a name waits for the server.
const completionTime = time.Second

// completeApps offers the names of the server's applications.
func completeApps(r *remote) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return appNames(cmd, r, toComplete), cobra.ShellCompDirectiveNoFileComp
	}
}

// entryName is how an application's entry is called, which names it as well: a#b for
// /a/b, ROOT for /.
func entryName(a *control.App) string {
	name := cmp.Or(strings.ReplaceAll(strings.Trim(a.Path, "/"), "/", "#"), "ROOT")
	if a.Version != "" {
		name += "##" + a.Version
	}
	return name
}

// appNames are the names of applications that begin so, each with what it is.
func appNames(cmd *cobra.Command, r *remote, begin string) (names []cobra.Completion) {
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	c, err := r.connect(ctx)
	if err != nil {
		return nil // there is nothing to offer
	}
	defer c.Close()
	var apps []control.App
	if err := c.Get(ctx, "apps", nil, &apps); err != nil {
		return nil
	}
	for _, a := range apps {
		name := a.Name
		if begin != "" && !strings.HasPrefix(begin, "/") {
			name = entryName(&a)
		}
		if strings.HasPrefix(name, begin) {
			names = append(names, cobra.CompletionWithDesc(name, strings.TrimPrefix(a.About+", "+a.State, ", ")))
		}
	}
	return names
}

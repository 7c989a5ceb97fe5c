package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
	"github.com/seed-07905ac1/gatehouse/internal/spelling"
	"github.com/seed-07905ac1/gatehouse/internal/terminal"
)

// execute runs one command line and returns the exit status.
func execute(ctx context.Context, args []string, out, errOut io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	cmd, err := root.ExecuteContextC(ctx)
	return report(errOut, cmd, err)
}

// newRoot is the command that serves a folder, with all others below it.
func newRoot() *cobra.Command {
	line := newCommandLine()
	var explain bool
	root := &cobra.Command{
		Use:   "gatehouse [flags] [DIR] [PORT]",
		Short: "Serve a folder, or run a Python web application",
		Long: `Gatehouse serves a folder of files, or runs a Python web application.

Without a command it serves DIR, the current folder if absent, and executes
nothing of what lies there, unless --cgi has it run the scripts in DIR/cgi-bin
and DIR/htbin, or --pages the Python files, each as a page. A number is the port; a folder whose name is a number, or that of
a command, is written ./NAME.`,
		Example: `  gatehouse                          serve this folder on http://127.0.0.1:8000/
  gatehouse ~/downloads 9000         serve another one on port 9000
  gatehouse --listen :8000 .         for everybody on the network
  gatehouse --cgi ~/public_html      with the scripts in its cgi-bin
  gatehouse --pages ~/site           its Python files are pages
  gatehouse run                      run the Django, Flask or WSGI project here
  gatehouse run shop.wsgi:app        run an application by its name`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeFolder,
		SilenceErrors:     true,
		SilenceUsage:      true,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := positionals(cmd, args, line)
			if err != nil {
				return err
			}
			if err := misspelt(cmd, dir); err != nil {
				return err
			}
			if err := idle(line); err != nil {
				return err
			}
			line.config.Static.Dir = dir
			if explain {
				return daemon.ExplainFolder(cmd.Context(), &line.config, cmd.OutOrStdout())
			}
			return daemon.Serve(cmd.Context(), &line.config, streams(cmd))
		},
	}
	bindFlags(root, config.Serve, line)
	root.Flags().BoolVar(&explain, "explain", false, "say what would be served, and which Python files are pages; serve nothing")
	root.Version = ownVersion()
	root.SetVersionTemplate(versionLine() + "\n")
	root.Flags().Bool("version", false, "print the version")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err: flagError(err)} })
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(newHelp())
	root.AddCommand(newRun(), newCheck(), newExplain(), newVersion(), newCompletion(), newReference())
	root.AddCommand(newStatus(), newApps(), newDeploy())
	root.AddCommand(newOperations()...)
	root.AddCommand(newWorkers(), newStacks(), newLogs(), newTop(), newManager())
	root.AddCommand(reserved()...)
	root.SetUsageTemplate(usageTemplate)
	return root
}

// streams are the command's, as the daemon wants them.
func streams(cmd *cobra.Command) daemon.Streams {
	return daemon.Streams{Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr()}
}

// misspelt reports a bare word that is no folder but looks like a command.
func misspelt(cmd *cobra.Command, word string) error {
	if word == "" || strings.ContainsAny(word, "/.") {
		return nil
	}
	if _, err := os.Stat(word); err == nil {
		return nil
	}
	if near := spelling.Nearest(word, commandNames(cmd.Root())); near != "" {
		return &usageError{err: fmt.Errorf("unknown command %q; did you mean %q?", word, near)}
	}
	return nil
}

// idle reports a flag that says how scripts or pages run where none do: whoever
// gave it believes that they did.
func idle(line *commandLine) error {
	cgi, pages := line.config.CGI.On, line.config.Pages.On
	for _, s := range config.Settings() {
		given := func(a config.Assignment) bool { return a.Name == s.Name }
		if !slices.ContainsFunc(line.given, given) {
			continue
		}
		switch {
		case s.Group == config.Scripts && s.Name != "cgi" && !cgi && !pages:
			return &usageError{err: fmt.Errorf("--%s says how scripts run, and without --cgi or --pages none do", s.Name)}
		case s.Group == config.PageScripts && s.Name != "pages" && !pages:
			return &usageError{err: fmt.Errorf("--%s is about pages, and without --pages there are none", s.Name)}
		}
	}
	if pages && line.config.Static.ProjectFiles == config.Show {
		return &usageError{err: errors.New("--project-files show and --pages exclude one another: the sources of pages are never served")}
	}
	return nil
}

// usageError is a command line that cannot be right.
type usageError struct {
	err  error
	hint string // "" for how to call the command
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// flagError puts cobra's wording of what is wrong with a flag into ours.
func flagError(err error) error {
	text := err.Error()
	// invalid argument "30" for "--idle-timeout" flag: "30" is no time; …
	if _, rest, ok := strings.Cut(text, `" for "`); ok {
		if flag, reason, ok := strings.Cut(rest, `" flag: `); ok {
			return fmt.Errorf("%s: %s", flag, reason)
		}
	}
	return errors.New(text)
}

// Exit statuses.
const (
	exitOK    = 0
	exitError = 1 // it was understood and could not be done
	exitUsage = 2 // it was not understood
	exitNone  = 3 // there is no server, or not one alone, that it could be about
)

// remoteHint is what to do about an error of a running server's.
func remoteHint(e *control.Error) string {
	var hint strings.Builder
	hint.WriteString(e.Hint)
	for _, f := range e.Files {
		hint.WriteString("\n  " + f)
	}
	if e.More > 0 {
		fmt.Fprintf(&hint, "\n  and %d more", e.More)
	}
	if e.Code == control.WouldLose {
		hint.WriteString("\n--discard throws them away")
	}
	if e.Traceback != "" {
		hint.WriteString("\nthe whole traceback is in the log: gatehouse logs")
	}
	return terminal.Printable(strings.TrimPrefix(hint.String(), "\n"))
}

// report says what went wrong, one line and perhaps a hint, and returns the exit
// status.
func report(w io.Writer, cmd *cobra.Command, err error) int {
	if err == nil {
		return exitOK
	}
	status := exitError
	var hint string
	var usage *usageError
	var failed *daemon.Error
	var remote *control.Error
	var several *control.SeveralError
	switch {
	case errors.As(err, new(*toldError)):
		return status
	case errors.As(err, &remote):
		hint = remoteHint(remote)
		if remote.Code == control.Usage {
			status = exitUsage
		}
	case errors.As(err, &several):
		status, hint = exitNone, several.List()
	case errors.Is(err, control.ErrNoServer):
		status, hint = exitNone, "gatehouse run starts one; --control PATH names the socket of one elsewhere"
	case errors.As(err, new(*control.NoServerError)):
		status = exitNone
	case errors.As(err, &usage):
		status = exitUsage
		hint = usage.hint
		if hint == "" {
			hint = fmt.Sprintf("usage: %s\n'%s --help' tells more", cmd.UseLine(), cmd.CommandPath())
		}
	case errors.As(err, &failed):
		hint = failed.Hint
		if failed.Usage {
			status = exitUsage
		}
		if failed.Detail != "" {
			fmt.Fprintln(w, strings.TrimRight(failed.Detail, "\n"))
			fmt.Fprintln(w)
		}
	}
	for line := range strings.Lines(err.Error()) { // a configuration file may have several problems
		fmt.Fprintf(w, "gatehouse: %s\n", terminal.Line(strings.TrimRight(line, "\n"))) // it may quote an archive
	}
	for line := range strings.Lines(hint) {
		fmt.Fprintf(w, "  %s\n", strings.TrimRight(line, "\n"))
	}
	return status
}

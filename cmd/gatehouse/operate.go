package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/wording"
)

// newOperations are the commands that change what a running server runs, but for
// deploy.
func newOperations() []*cobra.Command {
	undeploy := newOperation("undeploy", "undeployed", "End an application and remove its entry",
		`End an application of a running server, and remove its folder or archive from
webapps. Its data stays. Requests that it is answering may finish.`,
		`  gatehouse undeploy /shop`, oneApp)
	start := newOperation("start", "started", "Start an application that is stopped, retired or has failed",
		`Start an application that was stopped, is retired or has failed. One that runs is left
alone.`,
		`  gatehouse start /shop`, oneApp)
	stop := newOperation("stop", "stopped", "Stop an application until it is started again",
		`Stop an application of a running server. It stays where it is, also when the server is
started anew, and answers 503 until gatehouse start. Requests that it is answering
may finish.`,
		`  gatehouse stop /shop`, oneApp)
	rollback := newOperation("rollback", "reverted", "Go back to an application's deployment before",
		`Have the deployment before the present one run again, beside the present one, which
drains when it is replaced. A second rollback goes forth again.`,
		`  gatehouse rollback /shop`, oneApp)
	reload := newOperation("reload", "reloaded", "Load code and configuration of a running server anew",
		`Load the configuration and the code of all applications anew, or of one, beside what
runs: no request is lost, and what cannot be loaded goes on as it was. Without APP it
is what SIGHUP does.`,
		`  gatehouse reload
  gatehouse reload /shop`, oneAppOrAll)
	retire := newOperation("retire", "retired", "Give a version of an application no new sessions",
		`Give a version of an application no new sessions, where a newer one runs: it is
stopped when those that it has are idle, with --now at once.`,
		`  gatehouse retire /shop##1
  gatehouse retire --now "/shop##1"   one with a hole in it is not kept for anybody`, oneApp)
	now := retire.cmd.Flags().Bool("now", false, "stop it at once, whoever has a session with it")
	retire.ask = func(query url.Values) {
		if *now {
			query.Set("now", "1")
		}
	}
	var all []*cobra.Command
	for _, o := range []*operation{undeploy, start, stop, reload, rollback, retire} {
		all = append(all, o.cmd)
	}
	return all
}

// operation is a command that asks for a change.
type operation struct {
	cmd *cobra.Command
	ask func(url.Values) // for more than the application
}

// newOperation makes a command of that name; done says what has happened then.
func newOperation(name, done, short, long, example string, args cobra.PositionalArgs) *operation {
	o := &operation{ask: func(url.Values) {}}
	usage := name + " [flags] APP"
	if name == "reload" {
		usage = name + " [flags] [APP]"
	}
	cmd, r := newRemote(usage, short, long, example, args, func(cmd *cobra.Command, r *remote, c *control.Client, args []string) error {
		query := url.Values{}
		o.ask(query)
		about := "all"
		if len(args) > 0 {
			query.Set("app", args[0])
			about = args[0]
		}
		return perform(cmd, r, c, name, done, about, query, nil)
	})
	cmd.ValidArgsFunction = completeApps(r)
	o.cmd = cmd
	return o
}

// perform asks for a change, shows how it goes and says how it went. upload is what
// is deployed, nil for nothing.
func perform(cmd *cobra.Command, r *remote, c *control.Client, what, done, about string, query url.Values, upload *control.Upload) error {
	begun := time.Now()
	p := newProgress(cmd.ErrOrStderr(), r.json)
	var body io.Reader
	if upload != nil {
		body = upload
		upload.Taken = func(n int64) { p.bar("uploading", n, upload.Size) }
	}
	e, err := c.Do(cmd.Context(), what, query, body, p.step)
	p.end()
	if r.json && (err == nil || e.Error != nil) {
		if err := printJSON(cmd.OutOrStdout(), e); err != nil {
			return err
		}
		if e.Error != nil {
			return &toldError{e.Error}
		}
		return nil
	}
	if err != nil {
		return err
	}
	var l labelled
	if e.App != nil {
		about = describe(e.App)
	}
	l.line(done, "%s   in %s", about, wording.Seconds(time.Since(begun)))
	if len(e.Restart) > 0 {
		l.line("warning", "changed, but needs a restart: %s", strings.Join(e.Restart, ", "))
	}
	return l.write(cmd.OutOrStdout())
}

// describe is an application in a line.
func describe(a *control.App) string {
	text := a.Name
	if a.About != "" {
		text += "   " + a.About
	}
	text += "   " + stateOf(a)
	if n := len(a.Workers); n > 0 {
		text += "   " + wording.Count(n, "worker")
	}
	if a.Python != "" {
		text += "   Python " + a.Python
	}
	return text
}

// toldError is one that was printed as JSON already.
type toldError struct{ err *control.Error }

func (e *toldError) Error() string { return fmt.Sprintf("%v (told as JSON)", e.err) }
func (e *toldError) Unwrap() error { return e.err }

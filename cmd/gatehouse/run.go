package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

// newRun is the command that runs an application.
func newRun() *cobra.Command {
	line := newCommandLine()
	var file string
	var explain bool
	cmd := &cobra.Command{
		Use:   "run [flags] [TARGET] [PORT]",
		Short: "Run a Python web application",
		Long: `Run a Python web application, its static files included.

TARGET is a project folder, the current one if absent, or an application as
module:callable (module:factory() for a function that makes one). Django, Flask
and others are recognised, and so is the virtual environment.

A project that has a folder webapps, or --webapps, is many: each folder or archive
in it runs at the path that its name says, and what appears or changes there is
deployed at once.

What stands in gatehouse.toml in the project's folder, or in [tool.gatehouse] in
its pyproject.toml, need not be said as a flag; flags win. A file with [[sites]]
is served as it says: several host names, folders, scripts and applications.

SIGHUP loads new code and configuration without losing a request; if that fails,
the old goes on. With --reload, for development, so does every save of a source
file.`,
		Example: `  gatehouse run                      run what is in this folder
  gatehouse run --explain            say what that is, and why
  gatehouse run ~/shop 9000          run another project on port 9000
  gatehouse run --webapps /srv/apps  run each folder and archive in there
  gatehouse run shop.wsgi:app        run an application by its name
  gatehouse run "shop:create_app()"  run what a function makes
  gatehouse run --reload             load what is saved, show tracebacks here
  gatehouse run --workers 4 --python ~/venvs/shop`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			target, err := positionals(cmd, args, line)
			if err != nil {
				return err
			}
			project := daemon.Project{Target: target, ConfigFile: file, Flags: line.given, Version: ownVersion()}
			if explain {
				return daemon.Explain(project, cmd.OutOrStdout())
			}
			return daemon.Run(cmd.Context(), project, streams(cmd))
		},
	}
	bindFlags(cmd, config.Run, line)
	bindConfig(cmd, &file)
	cmd.Flags().BoolVar(&explain, "explain", false, "say what was found and why, and the configuration file that says the same; run nothing")
	return cmd
}

// bindConfig gives cmd the flag that names a configuration file.
func bindConfig(cmd *cobra.Command, file *string) {
	cmd.Flags().Var((*fileValue)(file), "config", "read this configuration file, and none in the project's folder")
}

// fileValue is the name of a file as a flag has it.
type fileValue string

// String implements pflag.Value.
func (f *fileValue) String() string { return string(*f) }

// Set implements pflag.Value.
func (f *fileValue) Set(text string) error { *f = fileValue(text); return nil }

// Type implements pflag.Value.
func (f *fileValue) Type() string { return "FILE" }

var _ pflag.Value = (*fileValue)(nil)

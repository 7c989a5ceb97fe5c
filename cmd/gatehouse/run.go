package main

import (
	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
)

// newRun is the command that runs an application.
func newRun() *cobra.Command {
	cfg := config.Default()
	var explain bool
	cmd := &cobra.Command{
		Use:   "run [flags] [TARGET] [PORT]",
		Short: "Run a Python web application",
		Long: `Run a Python web application, its static files included.

TARGET is a project folder, the current one if absent, or an application as
module:callable (module:factory() for a function that makes one). Django, Flask
and others are recognised, and so is the virtual environment.

SIGHUP loads new code without losing a request; if that fails, the old goes on.
With --reload, for development, so does every save of a source file.`,
		Example: `  gatehouse run                      run what is in this folder
  gatehouse run --explain            say what that is, and why
  gatehouse run ~/shop 9000          run another project on port 9000
  gatehouse run shop.wsgi:app        run an application by its name
  gatehouse run "shop:create_app()"  run what a function makes
  gatehouse run --reload             load what is saved, show tracebacks here
  gatehouse run --workers 4 --python ~/venvs/shop`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			target, err := positionals(cmd, args, &cfg)
			if err != nil {
				return err
			}
			cfg.App.Target = target
			if explain {
				return daemon.Explain(&cfg, cmd.OutOrStdout())
			}
			return daemon.Run(cmd.Context(), &cfg, streams(cmd))
		},
	}
	bindFlags(cmd, config.Run, &cfg)
	cmd.Flags().BoolVar(&explain, "explain", false, "say what was found, from which file and why, and run nothing")
	return cmd
}

package main

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/control"
)

// newDeploy is the command that deploys an archive or a folder.
func newDeploy() *cobra.Command {
	var as string
	var discard bool
	cmd, r := newRemote(
		"deploy [flags] PATH", "Deploy an archive or a folder to a running server",
		`Deploy an archive (.zip, .tar.gz, .tgz, .whl, .pyz), or a folder that is packed for it,
to a running server. The new one is started beside what runs at its path, and takes
over when it works; if it does not, nothing changes. The server gets the bytes and
opens no file of yours.

Of a folder, working copies of version control, __pycache__, node_modules and virtual
environments are left out.`,
		`  gatehouse deploy shop.zip          at /shop
  gatehouse deploy shop-2.zip --as /shop
  gatehouse deploy ~/sites/blog       a folder`,
		func(_ *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				return &usageError{err: errors.New("which archive or folder?")}
			case 1:
				return nil
			}
			return &usageError{err: fmt.Errorf("%q is one argument too many", args[1])}
		},
		func(cmd *cobra.Command, r *remote, c *control.Client, args []string) error {
			upload, err := control.OpenUpload(args[0], as)
			if err != nil {
				return err
			}
			defer upload.Close()
			query := url.Values{"app": {upload.Name.String()}, "ending": {upload.Ending}}
			if discard {
				query.Set("discard", "1")
			}
			return perform(cmd, r, c, "deploy", "deployed", upload.Name.String(), query, upload)
		},
	)
	cmd.Flags().Var((*nameValue)(&as), "as", "where it answers: a path, such as /shop, or a path and a version, /shop##2 (default: what its name says)")
	cmd.Flags().BoolVar(&discard, "discard", false, "throw away files that the running one has written into its own folder, and take the place of a folder")
	// The only error is a flag that does not exist or is completed twice.
	if err := cmd.RegisterFlagCompletionFunc("as", func(cmd *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return appNames(cmd, r, toComplete), cobra.ShellCompDirectiveNoFileComp
	}); err != nil {
		panic(err)
	}
	return cmd
}

// nameValue is the name of an application as a flag has it.
type nameValue string

// String implements pflag.Value.
func (v *nameValue) String() string { return string(*v) }

// Set implements pflag.Value.
func (v *nameValue) Set(text string) error { *v = nameValue(text); return nil }

// Type implements pflag.Value.
func (v *nameValue) Type() string { return "APP" }

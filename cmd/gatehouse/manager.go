package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/manager"
	"github.com/seed-07905ac1/gatehouse/internal/terminal"
)

// newManager is the command for what belongs to the manager page.
func newManager() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "manager",
		Short: "Let people into the manager page",
		Long: `The manager page looks after several applications, in a browser on this
machine. It is off unless 'gatehouse run --manager 127.0.0.1:8001', or listen in
[manager] in gatehouse.toml, asks for it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	bindHelp(cmd)
	cmd.AddCommand(newManagerLink(), newManagerPassword())
	return cmd
}

func newManagerLink() *cobra.Command {
	cmd, _ := newRemote(
		"link [flags]", "Print a link that lets into the manager page of a running server",
		`Print a link that lets whoever opens it into the manager page of a running server:
once, within ten minutes. Nothing logs it; as an argument of a program, such as one
that opens a browser, everybody on the machine could read it.`,
		`  gatehouse manager link
  gatehouse manager link --control /run/gatehouse/shop.sock`,
		cobra.NoArgs,
		func(cmd *cobra.Command, r *remote, c *control.Client, _ []string) error {
			return control.Lines(cmd.Context(), c, http.MethodPost, "manager-link", nil, nil, func(l *control.Link) error {
				if r.json {
					return printJSON(cmd.OutOrStdout(), l)
				}
				_, err := fmt.Fprintln(cmd.OutOrStdout(), l.URL)
				return err
			})
		},
	)
	return cmd
}

func newManagerPassword() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "password",
		Short: "Make the hash of a password for the manager page",
		Long: `Read a password, without showing it, and print what stands for it in
gatehouse.toml:

  [manager]
  password = "$argon2id$..."

Where standard input is no terminal, its first line is the password.`,
		Example: `  gatehouse manager password
  pass show gatehouse | gatehouse manager password`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			password, err := readPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			hash, err := manager.Hash(password)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), hash)
			return err
		},
	}
	bindHelp(cmd)
	return cmd
}

// readPassword reads a password: from a terminal twice and without an echo, from
// anything else a line.
func readPassword(in io.Reader, prompt io.Writer) (string, error) {
	f, ok := in.(*os.File)
	if !ok || !terminal.Typed(f) {
		line, err := bufio.NewReader(io.LimitReader(in, manager.MaxPassword+2)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	ask := func(question string) (string, error) {
		fmt.Fprint(prompt, question) // a terminal that is gone is seen by what follows
		text, err := terminal.Secret(f)
		fmt.Fprintln(prompt)
		return text, err
	}
	first, err := ask("Password: ")
	if err != nil {
		return "", err
	}
	second, err := ask("The same again: ")
	if err == nil && first != second {
		err = errors.New("the two passwords differ; nothing was made of them")
	}
	return first, err
}

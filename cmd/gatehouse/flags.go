package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// commandLine is what the flags say.
type commandLine struct {
	config config.Config       // the defaults, with the flags on top
	given  []config.Assignment // the flags alone, in their order
}

func newCommandLine() *commandLine { return &commandLine{config: config.Default()} }

// bindFlags gives cmd the flags that the table has for it, bound to line.
func bindFlags(cmd *cobra.Command, which config.Command, line *commandLine) {
	flags := cmd.Flags()
	flags.SortFlags = false // the table's order tells more than the alphabet
	for _, s := range config.Settings() {
		if s.Flag&which == 0 {
			continue
		}
		usage := s.What
		if s.Fixed != "" {
			usage += " (default: " + s.Fixed + ")"
		}
		f := flags.VarPF(flagValue{s.Value(&line.config), s.Name, line}, s.Name, "", usage)
		if s.Fixed != "" {
			f.DefValue = "" // pflag would print the empty value as well
		}
		if f.Value.Type() == "on|off" {
			f.NoOptDefVal = "on"
		}
		if words := strings.Split(f.Value.Type(), "|"); len(words) > 1 {
			completeWords(cmd, s.Name, words)
		}
	}
	bindHelp(cmd)
}

// bindHelp words cobra's own flag like the others.
func bindHelp(cmd *cobra.Command) {
	cmd.Flags().BoolP("help", "h", false, "show this text")
}

// flagValue is a config.Value as pflag wants it. It notes what it is given.
type flagValue struct {
	config.Value
	name string
	line *commandLine
}

// Set implements pflag.Value.
func (f flagValue) Set(text string) error {
	if err := f.Value.Set(text); err != nil {
		return err
	}
	f.line.given = append(f.line.given, config.Assignment{Name: f.name, Text: text})
	return nil
}

var _ pflag.Value = flagValue{}

// completeWords offers the words that a flag's type consists of.
func completeWords(cmd *cobra.Command, flag string, words []string) {
	var fixed []cobra.Completion
	for _, w := range words {
		if w == strings.ToLower(w) {
			fixed = append(fixed, w)
		}
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	if len(fixed) < len(words) { // PATH
		directive = cobra.ShellCompDirectiveDefault
	}
	// The only error is a flag that does not exist or is completed twice.
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(fixed, directive)); err != nil {
		panic(err)
	}
}

// completeFolder completes the first positional as a folder. Where it may become
// a command the shell must not look for folders: it would show nothing else.
func completeFolder(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && strings.HasPrefix(c.Name(), toComplete) {
			return nil, cobra.ShellCompDirectiveDefault
		}
	}
	return nil, cobra.ShellCompDirectiveFilterDirs
}

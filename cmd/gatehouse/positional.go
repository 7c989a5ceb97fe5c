package main

import (
	"fmt"
	"net"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// positionals reads [TARGET] [PORT]: a number is the port and comes last. The
// port goes into line, the target is returned.
func positionals(cmd *cobra.Command, args []string, line *commandLine) (target string, err error) {
	if len(args) > 0 && isNumber(args[len(args)-1]) {
		port := args[len(args)-1]
		args = args[:len(args)-1]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", &usageError{err: fmt.Errorf("%s is no port; ports are 0 to 65535", port)}
		} else if cmd.Flags().Changed("listen") {
			return "", &usageError{err: fmt.Errorf("port %d and --listen both say where to listen", n)}
		}
		addr := net.JoinHostPort("127.0.0.1", port)
		line.config.Listen = []string{addr}
		line.given = append(line.given, config.Assignment{Name: "listen", Text: addr})
	}
	switch len(args) {
	case 0:
		return "", nil
	case 1:
		return args[0], nil
	}
	if isNumber(args[0]) {
		return "", &usageError{err: fmt.Errorf("the port comes last; for a folder called %s write ./%s", args[0], args[0])}
	}
	return "", &usageError{err: fmt.Errorf("%q is one argument too many", args[1])}
}

// isNumber reports whether s consists of digits.
func isNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

package main

import (
	"fmt"
	"io"
	"os"
	"runtime/pprof"
)

// profileVariable names the environment variable that asks for a CPU profile. It
// is a variable, not a flag: it is for those who build Gatehouse, and the build
// reads such a profile (default.pgo, made by scripts/pgo).
const profileVariable = "GATEHOUSE_CPUPROFILE"

// profiled calls run and writes a CPU profile of it to the file that the
// environment names, if it does.
func profiled(errOut io.Writer, run func() int) int {
	path := os.Getenv(profileVariable)
	if path == "" {
		return run()
	}
	f, err := os.Create(path)
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		fmt.Fprintf(errOut, "gatehouse: %s: %v\n", profileVariable, err)
		return exitError
	}
	status := run()
	pprof.StopCPUProfile()
	if err := f.Close(); err != nil {
		fmt.Fprintf(errOut, "gatehouse: %s: %v\n", profileVariable, err)
		return exitError
	}
	return status
}

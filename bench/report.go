//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"text/tabwriter"
)

// printHeader says on what, with what and how was measured. A tool that is
// missing is an error here, before anything has run.
func printHeader(s settings) error {
	fmt.Fprintf(s.out, "machine: %d cores, %s, %s\n", runtime.NumCPU(), cpuModel(), kernel())
	for _, tool := range [][]string{
		{s.gatehouse, "version"}, {"nginx", "-v"}, {"apache2", "-v"}, {"lighttpd", "-v"}, {"cc", "--version"}, {"wrk", "-v"}, {"taskset", "--version"}, {s.tool("python"), "--version"},
	} {
		out, err := exec.Command(tool[0], tool[1:]...).CombinedOutput()
		var status *exec.ExitError // wrk ends with 1 when it has told its version
		if err != nil && !errors.As(err, &status) {
			return fmt.Errorf("%s is not installed: %w", tool[0], err)
		}
		first, _, _ := strings.Cut(string(out), "\n")
		fmt.Fprintf(s.out, "  %s\n", strings.TrimSpace(first))
	}
	versions, err := exec.Command(s.tool("python"), "-c", tellVersions).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s lacks something that bench/requirements.txt lists: %w\n%s", s.venv, err, versions)
	}
	fmt.Fprintf(s.out, "  %s\n", strings.TrimSpace(string(versions)))
	fmt.Fprintf(s.out, "servers on core 0, load generator on core 1; %d rounds of %d s in turn, median of the rounds' ratios\n", s.rounds, s.seconds)
	return nil
}

// tellVersions is a Python program that names the peers and frameworks.
const tellVersions = `from importlib.metadata import version
print(", ".join(f"{name} {version(name)}" for name in (
    "uWSGI", "gunicorn", "gunicorn_h1c", "granian", "waitress", "mod_wsgi", "Flask", "Django")))`

func cpuModel() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	return "Linux " + strings.TrimSpace(string(b))
}

// printTable ends the run: a line for each work.
func printTable(out io.Writer, rows []row) {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "work\tGatehouse\tpeer\tresult\tmust reach\t")
	for _, r := range rows {
		verdict := "reached"
		if !r.reached {
			verdict = "MISSED"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.title, r.ours, r.peer, r.result, r.target, verdict)
	}
	_ = w.Flush() // the writer below is standard output; nobody is left to tell
}

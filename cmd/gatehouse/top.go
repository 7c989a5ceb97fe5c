package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-07905ac1/gatehouse/internal/control"
	"github.com/seed-07905ac1/gatehouse/internal/terminal"
)

// topInterval is the time between two looks: rates are means of some seconds.
const topInterval = time.Second

// newTop is the command that shows live numbers.
func newTop() *cobra.Command {
	cmd, _ := newRemote(
		"top [flags]", "Watch applications, requests and workers of a running server live",
		`Watch a running server: its applications with their workers, requests that are being
answered and that wait, requests a second, percentiles of their latency in the last
minute, errors (5xx and broken) and memory; below, the requests that have been
answered the longest. q ends it, s sorts by load or by name. Where the output is no
terminal, it is printed once.`,
		`  gatehouse top
  gatehouse top | head               once`,
		noArguments,
		func(cmd *cobra.Command, r *remote, c *control.Client, _ []string) error {
			out := cmd.OutOrStdout()
			if r.json || !terminal.Is(out) || !terminal.Is(os.Stdin) {
				v, err := look(cmd.Context(), c)
				if err != nil {
					return err
				}
				if r.json {
					return printJSON(out, v)
				}
				if _, err := io.WriteString(out, frame(v, &view{})); err != nil {
					return fmt.Errorf("print: %w", err)
				}
				return nil
			}
			return watch(cmd.Context(), c, out)
		},
	)
	return cmd
}

// numbers are what one frame shows.
type numbers struct {
	Server control.Server `json:"server"`
	Apps   []control.App  `json:"apps"`
	at     time.Time
}

// look asks the server for them.
func look(ctx context.Context, c *control.Client) (*numbers, error) {
	n := &numbers{at: time.Now()}
	err := c.Get(ctx, "status", nil, &n.Server)
	if err == nil {
		err = c.Get(ctx, "apps", nil, &n.Apps)
	}
	if errors.As(err, new(*control.NoServerError)) {
		err = control.ErrEnded // it answered when this began, or the first time tells better
	}
	return n, err
}

// What a terminal is told. The alternate screen keeps what was there before.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	toTop       = "\x1b[H"
	eraseLine   = "\x1b[K"
	eraseBelow  = "\x1b[J"
)

// watch shows frames until a key or a signal ends it.
func watch(ctx context.Context, c *control.Client, out io.Writer) error {
	n, err := look(ctx, c) // before the screen is taken: an error is told where the command was typed
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	defer stop()
	restore, err := terminal.Raw(os.Stdin)
	if err != nil {
		return err
	}
	defer restore()
	_, _ = io.WriteString(out, enterScreen) // as every frame: who does not see it has left
	defer func() { _, _ = io.WriteString(out, leaveScreen) }()
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	defer signal.Stop(resized)
	// A terminal cannot be made to stop reading; the process ends soon after.
	keys := make(chan byte)
	go readKeys(ctx, keys)
	ticks := time.NewTicker(topInterval)
	defer ticks.Stop()
	v := &view{fancy: terminal.Fancy(out)}
	for {
		v.columns, v.rows = terminal.Size(out)
		draw(out, frame(n, v))
		select {
		case key := <-keys:
			switch key {
			case 'q', 'Q', 0x03: // Ctrl-C
				return nil
			case 's', 'S':
				v.byName = !v.byName
			}
		case <-resized:
		case <-ticks.C:
			if n, err = look(ctx, c); err != nil && ctx.Err() == nil {
				return err
			}
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// readKeys passes on what is typed; the end of it is a q.
func readKeys(ctx context.Context, keys chan<- byte) {
	b := make([]byte, 1)
	for {
		if n, err := os.Stdin.Read(b); n == 0 || err != nil {
			b[0] = 'q'
		}
		select {
		case keys <- b[0]:
		case <-ctx.Done():
			return
		}
	}
}

// draw replaces what is shown, without an empty moment in between.
func draw(out io.Writer, frame string) {
	var b bytes.Buffer
	b.WriteString(toTop)
	for line := range bytes.Lines([]byte(frame)) {
		b.Write(bytes.TrimRight(line, "\n"))
		b.WriteString(eraseLine + "\r\n")
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\r\n")) // the last row must not scroll
	_, _ = out.Write(append(text, eraseBelow...))
}

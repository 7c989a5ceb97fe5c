package daemon

import (
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/terminal"
	"github.com/seed-07905ac1/gatehouse/internal/wording"
)

// Short names for what nearly every line that people read is made with.

func count(n int, thing string) string { return wording.Count(n, thing) }
func seconds(d time.Duration) string   { return wording.Seconds(d) }
func amount(n int64) string            { return wording.Amount(n) }
func printable(s string) string        { return terminal.Printable(s) }

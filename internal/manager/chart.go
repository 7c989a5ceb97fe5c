package manager

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/wording"
)

// chart is a small picture of one series of numbers, as SVG within the page. Its
// colours are the style sheet's.
type chart struct {
	Title  string
	Top    string        // what its upper edge stands for
	Lines  template.HTML // the SVG
	Latest string        // the last number, in words
}

// Size of a chart's own coordinates; the page stretches them.
const (
	chartWidth  = 300
	chartHeight = 60
)

// newChart draws values, the oldest first. say writes a value in words. The scale
// ends at a round number of at least least.
func newChart(title string, values []float64, least float64, say func(float64) string) chart {
	top := scale(values, least)
	latest := ""
	if len(values) > 0 {
		latest = say(values[len(values)-1])
	}
	text := fmt.Sprintf("%s in the last five minutes, from 0 to %s; now %s", title, say(top), latest)
	var b strings.Builder
	// preserveAspectRatio: the picture is as wide as the page has room.
	fmt.Fprintf(&b, `<svg class="chart" viewBox="0 0 %d %d" preserveAspectRatio="none" role="img" aria-label="%s">`,
		chartWidth, chartHeight, template.HTMLEscapeString(text))
	line := polyline(values, top)
	fmt.Fprintf(&b, `<path class="area" d="%s L%d %d L0 %d Z"/><path class="line" d="%s"/></svg>`, line, chartWidth, chartHeight, chartHeight, line)
	return chart{Title: title, Top: say(top), Latest: latest, Lines: template.HTML(b.String())}
}

// spark is a chart without words, for a row of a table: the numbers stand beside
// it.
func spark(values []float64) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="spark" viewBox="0 0 %d %d" preserveAspectRatio="none" aria-hidden="true"><path class="line" d="%s"/></svg>`,
		chartWidth, chartHeight, polyline(values, scale(values, 0.5))))
}

// polyline is the path through values, 0 at the lower edge and top at the upper.
func polyline(values []float64, top float64) string {
	if len(values) < 2 {
		return fmt.Sprintf("M0 %d", chartHeight)
	}
	var b strings.Builder
	for i, v := range values {
		x := float64(i) / float64(len(values)-1) * chartWidth
		y := (1 - min(v/top, 1)) * (chartHeight - 2) // room for the line's own width
		letter := byte('L')
		if i == 0 {
			letter = 'M'
		}
		b.WriteByte(letter)
		b.WriteString(strconv.FormatFloat(x, 'f', 0, 64))
		b.WriteByte(' ')
		b.WriteString(strconv.FormatFloat(y+1, 'f', 1, 64))
	}
	return b.String()
}

// scale is a round number that no value exceeds: 1, 2 or 5 times a power of ten.
func scale(values []float64, least float64) float64 {
	top := least
	for _, v := range values {
		top = max(top, v)
	}
	power := math.Pow(10, math.Floor(math.Log10(top)))
	for _, step := range []float64{1, 2, 5} {
		if top <= step*power*(1+1e-9) {
			return step * power
		}
	}
	return 10 * power
}

// sayRate writes requests in a second.
func sayRate(v float64) string {
	switch {
	case v == 0:
		return "0/s"
	case v < 10:
		return strconv.FormatFloat(v, 'f', 1, 64) + "/s"
	}
	return strconv.FormatFloat(v, 'f', 0, 64) + "/s"
}

// saySeconds writes a time that is given in seconds.
func saySeconds(v float64) string { return sayTime(time.Duration(v * float64(time.Second))) }

// sayTime writes a time in two or three digits.
func sayTime(d time.Duration) string {
	switch {
	case d <= 0:
		return "–"
	case d < 100*time.Microsecond:
		return "< 0.1 ms"
	case d < time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d/time.Millisecond)
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return wording.Roughly(d)
}

// saySize writes bytes.
func saySize(n int64) string {
	switch {
	case n <= 0:
		return "–"
	case n < 1<<20:
		return fmt.Sprintf("%d KB", (n+1023)>>10)
	case n < 10<<30:
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
}

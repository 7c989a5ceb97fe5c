package manager

import (
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/internal/wording"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// row is an application as it is shown.
type row struct {
	webapps.Status
	Lately traffic
	Memory int64 // of all its workers
	now    time.Time
}

// row looks an application's numbers up.
func (m *Manager) row(s webapps.Status, now time.Time) row {
	r := row{Status: s, Lately: m.history.of(s.Name), now: now}
	for _, w := range r.WorkerProcesses() {
		r.Memory += w.Memory
	}
	return r
}

// ID is the part of element identifiers that belongs to the application.
func (r row) ID() string { return r.Name.Base() }

// URL is the address of its page; more follows a slash.
func (r row) URL() string { return appURL(r.Name) }

func appURL(name webapps.ContextName) string { return "/apps/" + url.PathEscape(name.Base()) }

// Kind is what it is, in words.
func (r row) Kind() string {
	switch {
	case r.About != "" && r.Python != "":
		return r.About + ", Python " + r.Python
	case r.About != "":
		return r.About
	}
	return string(r.Type)
}

// Words are its kind, and its entry where that is not its name.
func (r row) Words() string {
	var all []string
	if kind := r.Kind(); kind != "" {
		all = append(all, kind)
	}
	if r.Entry != "" && r.Entry != r.ID() {
		all = append(all, r.Entry)
	}
	return strings.Join(all, " · ")
}

// WorkerProcesses are its workers.
func (r row) WorkerProcesses() []pyapp.WorkerStatus {
	if r.Workers == nil {
		return nil
	}
	return r.Workers.Workers
}

// Running are the requests that its workers run.
func (r row) Running() (all []runningRequest) {
	for _, w := range r.WorkerProcesses() {
		for _, q := range w.Requests {
			all = append(all, runningRequest{q, w.Number})
		}
	}
	return all
}

// runningRequest is a request and the worker that runs it.
type runningRequest struct {
	pyapp.RequestStatus
	Worker int
}

// failing are the names of processes beside it that fail.
func (r row) failing() (names []string) {
	for i := range r.Processes {
		if p := &r.Processes[i]; p.Failing(r.now) {
			names = append(names, p.Name)
		}
	}
	return names
}

// Mood is the class of its state: what deserves a look stands out.
func (r row) Mood() string {
	switch {
	case r.State == webapps.Failed:
		return "bad"
	case r.Failure != nil || r.Workers != nil && r.Workers.CrashLoop || len(r.failing()) > 0:
		return "warn"
	case r.Deploying || r.State == webapps.Deploying || r.State == webapps.Draining:
		return "busy"
	case r.State == webapps.Running:
		return "good"
	}
	return "off"
}

// Word is its state.
func (r row) Word() string {
	switch {
	case r.Asleep:
		return "asleep"
	case r.State == webapps.Deploying && r.Step != "":
		return string(r.Step)
	}
	return r.State.String()
}

// Besides is what is to be known beside its state, each behind a comma.
func (r row) Besides() string {
	var b strings.Builder
	switch {
	case r.State != webapps.Deploying && r.Step != "":
		b.WriteString(", " + string(r.Step))
	case r.Failure != nil && r.State != webapps.Failed:
		b.WriteString(", last deploy failed")
	case r.Workers != nil && r.Workers.CrashLoop:
		b.WriteString(", workers crash")
	}
	for _, name := range r.failing() {
		b.WriteString(", process " + name + " fails")
	}
	if r.Retired {
		b.WriteString(", retired")
	}
	if r.Draining > 0 {
		b.WriteString(", old one drains")
	}
	return b.String()
}

// Now is all of it.
func (r row) Now() string { return r.Word() + r.Besides() }

// MayStart reports whether it can be started.
func (r row) MayStart() bool {
	return r.State == webapps.Stopped || r.State == webapps.Failed || r.Retired
}

// MayReload reports whether its code can be loaded again.
func (r row) MayReload() bool { return r.State == webapps.Running }

// MayStop reports whether there is anything to stop.
func (r row) MayStop() bool { return r.State == webapps.Running || r.State == webapps.Failed }

// MayRetire reports whether a newer version could take its visitors.
func (r row) MayRetire() bool {
	return r.Name.Version() != "" && r.State == webapps.Running && !r.Retired
}

// Age is how long it has been in its state.
func (r row) Age() string {
	if r.Since.IsZero() {
		return ""
	}
	return wording.Roughly(r.now.Sub(r.Since))
}

// Born is how old a worker is.
func (r row) Born(w pyapp.WorkerStatus) string { return wording.Roughly(r.now.Sub(w.Born)) }

// ProcessAge is how long a process beside it has run.
func (r row) ProcessAge(p webapps.ProcessStatus) string { return wording.Roughly(r.now.Sub(p.Since)) }

// ProcessFails reports that one has failed, and not run for long since.
func (r row) ProcessFails(p webapps.ProcessStatus) bool { return p.Failing(r.now) }

// NextRun is when one starts next: the time of day, with the day if it is not the
// present one.
func (r row) NextRun(p webapps.ProcessStatus) string {
	next, now := p.Next, r.now.In(p.Next.Location())
	if next.YearDay() == now.YearDay() && next.Year() == now.Year() {
		return next.Format("15:04:05")
	}
	return next.Format("2 Jan 15:04")
}

// Spark is its rate as a picture.
func (r row) Spark() template.HTML { return spark(r.Lately.Rates) }

// Charts are its rate and latency.
func (r row) Charts() []chart {
	return []chart{
		newChart("Requests", r.Lately.Rates, 1, sayRate),
		newChart("Latency, p99", r.Lately.Slowness, 0.01, saySeconds),
	}
}

// find is the application of that name.
func find(all []row, name webapps.ContextName) (row, bool) {
	for _, r := range all {
		if r.Name == name {
			return r, true
		}
	}
	return row{}, false
}

// totals are the sums that stand above the table.
type totals struct {
	Apps, Failed, Workers, InFlight int
	Memory                          int64
	Rate, Errors                    float64
}

func sum(all []row) (t totals) {
	t.Apps = len(all)
	for _, r := range all {
		if r.Failure != nil {
			t.Failed++
		}
		t.Workers += len(r.WorkerProcesses())
		t.InFlight += r.InFlight
		t.Memory += r.Memory
		t.Rate += r.Traffic.Rate()
		t.Errors += r.Lately.Errors
	}
	return t
}

// functions are what templates call.
func functions() template.FuncMap {
	return template.FuncMap{
		"time": sayTime,
		"size": saySize,
		"rate": sayRate,
		"clock": func(t time.Time) string {
			return t.Format("15:04:05")
		},
		"instant": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"lower":   strings.ToLower,
		// long reports whether a text has several lines, such as a traceback.
		"long":  func(s string) bool { return strings.Contains(strings.TrimRight(s, "\n"), "\n") },
		"get":   attribute,
		"asset": assetURL,
		"count": func(n int64, what string) string {
			if n == 1 {
				return "1 " + what
			}
			return strconv.FormatInt(n, 10) + " " + what + "s"
		},
	}
}

// attribute is what a record says under a key; "" if it says nothing.
func attribute(r logbook.Record, key string) string {
	for _, a := range r.Attrs {
		if a.Key == key {
			return a.Value
		}
	}
	return ""
}

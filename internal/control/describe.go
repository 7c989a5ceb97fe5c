package control

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed-07905ac1/gatehouse/metrics"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// maxOldest is how many of the requests in flight are told of each application.
const maxOldest = 20

// describe is an application as the API has it.
func (h *Handler) describe(s *webapps.Status) App {
	a := App{
		Name: s.Name.String(), Path: s.Name.Path(), Version: s.Name.Version(), Entry: s.Entry,
		Type: string(s.Type), About: s.About, Python: s.Python, User: s.User,
		State: s.State.String(), Since: s.Since, Deploying: s.Deploying, Step: string(s.Step),
		Debug: s.Debug, Asleep: s.Asleep, Retired: s.Retired, Rollback: s.Previous, Draining: s.Draining,
		Traffic: traffic(&s.Traffic), UnheldLimits: s.Unheld,
	}
	if s.Failure != nil {
		a.Failure = newError(s.Failure)
	}
	if s.Workers != nil {
		a.CrashLoop, a.Waiting = s.Workers.CrashLoop, s.Workers.Waiting
		for i := range s.Workers.Workers {
			a.Workers = append(a.Workers, worker(&s.Workers.Workers[i]))
		}
	}
	now := time.Now()
	for i := range s.Processes {
		a.Processes = append(a.Processes, process(&s.Processes[i], now))
	}
	if s.Traffic.InFlight > 0 {
		oldest, _ := h.backend.Requests(s.Name, maxOldest) // none of one that has just gone
		for _, r := range oldest {
			a.Traffic.Oldest = append(a.Traffic.Oldest, Request{Method: r.Method, Path: r.Path, Age: seconds(r.Age)})
		}
	}
	return a
}

// warnings tell of limits that are not held, each once, however many applications
// it is about.
func warnings(apps []webapps.Status) (all []string) {
	about := map[string][]string{}
	for i := range apps {
		for _, text := range apps[i].Unheld {
			about[text] = append(about[text], apps[i].Name.String())
		}
	}
	for _, text := range slices.Sorted(maps.Keys(about)) {
		all = append(all, strings.Join(about[text], ", ")+": "+text)
	}
	return all
}

func worker(s *pyapp.WorkerStatus) Worker {
	w := Worker{Number: s.Number, PID: s.PID, State: s.State.String(), Born: s.Born, Old: s.Old, Served: s.Served, Memory: s.Memory, Requests: requests(s.Requests)}
	if s.Reason != 0 {
		w.Reason = s.Reason.String()
	}
	return w
}

func process(s *webapps.ProcessStatus, now time.Time) Process {
	return Process{
		Name: s.Name, Command: s.Command, Cron: s.Cron, State: string(s.State()), PID: s.PID, Since: s.Since,
		Runs: s.Runs, Restarts: s.Restarts(), Next: s.Next, LastExit: s.LastExit(), Failing: s.Failing(now),
	}
}

func requests(all []pyapp.RequestStatus) (told []Request) {
	for _, r := range all {
		told = append(told, Request{ID: r.ID, Method: r.Method, Path: r.Path, Waited: seconds(r.Waited), Age: seconds(r.Running)})
	}
	return told
}

// classes are the names of metrics.Class.
var classes = [metrics.Classes]string{"broken", "1xx", "2xx", "3xx", "4xx", "5xx"}

func traffic(s *metrics.Snapshot) Traffic {
	t := Traffic{
		Answers: map[string]int64{}, Bytes: s.Bytes, Rate: s.Rate(), PerSecond: s.PerSecond[:min(s.Measured+1, metrics.Seconds)],
		Measured: s.Latency.Count, P50: seconds(s.Latency.P50), P90: seconds(s.Latency.P90), P99: seconds(s.Latency.P99), InFlight: s.InFlight,
	}
	for c, n := range s.Answers {
		t.Answers[classes[c]] = n
	}
	return t
}

func stacks(all []pyapp.WorkerStacks) []Stacks {
	told := make([]Stacks, 0, len(all))
	for _, s := range all {
		told = append(told, Stacks{Worker: s.Worker, PID: s.PID, Requests: requests(s.Requests), Text: s.Text})
	}
	return told
}

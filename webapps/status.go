package webapps

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-07905ac1/gatehouse/metrics"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// Status is what is known of one version of an application at one moment.
type Status struct {
	Name  ContextName
	Entry string // in the folder; "" while it is new
	Type  Type   // Auto while it is not known
	About string // what it is, for people, such as "Django 5.2"
	User  string // whom it runs as; "" for who the server is
	// Python is the interpreter's version, such as "3.13.0"; "" where none runs.
	Python string
	State  State
	Since  time.Time // when it came to be so
	// Failure is why the newest deployment has failed, though an older one may be
	// running; nil if it has not.
	Failure *Failure
	// Deploying reports that a deployment is under way, though an older one may be
	// running.
	Deploying bool
	Step      Step // of the deployment that is under way; "" if there is none
	// Routed reports that it is none of a folder: whoever runs the server has said
	// where it lies and what leads to it. It is not deployed, undeployed or rolled back.
	Routed   bool
	Debug    bool // its framework shows tracebacks to visitors
	Asleep   bool // its first request will start it
	Retired  bool // it gets no new sessions
	Previous bool // Rollback has something to go back to
	InFlight int  // requests
	Draining int  // replaced deployments that still finish requests
	// Unheld are limits that nothing holds it to, a sentence each.
	Unheld []string
	// Processes is what runs beside it.
	Processes []ProcessStatus
	// Workers is what its processes do; nil where there are none.
	Workers *pyapp.Status
	// Traffic is what its requests were answered with, over all deployments. Those
	// that it could not answer because it does not run count too.
	Traffic metrics.Snapshot
}

// ProcessState says what one of the processes beside an application is at.
type ProcessState string

// The states of processes.
const (
	ProcessStarting   ProcessState = "starting"   // what ran before it has not ended yet
	ProcessRunning    ProcessState = "running"    //
	ProcessWaiting    ProcessState = "waiting"    // for the next of its times
	ProcessRestarting ProcessState = "restarting" // it has ended, and always runs
)

// State is what it is at.
func (s *ProcessStatus) State() ProcessState {
	switch {
	case s.PID != 0:
		return ProcessRunning
	case s.Next.IsZero():
		return ProcessStarting
	case s.Cron != "":
		return ProcessWaiting
	}
	return ProcessRestarting
}

// Restarts is how often it was started again because it had ended, other than at
// its times.
func (s *ProcessStatus) Restarts() int {
	if s.Cron != "" {
		return 0
	}
	return max(0, s.Runs-1)
}

// LastExit is how its last run has ended; "" if none has.
func (s *ProcessStatus) LastExit() string {
	switch {
	case s.Last != "":
		return s.Last
	case s.Runs > 1, s.Runs == 1 && s.PID == 0:
		return "exit status 0"
	}
	return ""
}

// Failing reports that its last run has failed, and that what always runs has not
// run for long since.
func (s *ProcessStatus) Failing(now time.Time) bool {
	return s.Last != "" && (s.PID == 0 || s.Cron != "" || now.Sub(s.Since) < maxRestart)
}

// Traffic returns what the requests of each application were answered with. Other
// than Apps it asks the system for nothing, and can be called all the time.
func (d *Deployer) Traffic() map[ContextName]metrics.Snapshot {
	all := map[ContextName]metrics.Snapshot{}
	for _, a := range d.list() {
		all[a.name] = a.meter.Snapshot()
	}
	return all
}

// Requests returns those of the requests that an application is answering which
// are the oldest, most at most, the oldest first.
func (d *Deployer) Requests(name ContextName, most int) ([]metrics.Request, error) {
	d.mu.Lock()
	a := d.apps[name]
	d.mu.Unlock()
	if a == nil {
		return nil, fmt.Errorf("webapps: %v: %w", name, ErrNoApp)
	}
	return a.meter.Requests(most), nil
}

// Apps returns all versions of all applications, in the order of their names.
func (d *Deployer) Apps() []Status {
	all := make([]Status, 0)
	for _, a := range d.list() {
		all = append(all, d.status(a))
	}
	return all
}

// Problems returns the entries of the folder that are no applications, by name.
func (d *Deployer) Problems() []Problem {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.problems)
}

func (d *Deployer) status(a *app) Status {
	s := Status{Name: a.name, Traffic: a.meter.Snapshot()}
	d.mu.Lock()
	if a.entry != nil {
		s.Entry = a.entry.file
	}
	serving, latest := a.serving, a.latest
	s.Retired, s.Draining, s.Previous = a.retired, a.drains, a.memory.Previous != 0
	stopped := a.memory.Stopped
	d.mu.Unlock()
	if latest != nil {
		state, since, failure := latest.now()
		if state == Running {
			state = Deploying // it is ready, and the requests do not go to it yet
		}
		s.State, s.Since, s.Failure, s.Deploying = state, since, failure, state == Deploying
		if s.Deploying {
			s.Step = latest.doing()
		}
	}
	switch {
	case serving != nil:
		s.describe(serving)
	case latest == nil && stopped:
		s.State = Stopped
	}
	return s
}

// describe tells what runs.
func (s *Status) describe(i *instance) {
	var failure *Failure
	s.State, s.Since, failure = i.now()
	if s.Failure == nil {
		s.Failure = failure
	}
	if i.account != nil {
		s.User = i.account.Name
	}
	s.Type, s.About, s.InFlight = i.found.kind, i.found.about, i.inside.Inside()
	s.Unheld = i.cell.Unheld()
	if i.processes != nil {
		s.Processes = i.processes.statuses()
	}
	o := i.opened.Load()
	s.Asleep = o == nil && s.State == Running
	if o == nil || o.pool == nil {
		return
	}
	info, workers := o.pool.Info(), o.pool.Status()
	s.Python, s.Workers, s.Debug = info.Python, &workers, info.Debug
	if info.Framework.Name != "" {
		s.About = info.Framework.Name + " " + info.Framework.Version
	}
}

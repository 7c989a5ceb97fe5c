package control

import (
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/logbook"
)

// Base is what all paths of the API begin with. What has this version gains
// fields, and loses or changes none.
//
//	GET  /v1/status                    Server
//	GET  /v1/apps[?app=NAME]           []App
//	GET  /v1/workers[?app=NAME]        []AppWorker
//	GET  /v1/stacks?app=NAME           []Stacks
//	GET  /v1/logs[?app=NAME&last=N&follow=1]   lines of logbook.Record
//	POST /v1/deploy?app=NAME&ending=.zip[&discard=1]   the archive
//	POST /v1/undeploy, start, stop, rollback, retire[&now=1]   ?app=NAME
//	POST /v1/reload[?app=NAME]         all if no name is given
//	POST /v1/manager-link              Link
//
// What is posted answers with lines of Event, the last of which says how it went.
// An answer with another status than 200 is a Failed.
const Base = "/v1/"

// Seconds is a duration in JSON.
type Seconds float64

// Duration returns it as Go has it.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

func seconds(d time.Duration) Seconds { return Seconds(d.Seconds()) }

// Server is what is known of a server as a whole.
type Server struct {
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	User    string    `json:"user"`
	Started time.Time `json:"started"`
	Dir     string    `json:"dir"`               // the project's folder
	Webapps string    `json:"webapps,omitempty"` // the folder of applications, if there is one
	File    string    `json:"file,omitempty"`    // the configuration's, if there is one
	Listen  []string  `json:"listen"`            // URLs, or unix:PATH
	Memory  int64     `json:"memory_bytes"`      // of the server without its workers; 0 if unknown
	// Apps are how many applications are in a state, by its name.
	Apps map[string]int `json:"apps"`
	// Routed is how many of them routes lead to: they are not in the folder.
	Routed int `json:"routed,omitempty"`
	// Processes are how many of those beside applications are in a state, by its name.
	Processes map[string]int `json:"processes,omitempty"`
	// Warnings are what the server cannot do as it was told to, a sentence each.
	Warnings []string `json:"warnings,omitempty"`
	// Problems are entries of the folder that are no applications.
	Problems []Problem `json:"problems,omitempty"`
}

// Problem is an entry that is no application.
type Problem struct {
	Entry string `json:"entry"`
	Error string `json:"error"`
}

// App is one version of an application.
type App struct {
	Name    string `json:"name"` // path and version, such as /shop or /shop##2
	Path    string `json:"path"`
	Version string `json:"version,omitempty"`
	Entry   string `json:"entry"`
	Type    string `json:"type,omitempty"`
	About   string `json:"about,omitempty"`
	Python  string `json:"python,omitempty"`
	User    string `json:"user,omitempty"` // whom it runs as; none: who the server is
	// State is deploying, running, failed, draining or stopped.
	State string    `json:"state"`
	Since time.Time `json:"since,omitzero"`
	// Deploying and Step tell of a deployment that is under way.
	Deploying bool   `json:"deploying,omitempty"`
	Step      string `json:"step,omitempty"`
	// Failure is why the newest deployment has failed, though an older one may be
	// running.
	Failure  *Error `json:"failure,omitempty"`
	Debug    bool   `json:"debug,omitempty"`
	Asleep   bool   `json:"asleep,omitempty"`  // its first request starts it
	Retired  bool   `json:"retired,omitempty"` // it gets no new sessions
	Rollback bool   `json:"rollback,omitempty"`
	Draining int    `json:"draining,omitempty"` // replaced deployments that finish requests
	// CrashLoop reports that its workers end before they have served a request.
	CrashLoop bool     `json:"crash_loop,omitempty"`
	Waiting   int      `json:"waiting"` // requests that wait for a worker
	Workers   []Worker `json:"workers,omitempty"`
	// Processes run beside it.
	Processes []Process `json:"processes,omitempty"`
	Traffic   Traffic   `json:"traffic"`
	// UnheldLimits are those that nothing holds it to, a sentence each.
	UnheldLimits []string `json:"unheld_limits,omitempty"`
}

// Memory is what the workers have of their own, in bytes.
func (a *App) Memory() (n int64) {
	for i := range a.Workers {
		n += a.Workers[i].Memory
	}
	return n
}

// Worker is one process of an application.
type Worker struct {
	Number   int       `json:"number"`
	PID      int       `json:"pid"`
	State    string    `json:"state"`
	Reason   string    `json:"reason,omitempty"` // why it ends
	Born     time.Time `json:"born"`
	Old      bool      `json:"old,omitempty"` // of code that has been replaced
	Served   int       `json:"served"`
	Memory   int64     `json:"memory_bytes"`
	Requests []Request `json:"requests,omitempty"`
}

// AppWorker is a worker with its application's name.
type AppWorker struct {
	App string `json:"app"`
	Worker
}

// Process is one that runs beside an application, always or at its times.
type Process struct {
	Name    string `json:"name"`
	Command string `json:"command"`
	Cron    string `json:"cron,omitempty"` // its times; none if it always runs
	// State is starting, running, waiting (for the next of its times) or restarting.
	State    string    `json:"state"`
	PID      int       `json:"pid,omitempty"`
	Since    time.Time `json:"since"` // when it was started, or has ended
	Runs     int       `json:"runs"`
	Restarts int       `json:"restarts"` // of what always runs
	Next     time.Time `json:"next,omitzero"`
	LastExit string    `json:"last_exit,omitempty"` // such as "exit status 1"; none if no run has ended
	Failing  bool      `json:"failing,omitempty"`
}

// Request is one that is being answered.
type Request struct {
	ID     string  `json:"id,omitempty"`
	Method string  `json:"method"`
	Path   string  `json:"path"`
	Waited Seconds `json:"waited_seconds"` // for a worker
	Age    Seconds `json:"age_seconds"`    // since then
}

// Traffic is what an application's requests were answered with.
type Traffic struct {
	// Answers are how many, by class: broken, 1xx, 2xx, 3xx, 4xx, 5xx.
	Answers map[string]int64 `json:"answers"`
	Bytes   int64            `json:"bytes"`
	Rate    float64          `json:"rate"` // requests a second, lately
	// PerSecond are how many ended in each of the last seconds, the present one
	// first.
	PerSecond []uint32 `json:"per_second"`
	// P50, P90 and P99 are of Measured requests, of the last minute at most.
	Measured int64     `json:"measured"`
	P50      Seconds   `json:"p50_seconds"`
	P90      Seconds   `json:"p90_seconds"`
	P99      Seconds   `json:"p99_seconds"`
	InFlight int       `json:"in_flight"`
	Oldest   []Request `json:"oldest,omitempty"` // of those in flight, the oldest first
}

// Stacks is what all threads of one worker are doing.
type Stacks struct {
	Worker   int       `json:"worker"`
	PID      int       `json:"pid"`
	Requests []Request `json:"requests,omitempty"`
	Text     string    `json:"text,omitempty"` // "" if it did not tell
}

// Event is a line of the answer to what is posted.
type Event struct {
	// Step is what is done now. The last event has none.
	Step string `json:"step,omitempty"`
	// Done and Error say how it went.
	Done  bool   `json:"done,omitempty"`
	Error *Error `json:"error,omitempty"`
	// App is what has become of the application, if there still is one.
	App *App `json:"app,omitempty"`
	// Restart are settings that have changed and need a restart.
	Restart []string `json:"restart,omitempty"`
}

// StepDraining follows the steps of package webapps: the new code answers, and
// requests of the old one end.
const StepDraining = "draining"

// Link lets into the manager page, once and within ten minutes.
type Link struct {
	URL string `json:"url"`
}

// LogLine is a line of the answer to a wish for the log.
type LogLine struct {
	logbook.Record
	// Lost reports that there were more records before this one, which are not kept
	// any more.
	Lost bool `json:"lost,omitempty"`
}

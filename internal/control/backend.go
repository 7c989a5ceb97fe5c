package control

import (
	"context"
	"io"

	"github.com/seed-07905ac1/gatehouse/metrics"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// Backend is the running server. Its methods are called from any number of
// goroutines. Those that take a context may take their time, and give up when it
// ends.
type Backend interface {
	// Server tells about the server. Apps and Problems in it are filled in here.
	Server() Server
	Apps() []webapps.Status
	Problems() []webapps.Problem
	// Requests returns the oldest requests that an application answers, most at
	// most.
	Requests(name webapps.ContextName, most int) ([]metrics.Request, error)
	Stacks(ctx context.Context, name webapps.ContextName) ([]pyapp.WorkerStacks, error)
	// Reload loads configuration and code anew and opens new log files. An error
	// means that what it is about goes on as it was. restart are settings that have
	// changed and need a restart.
	Reload(ctx context.Context) (restart []string, err error)
	// Link returns a URL that lets into the manager page, once.
	Link() (string, error)
	// LogName is by what records of the log are known to be about an application;
	// logbook.All if all are.
	LogName(name webapps.ContextName) string
	// Manager changes one application at a time; nil if the server has none that
	// can be changed alone.
	Manager() Manager
}

// Manager changes what a server runs: a *webapps.Deployer.
type Manager interface {
	Deploy(ctx context.Context, name webapps.ContextName, ending string, r io.Reader, options webapps.DeployOptions) error
	Undeploy(ctx context.Context, name webapps.ContextName) error
	Start(ctx context.Context, name webapps.ContextName) error
	Stop(ctx context.Context, name webapps.ContextName) error
	Reload(ctx context.Context, name webapps.ContextName) error
	Rollback(ctx context.Context, name webapps.ContextName) error
	Retire(ctx context.Context, name webapps.ContextName, now bool) error
	// Subscribe returns a channel that gets a token when anything has changed that
	// Apps tells.
	Subscribe() (changed <-chan struct{}, stop func())
}

var _ Manager = (*webapps.Deployer)(nil)

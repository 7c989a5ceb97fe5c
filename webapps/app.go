package webapps

import (
	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/pagescript"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/static"
)

// Type is what an application is made of.
type Type string

// The types.
const (
	Auto   Type = ""       // what is found decides
	Static Type = "static" // files
	CGI    Type = "cgi"    // files, and scripts in cgi-bin and htbin
	Pages  Type = "pages"  // files, and Python files that are pages, by package pagescript; never Auto's choice
	WSGI   Type = "wsgi"   // a Python application
)

// App says how an application runs. Fields that follow from where it lies and
// answers are filled in by the Deployer: folders, prefixes and names, and
// GATEHOUSE_DATA in the environment. The zero value looks for everything and
// takes the defaults.
type App struct {
	Type Type
	// Look narrows down what is looked for in a WSGI project; Alone is implied.
	Look detect.Options
	// Lazy has a WSGI application started by its first request.
	Lazy bool
	// Processes run beside it from the moment when it gets the requests, until the
	// next deployment or its end; what that has runs when these have ended.
	Processes []Process
	// Install is what is installed for it before it starts.
	Install Install
	// Release are commands for the shell that run in the application's folder, with
	// its environment and interpreter first on PATH, before new code takes over: at
	// every deployment of a folder, and when an archive is unpacked. One that fails,
	// or takes more than ten minutes, ends the deployment.
	Release []string

	// Confinement bounds what everything of it that runs may take of the machine
	// together: workers and their template, scripts, processes beside it,
	// installation and release. That of WSGI is not looked at.
	Confinement pyapp.Confinement

	// Env of both is added to the few variables that any program needs: the rest of
	// the server's environment is kept from applications.
	WSGI   pyapp.Config // Workers 0 means one, and more while requests wait
	CGI    cgi.Config
	Pages  pagescript.Config // of its Applications Env is not looked at: pages have that of their scripts
	Static static.Config
}

// DataVariable names the folder in an application's environment that is its own
// and survives deployments, rollback and undeployment.
const DataVariable = "GATEHOUSE_DATA"

package main

import (
	"os"
	"os/user"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seed-07905ac1/gatehouse/internal/control"
)

// TestMain lets scripts run this test binary as the command.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gatehouse": func() {
		if dir := os.Getenv(systemFolder); dir != "" {
			control.System = dir
		}
		main()
	}})
}

// systemFolder names the variable that has a script's servers leave their sockets
// where those of other tests are not found.
const systemFolder = "GATEHOUSE_TEST_SYSTEM"

// quickExit spares each child the second that the race detector waits at its end.
const quickExit = "GORACE=atexit_sleep_ms=0"

// TestScripts runs testdata/script/*.txtar: one for each command and each way in
// which it can go wrong.
//
// Beside testscript's own commands there are:
//
//	serve NAME ARGS…        start gatehouse ARGS and wait for its start line; sets NAME_URL
//	start NAME ARGS…        start gatehouse ARGS and wait for nothing
//	await NAME REGEXP       wait until that server has written a matching line
//	signal NAME SIG…        send INT, TERM, HUP, USR1, QUIT or KILL, one after the other
//	ended NAME STATUS       wait for its end with that exit status; stdout and stderr are what it wrote
//	get URL [FIELD: VALUE]  request a page; stdout is its body, stderr its status line and fields
//	post URL BODY [FIELD: VALUE]  the same with a body
//	hold URL                begin a request and read nothing of its answer until the script ends
//	refused URL             wait until nobody accepts connections there
//	taken URL COMMAND…      run a command that must fail, with the URL's port at its end
//	status N COMMAND…       run a command that must end with that exit status
//	appears FILE [TEXT]     wait for a file that holds the text
//
// $ME is whoever runs the test.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start":   scriptStart,
			"serve":   scriptServe,
			"await":   scriptAwait,
			"signal":  scriptSignal,
			"ended":   scriptEnded,
			"get":     scriptGet,
			"post":    scriptPost,
			"hold":    scriptHold,
			"refused": scriptRefused,
			"taken":   scriptTaken,
			"status":  scriptStatus,
			"appears": scriptAppears,
		},
		Setup: func(env *testscript.Env) error {
			env.Values[serversKey{}] = map[string]*server{}
			env.Vars = append(env.Vars, quickExit, "XDG_RUNTIME_DIR="+env.WorkDir+"/.run", systemFolder+"="+env.WorkDir+"/.run/system")
			if err := os.Mkdir(env.WorkDir+"/.run", 0o700); err != nil {
				return err
			}
			me, err := user.Current()
			if err == nil {
				env.Vars = append(env.Vars, "ME="+me.Username)
			}
			return err
		},
	})
}

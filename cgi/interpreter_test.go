package cgi_test

import (
	"os"
	"os/exec"
	"testing"
)

// reaping has two processes end behind one signal, of which one is known only
// afterwards, as that of a script is which ends before its fork has returned.
const reaping = `
import os, sys, types
package = types.ModuleType("g"); package.__path__ = []
script = types.ModuleType("g.script")
template = types.ModuleType("g.template")
template.LIFELINE = template.PARENT_DEATH = template.RIGHTS = template.descriptors = None
package.script = script
sys.modules.update({"g": package, "g.script": script, "g.template": template})
names = {"__name__": "g.interpreter", "__package__": "g"}
exec(compile(sys.stdin.read(), "interpreter.py", "exec"), names)

class Server:
    def __init__(self): self.told = []
    def send(self, message): self.told.append(message)

def ended():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid

interpreter = names["Interpreter"](Server())
first, second = ended(), ended()
interpreter.runs[first] = 1
interpreter.reap()
assert interpreter.server.told == [b"ended 1 0"], interpreter.server.told
assert interpreter.early
interpreter.runs[second] = 2
interpreter.reap()
assert interpreter.server.told[1:] == [b"ended 2 0"], interpreter.server.told
`

// A script that ends before its interpreter knows of it is not forgotten.
func TestScriptThatEndsEarly(t *testing.T) {
	for _, python := range pythons(t) {
		source, err := os.Open("interpreter.py")
		must(t, err)
		defer source.Close()
		c := exec.CommandContext(t.Context(), python, "-c", reaping)
		c.Stdin = source
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", python, err, out)
		}
	}
}

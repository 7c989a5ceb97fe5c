package webapps

import "syscall"

// commandAttributes makes a command the leader of a session of its own, whose
// group can be killed, and ends it with the server.
func commandAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// killGroup kills the processes of a command.
func killGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }

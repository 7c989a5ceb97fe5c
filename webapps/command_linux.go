package webapps

import (
	"syscall"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// commandAttributes makes a command the leader of a session of its own, whose
// group can be killed, has it run as the user, and ends it with the server.
func commandAttributes(user *pyapp.User) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL, Credential: user.Credential()}
}

// killGroup kills the processes of a command.
func killGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }

package cgroup

// For tests of what follows from the files in /proc.
var (
	Locate    = locate
	Delegated = delegated
	CanBeBorn = canBeBorn
)

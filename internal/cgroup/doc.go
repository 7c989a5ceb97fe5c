// Package cgroup puts processes into control groups (cgroup v2) below the one that
// the server has been given: what is in a group cannot take more memory, CPU time
// and processes together than its limits say, and ends with it.
//
// Only a group that is the server's own to arrange is taken, such as systemd gives
// to a service with Delegate=yes: docs/adr/0018-resource-limits.md. Linux only.
package cgroup

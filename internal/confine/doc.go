// Package confine holds the processes of an application to what it may take of
// the machine: memory, CPU, open files, processes. Linux only; elsewhere nothing
// can be held. docs/adr/0018-resource-limits.md.
//
// It is for those who start processes: they prepare the attributes of one with its
// Cell, start it, and have the Cell impose the limits before the process runs its
// first instruction.
package confine

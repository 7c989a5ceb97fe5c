package daemon

// What tests see of the first process of a container.
var ReapOrphans = reapOrphans

// DeadChildren is how many children have ended and are not reaped.
func DeadChildren() int { return len(deadChildren()) }

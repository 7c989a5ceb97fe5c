//go:build race

package gatehouse_test

// poolMisses is how many allocations more a request may cost: under the race
// detector a sync.Pool forgets a part of what it is given, on purpose.
const poolMisses = 4

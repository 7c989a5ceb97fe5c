//go:build !race

package gatehouse_test

// poolMisses is how many allocations more a request may cost than it has to.
const poolMisses = 0

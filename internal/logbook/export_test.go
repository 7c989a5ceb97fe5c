package logbook

// The bounds, for tests.
const (
	MaxRecords = maxRecords
	MaxBytes   = maxBytes
	MaxTotal   = maxTotal
	MaxText    = maxText
)

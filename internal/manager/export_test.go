package manager

import "time"

// CheapHash is Hash at next to no cost: tests log in often.
func CheapHash(password string) string {
	c := cost{time: 1, memory: 64, threads: 1}
	salt := []byte("a salt of 16 b..")
	return c.encode(salt, c.key(password, salt))
}

// Bounds that tests go to.
const (
	Attempts    = attempts
	AttemptTime = attemptTime
	LinkTime    = linkTime
	MaxLinks    = maxLinks
	SessionIdle = sessionIdle
	SessionTime = sessionTime
	MaxSessions = maxSessions
	MaxStreams  = maxStreams
	SampleTime  = sampleTime
	KeptSlow    = keptSlow
	MaxValue    = maxValue
)

// Scale, SayTime and SaySize are scale, sayTime and saySize.
func Scale(values []float64, least float64) float64 { return scale(values, least) }
func SayTime(d time.Duration) string                { return sayTime(d) }
func SaySize(n int64) string                        { return saySize(n) }

// Slow are the paths of the slow requests of app, the newest first.
func (m *Manager) Slow(app string) (paths []string) {
	for _, r := range m.slow.of(app, keptSlow) {
		paths = append(paths, attribute(r, "path"))
	}
	return paths
}

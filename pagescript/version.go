package pagescript

import (
	"context"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// A version is an application as its page, and the modules beside it, were when it
// was loaded. Those who use it count as its users; when another one has taken its
// place, it ends with the last of them.
//
// A version is loading until opened is closed; then it runs, or has failed. It may
// be retired in each of these states, and is then ended, once.
type version struct {
	path, name string

	opened chan struct{} // closed when these are what they will be:
	pool   *pyapp.Pool   // nil if it has failed
	err    error
	loaded time.Time

	// Guarded by applications.mu, the first two until it is being loaded.
	file    fs.FileInfo
	beside  modules
	users   int
	used    time.Time // when the last user left, or it was opened
	retired bool      // nobody gets it any more
	ending  bool      // its end has begun
}

// loading reports whether it is not known yet what becomes of the version.
func (v *version) loading() bool {
	select {
	case <-v.opened:
		return false
	default:
		return true
	}
}

// failed reports whether the application could not be loaded.
func (v *version) failed() bool { return !v.loading() && v.err != nil }

// load loads the application.
func (v *version) load(ctx context.Context, config pyapp.Config) {
	defer close(v.opened)
	config.Name, config.Mount = v.name, v.name
	config.Dir, config.App = filepath.Dir(v.path), filepath.Base(v.path)+":"+callable
	v.pool, v.err = pyapp.OpenContext(ctx, config)
	v.loaded = time.Now()
}

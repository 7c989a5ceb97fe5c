package pyapp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// Pool runs one application in worker processes. It is an http.Handler for any
// number of concurrent requests.
type Pool struct {
	config      Config
	environ     environ
	log         *slog.Logger // with the application's name
	timing      timing
	calls       sync.Pool
	workersMade atomic.Int64
	sweeper     sweeper

	mu      sync.Mutex
	current *generation   // whose workers get new requests
	lanes   []*lane       // of current's workers that take requests
	workers []*worker     // of all generations, until they are buried
	queue   []*call       // waiting for a lane, oldest first
	asking  sync.Mutex    // held while all workers are asked for their stacks
	closing bool          // new requests are refused
	emptied chan struct{} // closed when closing and nothing waits or is under way any more

	reloading sync.Mutex      // held while current changes
	loading   context.Context // ends when no reload may go on
	stopLoads context.CancelFunc
	ctx       context.Context // ends when everything is to end at once
	cancel    context.CancelFunc
	drains    sync.WaitGroup // reloads that were not asked for, and generations that drain
	sweeps    sync.WaitGroup // the sweeper
}

// Open starts the application and returns when its workers can take requests.
// The error is a *StartError when the application or its interpreter is at
// fault. Whoever opens a pool closes it.
func Open(config Config) (*Pool, error) { return OpenContext(context.Background(), config) }

// OpenContext is Open for those who may not want to wait for the end: when ctx
// ends before the application is there, it ends what it has begun. The pool
// itself does not depend on ctx.
func OpenContext(ctx context.Context, config Config) (*Pool, error) {
	return open(ctx, config, usual)
}

// timing is how long a pool waits for what its users cannot set. Tests wait less.
type timing struct {
	backOff  time.Duration // before the second start of a worker in a row that failed
	exitWait time.Duration // see exitWait
	stable   time.Duration // the age from which a worker's end is not blamed on its start
	surplus  time.Duration // see idleSurplus
}

// usual is the timing of every pool but those of tests.
var usual = timing{backOff: firstBackOff, exitWait: exitWait, stable: 10 * time.Second, surplus: idleSurplus}

func open(ctx context.Context, config Config, timing timing) (*Pool, error) {
	c, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Pool{
		config: c, environ: environ{mount: c.Mount, scheme: c.Scheme}, log: c.Log.With("app", c.Name),
		timing: timing, emptied: make(chan struct{}),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.loading, p.stopLoads = context.WithCancel(p.ctx)
	// Before there are workers: it looks after health checks as well.
	p.sweeper.init(p)
	p.sweeps.Go(p.sweeper.run)
	start, cancel := p.starting(p.loading)
	defer cancel()
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	g, err := p.newGeneration(start, c.Workers)
	if err != nil {
		p.end()
		return nil, err
	}
	p.use(g)
	p.sweeper.wake(false) // it knows of no worker yet
	return p, nil
}

// starting returns a context that ends when a start has taken too long.
func (p *Pool) starting(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.config.StartTimeout < 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, p.config.StartTimeout)
}

// Info tells about the application that is running now.
func (p *Pool) Info() Info {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current.info
}

// generation returns the generation that gets new requests.
func (p *Pool) generation() *generation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current
}

// use directs new requests to g's workers and returns the generation that had
// them before.
func (p *Pool) use(g *generation) (old *generation) {
	p.mu.Lock()
	old, p.current, p.lanes = p.current, g, nil
	var sends []dispatch
	for _, w := range p.workers {
		if w.gen == g && w.takesCalls() {
			p.enlist(w)
		}
	}
	sends = p.dispatch()
	p.mu.Unlock()
	p.sendAll(sends)
	return old
}

// enlist lets a worker of the current generation take requests. p.mu is held.
func (p *Pool) enlist(w *worker) {
	w.enlisted = true
	p.lanes = append(p.lanes, w.lanes...)
}

func (p *Pool) workersOf(g *generation) []*worker {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.workers), func(w *worker) bool { return w.gen != g })
}

// Reload loads the application anew beside the running one. When the new
// workers are ready, requests go to them, and the old ones finish what they
// have. On an error, which is a *StartError when the application is at fault,
// nothing has changed. Reloads run one after the other.
func (p *Pool) Reload(ctx context.Context) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	if p.loading.Err() != nil {
		return errDown
	}
	start, cancel := p.starting(ctx)
	defer cancel()
	stop := context.AfterFunc(p.loading, cancel)
	defer stop()
	// As many workers as there are: what keeps them busy goes on.
	g, err := p.newGeneration(start, p.slots())
	if err != nil {
		return err
	}
	old := p.use(g)
	p.drains.Go(func() { _ = old.drain(p.ctx, Reloaded) }) // it always ends
	return nil
}

// replace reloads after a delay, until that succeeds, somebody else has replaced
// g, or the pool closes.
func (p *Pool) replace(g *generation, delay time.Duration) {
	p.drains.Go(func() {
		for {
			t := time.NewTimer(delay)
			select {
			case <-t.C:
			case <-p.loading.Done():
				t.Stop()
				return
			}
			if p.generation() != g {
				return
			}
			err := p.Reload(p.loading)
			if err == nil || p.loading.Err() != nil {
				return
			}
			p.log.Error("cannot load the application", "error", err)
			g.failed(math.MaxInt)
			delay = maxBackOff * p.timing.backOff
		}
	})
}

// Shutdown refuses new requests, lets those under way and those waiting finish,
// and ends all processes. When ctx ends first, it ends them at once and returns
// the context's error.
func (p *Pool) Shutdown(ctx context.Context) error {
	if !p.refuseNew() {
		return nil
	}
	p.stopLoads()
	stop := context.AfterFunc(ctx, p.cancel)
	defer stop()
	select {
	case <-p.emptied:
	case <-ctx.Done():
	}
	p.reloading.Lock()
	defer p.reloading.Unlock()
	err := p.current.drain(ctx, Shutdown)
	p.end()
	return err
}

// Close ends all processes of the application at once. Requests that are under
// way get 502. A second call does nothing.
func (p *Pool) Close() error {
	first := p.refuseNew()
	p.cancel()
	if !first {
		return nil
	}
	p.reloading.Lock()
	defer p.reloading.Unlock()
	p.current.stop(Shutdown)
	p.end()
	return nil
}

// refuseNew refuses new requests from now on, and reports whether it is the
// first to do so.
func (p *Pool) refuseNew() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return false
	}
	p.closing = true
	p.noteEmpty()
	return true
}

// noteEmpty tells Shutdown when nothing waits or is under way any more. Only then
// workers are told to end: until then what waits behind a slow request can be
// taken back, or outlive its worker, and finds another one. p.mu is held.
func (p *Pool) noteEmpty() {
	if !p.closing || len(p.queue) > 0 || slices.ContainsFunc(p.workers, func(w *worker) bool { return !w.idle() }) {
		return
	}
	select {
	case <-p.emptied:
	default:
		close(p.emptied)
	}
}

// end waits for the pool's goroutines and fails what still waits for a lane.
func (p *Pool) end() {
	p.drains.Wait()
	p.cancel()
	p.sweeps.Wait()
	p.mu.Lock()
	left := p.queue
	p.queue = nil
	p.mu.Unlock()
	for _, c := range left {
		c.fail(errDown)
		c.release()
	}
}

// ServeHTTP implements http.Handler.
func (p *Pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := p.newCall()
	defer c.leave()
	c.id, c.method, c.path, c.ctx = requestid.Of(w), r.Method, r.URL.Path, r.Context()
	if r.ContentLength != 0 && p.overloaded() {
		p.refuse(w, r, errBusy)
		return
	}
	if err := p.takeIn(c, r); err != nil {
		if e, ok := errors.AsType[*requestError](err); ok && e.status >= http.StatusInternalServerError {
			p.log.Error("cannot take a request in", "request", c.id, "method", c.method, "path", c.path, "error", err)
		}
		p.refuse(w, r, err)
		return
	}
	c.arrived = time.Now()
	if c.upload != nil {
		c.upload.start(c)
		defer c.upload.end(w)
	}
	p.submit(c)
	<-c.answered
	if c.hints.any.Load() {
		c.awaitHinted(w, r)
	}
	if c.upload != nil {
		c.upload.settle(w, c.answer.stream != nil)
	}
	p.respond(w, r, c)
}

var (
	_ http.Handler = (*Pool)(nil)
	_ io.Closer    = (*Pool)(nil)
)

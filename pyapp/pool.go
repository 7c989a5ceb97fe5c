package pyapp

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/errorpage"
	"github.com/seed-07905ac1/gatehouse/internal/marshal"
	"github.com/seed-07905ac1/gatehouse/internal/requestid"
)

// Pool runs one application in worker processes. It is an http.Handler for any
// number of concurrent requests.
type Pool struct {
	config  Config
	environ environ
	log     *slog.Logger // with the application's name
	calls   sync.Pool

	mu      sync.Mutex
	current *generation // whose workers get new requests
	lanes   []*lane     // of current's workers that take requests
	queue   []*call     // waiting for a lane, oldest first
	closing bool

	reloading sync.Mutex     // held while the current generation changes
	old       sync.WaitGroup // generations that drain
}

// Open starts the application and returns when its workers can take requests.
// The error is a *StartError when the application or its interpreter is at
// fault. Whoever opens a pool closes it.
func Open(config Config) (*Pool, error) {
	c, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Pool{config: c, environ: environ{mount: c.Mount, scheme: c.Scheme}, log: c.Log.With("app", c.Name)}
	ctx, cancel := context.WithTimeout(context.Background(), c.StartTimeout)
	defer cancel()
	g, err := p.startGeneration(ctx)
	if err != nil {
		return nil, err
	}
	p.use(g)
	return p, nil
}

// Info tells about the application that is running now.
func (p *Pool) Info() Info {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current.info
}

// use directs new requests to g's workers.
func (p *Pool) use(g *generation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current, p.lanes = g, nil
	for _, w := range g.workers {
		if w != nil && w.state == Ready {
			p.lanes = append(p.lanes, w.lanes...)
		}
	}
}

// Reload loads the application anew beside the running one. When the new
// workers are ready, requests go to them, and the old ones finish what they
// have. On an error, which is a *StartError when the application is at fault,
// nothing has changed. Reloads run one after the other.
func (p *Pool) Reload(ctx context.Context) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	start, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	g, err := p.startGeneration(start)
	if err != nil {
		return err
	}
	p.mu.Lock()
	old, closing := p.current, p.closing
	p.mu.Unlock()
	if closing {
		g.stop(Shutdown)
		return errDown
	}
	p.use(g)
	p.old.Go(func() { old.drain(context.Background(), Reloaded) })
	return nil
}

// Shutdown refuses new requests, lets those under way and those waiting finish,
// and ends all processes. When ctx ends first, it ends them at once and returns
// the context's error.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	p.mu.Lock()
	already := p.closing
	p.closing = true
	p.mu.Unlock()
	if already {
		return nil
	}
	err := p.current.drain(ctx, Shutdown)
	p.old.Wait()
	return err
}

// Close ends all processes of the application at once. Requests that are under
// way get 502. A second call does nothing.
func (p *Pool) Close() error {
	p.mu.Lock()
	already := p.closing
	p.closing = true
	waiting := p.queue
	p.queue, p.lanes = nil, nil
	p.mu.Unlock()
	for _, c := range waiting {
		c.fail(errDown)
	}
	if already {
		return nil
	}
	p.current.stop(Shutdown)
	return nil
}

// ServeHTTP implements http.Handler.
func (p *Pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := p.newCall()
	defer c.release()
	c.id, c.method, c.path = requestid.Of(w), r.Method, r.URL.Path
	var body []byte
	if r.ContentLength != 0 {
		var err error
		if body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, p.config.MaxBody)); err != nil {
			errorpage.Write(w, r, http.StatusBadRequest, "")
			return
		}
	}
	var ok bool
	if c.packet, ok = p.environ.appendHead(c.packet[:0], r, c.id, int64(len(body))); !ok {
		errorpage.Write(w, r, http.StatusNotFound, "")
		return
	}
	c.packet = marshal.AppendBytes(c.packet, body)
	p.submit(c)
	<-c.answered
	p.respond(w, r, c)
}

// submit gives the call to a worker or to the queue, or fails it.
func (p *Pool) submit(c *call) {
	c.refs.Add(1)
	p.mu.Lock()
	l := p.pick()
	var err error
	switch {
	case l != nil:
		l.dispatched()
	case p.closing:
		err = errDown
	case len(p.queue) >= p.config.QueuePerWorker*p.config.Workers:
		err = errBusy
	default:
		p.queue = append(p.queue, c)
	}
	p.mu.Unlock()
	if err != nil {
		c.fail(err)
		c.release()
	}
	if l != nil {
		p.send(l, c)
	}
}

// send gives the call to the lane that was picked for it. If that has just
// died, another one is looked for: nobody has begun the call.
func (p *Pool) send(l *lane, c *call) {
	if err := l.send(c); err != nil {
		p.submit(c)
		c.release()
	}
}

// pick returns the lane with the shortest expected wait that may take a call,
// or nil. p.mu is held.
func (p *Pool) pick() *lane {
	var best *lane
	for _, l := range p.lanes {
		if l.depth == 0 {
			return l
		}
		if l.room() && (best == nil || l.depth < best.depth) {
			best = l
		}
	}
	return best
}

// dispatched notes that a call is about to be sent. Pool.mu is held.
func (l *lane) dispatched() {
	if l.depth == 0 {
		l.idleUntil = time.Now()
		if l.worker.state == Ready {
			l.worker.move(Busy)
		}
	}
	l.depth++
}

// finished notes that a lane is done with n calls, and sends it what waits.
func (p *Pool) finished(l *lane, n int) {
	var next [maxDepth]*call
	k := 0
	now := time.Now()
	p.mu.Lock()
	l.depth -= n
	l.measured(now.Sub(l.idleUntil) / time.Duration(n))
	l.idleUntil = now
	if l.worker.takesCalls() {
		for len(p.queue) > 0 && (l.depth == 0 || l.room()) && k < len(next) {
			next[k], p.queue = p.queue[0], p.queue[1:]
			k++
			l.depth++
		}
	}
	if l.depth == 0 {
		l.worker.rest()
	}
	p.mu.Unlock()
	for _, c := range next[:k] {
		p.send(l, c)
	}
}

// measured adds a measurement to the lane's service time: a jump upwards counts
// at once, since requests behind a slow one wait, downwards slowly.
func (l *lane) measured(d time.Duration) {
	if d > 4*l.service {
		l.service = d
		return
	}
	l.service += (d - l.service) / 8
}

// logFailure writes what the application did wrong to the log, once.
func (p *Pool) logFailure(c *call, f frame) {
	message := "the application raised an exception"
	if f.flags&flagAdvice != 0 {
		message = "the application breaks PEP 3333"
	}
	p.log.Error(message, "request", c.id, "method", c.method, "path", c.path, "error", string(f.head), "traceback", string(f.body))
}

var (
	_ http.Handler = (*Pool)(nil)
	_ io.Closer    = (*Pool)(nil)
)

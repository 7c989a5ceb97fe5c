package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/metrics"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// Apps are the applications of a server, such as a *webapps.Deployer. The methods are
// those of that type, for any number of goroutines; what cannot be done to an
// application because it is in no folder is a *webapps.RefusedError.
type Apps interface {
	Apps() []webapps.Status
	Problems() []webapps.Problem
	Traffic() map[webapps.ContextName]metrics.Snapshot
	Stacks(ctx context.Context, name webapps.ContextName) ([]pyapp.WorkerStacks, error)
	Subscribe() (changed <-chan struct{}, stop func())

	Deploy(ctx context.Context, name webapps.ContextName, ending string, r io.Reader, options webapps.DeployOptions) error
	Undeploy(ctx context.Context, name webapps.ContextName) error
	Start(ctx context.Context, name webapps.ContextName) error
	Stop(ctx context.Context, name webapps.ContextName) error
	Reload(ctx context.Context, name webapps.ContextName) error
	Rollback(ctx context.Context, name webapps.ContextName) error
	Retire(ctx context.Context, name webapps.ContextName, now bool) error
}

// Config describes a manager page. Apps and Addr must be set.
type Config struct {
	// Apps are the applications that it looks after. They are closed after the
	// Manager.
	Apps Apps
	// Addr is where its listener is bound, which must be of this machine alone: a
	// password would be read on the way.
	Addr netip.AddrPort
	// Password is the hash of the operator's password, see Hash; "" for none. Then
	// links are the only way in.
	Password string
	// Book is the log that is shown; nil shows none.
	Book *logbook.Book
	// LogName is by what records of the log are known to be about an application; nil
	// is its name.
	LogName func(webapps.ContextName) string
	// MaxUpload bounds an archive, in bytes; 0 is the default of webapps.
	MaxUpload int64
	// Log receives who logs in, and what is done; nil discards it.
	Log *slog.Logger
}

const (
	// attemptTime is the time after which one more password may be tried, attempts
	// is how many may be at once. Thinking is slower; trying all words of a
	// dictionary takes a week for each 60,000.
	attemptTime = 10 * time.Second
	attempts    = 5
	// maxStreams bounds the pages that are updated at the same time.
	maxStreams = 32
)

// Manager is the manager page. It is an http.Handler for any number of concurrent
// requests. Made by New; whoever makes one closes it.
type Manager struct {
	config      Config
	log         *slog.Logger
	password    *hash // nil if there is none
	crossOrigin http.CrossOriginProtection
	mux         *http.ServeMux
	history     *history
	slow        slowRequests

	links    links
	sessions sessions
	tries    *rate.Limiter
	checking sync.Mutex // held while a password is hashed: it takes memory
	streams  chan struct{}
	look     look

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	tasks  sync.WaitGroup
}

// New makes a manager page.
func New(c Config) (*Manager, error) {
	if !c.Addr.Addr().Unmap().IsLoopback() {
		return nil, fmt.Errorf("manager: %s is not an address of this machine alone", c.Addr)
	}
	m := &Manager{
		config: c, log: c.Log,
		tries: rate.NewLimiter(rate.Every(attemptTime), attempts), streams: make(chan struct{}, maxStreams),
	}
	if c.Password != "" {
		var err error
		if m.password, err = parseHash(c.Password); err != nil {
			return nil, fmt.Errorf("manager: password: %w", err)
		}
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if m.config.Book == nil {
		m.config.Book = logbook.New()
	}
	if m.config.LogName == nil {
		m.config.LogName = webapps.ContextName.String
	}
	m.config.MaxUpload = cmp.Or(c.MaxUpload, webapps.DefaultMaxUpload)
	m.mux = m.routes()
	m.history = newHistory(c.Apps.Traffic)
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.tasks.Go(func() { m.history.run(m.ctx) })
	m.tasks.Go(func() { m.slow.follow(m.ctx, m.config.Book) })
	return m, nil
}

// Close ends all streams, so that a server can wait for its requests, and what
// runs in the background. Deployments that somebody waits for are broken off.
func (m *Manager) Close() error {
	m.cancel()
	m.tasks.Wait()
	return nil
}

// ErrClosed is the error of a Manager that is closed.
var ErrClosed = errors.New("manager: the server is ending")

// Link returns a URL that lets whoever opens it in, once, within ten minutes. It
// is a secret: nothing may log it.
func (m *Manager) Link() (string, error) {
	if m.ctx.Err() != nil {
		return "", ErrClosed
	}
	return m.URL() + "link/" + m.links.make(), nil
}

// URL is where the page is, with a slash at its end.
func (m *Manager) URL() string { return URL(m.config.Addr) }

// URL is where the page at a listener's address is.
func URL(addr netip.AddrPort) string {
	name := ownName
	// Where its own name leads to: to no other address of this machine.
	if a := addr.Addr().Unmap(); a != netip.MustParseAddr("127.0.0.1") && a != netip.IPv6Loopback() {
		name = a.String()
	}
	return "http://" + net.JoinHostPort(name, strconv.Itoa(int(addr.Port()))) + "/"
}

// ServeHTTP implements http.Handler.
func (m *Manager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	switch {
	case !isOwnHost(r.Host):
		m.refuse(w, http.StatusMisdirectedRequest, "This server does not go by that name.", "Open "+m.URL()+" instead.")
	case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost:
		w.Header().Set("Allow", "GET, HEAD, POST")
		m.refuse(w, http.StatusMethodNotAllowed, "This address does not take that method.", "")
	case r.Method == http.MethodPost && !m.isOwnPage(r):
		m.refuse(w, http.StatusForbidden, "This was not sent from a page of the manager.", "Open "+m.URL()+" and do it there.")
	default:
		m.mux.ServeHTTP(w, r)
	}
}

// routes are the addresses of the page. Those that are not behind inside are for
// everybody on this machine.
func (m *Manager) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{file}", serveAsset)
	mux.HandleFunc("GET /login", m.showLogin)
	mux.HandleFunc("POST /login", m.login)
	mux.HandleFunc("GET /link/{secret}", m.showLink)
	mux.HandleFunc("POST /link/{secret}", m.followLink)
	mux.Handle("GET /{$}", m.inside(m.showApps))
	mux.Handle("GET /log", m.inside(m.showLog))
	mux.Handle("GET /apps/{name}", m.inside(m.showApp))
	mux.Handle("GET /apps/{name}/stacks", m.inside(m.showStacks))
	mux.Handle("POST /apps/{name}/{action}", m.inside(m.act))
	mux.Handle("POST /deploy", m.inside(m.deploy))
	mux.Handle("POST /logout", m.inside(m.logout))
	mux.HandleFunc("GET /events", m.events)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		m.refuse(w, http.StatusNotFound, "There is nothing at this address.", "")
	})
	return mux
}

// inside lets those in who have logged in.
func (m *Manager) inside(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, _ := m.session(r, true); s == nil {
			if r.Method == http.MethodPost {
				m.refuse(w, http.StatusUnauthorized, "You are not logged in, or your session has ended.", "Log in and do it again. Nothing was changed.")
				return
			}
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		next(w, r)
	})
}

// apps are all applications as they are shown.
func (m *Manager) apps() []row {
	now := time.Now()
	var all []row
	for _, s := range m.look.at(m.config.Apps, now) {
		all = append(all, m.row(s, now))
	}
	return all
}

// look is the last look at all applications. Several pages share one: it asks the
// system for the memory of each worker. The zero value has not looked yet.
type look struct {
	mu   sync.Mutex
	then time.Time
	apps []webapps.Status
}

// lookTime is how long a look is good for.
const lookTime = 250 * time.Millisecond

func (l *look) at(d Apps, now time.Time) []webapps.Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.then.IsZero() || now.Sub(l.then) >= lookTime {
		l.apps, l.then = d.Apps(), now
	}
	return l.apps
}

// forget has the next look be a fresh one: something was done.
func (l *look) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.then = time.Time{}
}

var (
	_ http.Handler = (*Manager)(nil)
	_ Apps         = (*webapps.Deployer)(nil)
)

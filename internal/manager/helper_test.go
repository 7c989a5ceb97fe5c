package manager_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/logbook"
	"github.com/seed-07905ac1/gatehouse/internal/manager"
	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/metrics"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// The page as browsers name it, and the password for it.
const (
	ownHost  = "manager.localhost:8001"
	origin   = "http://" + ownHost
	password = "correct horse battery"
)

// desk is a manager page with its applications.
type desk struct {
	*manager.Manager
	t       testing.TB
	apps    *webapps.Deployer
	dir     string // of the applications
	book    *logbook.Book
	log     *slog.Logger
	cookies []*http.Cookie
}

func newDesk(t testing.TB) *desk {
	book := logbook.New()
	return &desk{t: t, book: book, log: slog.New(book.Handler(slog.NewTextHandler(io.Discard, nil)))}
}

// open runs what is in files with a manager page until the end of the test.
func open(t testing.TB, files map[string]string, change ...func(*manager.Config)) *desk {
	t.Helper()
	return openWith(t, files, func(*webapps.Config) {}, change...)
}

// openWith is open with the applications so configured.
func openWith(t testing.TB, files map[string]string, of func(*webapps.Config), change ...func(*manager.Config)) *desk {
	t.Helper()
	d := newDesk(t)
	d.dir = t.TempDir()
	for name, text := range files {
		path := filepath.Join(d.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	config := webapps.Config{Dir: d.dir, Log: d.log}
	of(&config)
	d.apps, err = webapps.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testserver.Patience)
		defer cancel()
		if err := d.apps.Close(ctx); err != nil {
			t.Errorf("close the applications: %v", err)
		}
	})
	testserver.Receive(t, "the first deployments", d.apps.Deployed())
	d.start(change...)
	return d
}

// alone is a desk without applications, for a bubble in which time is not real:
// what watches folders would keep it from passing.
func alone(t testing.TB, change ...func(*manager.Config)) *desk {
	t.Helper()
	d := newDesk(t)
	d.start(change...)
	return d
}

// noApps are no applications; nothing else is asked for in a test with them.
type noApps struct{ apps }

type apps = manager.Apps

func (noApps) Traffic() map[webapps.ContextName]metrics.Snapshot { return nil }

// start makes the manager page, until the end of the test.
func (d *desk) start(change ...func(*manager.Config)) {
	d.t.Helper()
	c := manager.Config{
		Apps: noApps{}, Addr: netip.MustParseAddrPort("127.0.0.1:8001"), Book: d.book, Log: d.log,
	}
	if d.apps != nil {
		c.Apps = d.apps
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	if d.Manager, err = manager.New(c); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		if err := d.Close(); err != nil {
			d.t.Errorf("close the manager: %v", err)
		}
	})
}

// withPassword has a desk take the password.
func withPassword(t testing.TB) func(*manager.Config) {
	t.Helper()
	return func(c *manager.Config) { c.Password = manager.CheapHash(password) }
}

// request makes a request as a page of the manager would.
func (d *desk) request(method, path string, body io.Reader) *http.Request {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), method, path, body)
	r.Host = ownHost
	if method == http.MethodPost {
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, c := range d.cookies {
		r.AddCookie(c)
	}
	return r
}

// send has the page answer, and keeps its cookies as a browser does.
func (d *desk) send(r *http.Request) answer {
	d.t.Helper()
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	resp := w.Result()
	for _, c := range resp.Cookies() {
		d.cookies = nil
		if c.MaxAge >= 0 {
			d.cookies = []*http.Cookie{{Name: c.Name, Value: c.Value}}
		}
	}
	return answer{resp.StatusCode, resp.Header, w.Body.String()}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (d *desk) get(path string) answer { return d.send(d.request(http.MethodGet, path, nil)) }

// post sends a form.
func (d *desk) post(path string, pairs ...string) answer {
	d.t.Helper()
	r := d.request(http.MethodPost, path, strings.NewReader(form(pairs...)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return d.send(r)
}

func form(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// link is the path of a new link.
func (d *desk) link() string {
	d.t.Helper()
	link, err := d.Link()
	if err != nil {
		d.t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		d.t.Fatal(err)
	}
	return u.Path
}

// enter logs in.
func (d *desk) enter() *desk {
	d.t.Helper()
	if a := d.post(d.link()); a.status != http.StatusSeeOther || len(d.cookies) != 1 {
		d.t.Fatalf("logging in by a link gets %d and %d cookies:\n%s", a.status, len(d.cookies), a.body)
	}
	return d
}

// wants checks an answer.
func (a answer) wants(t testing.TB, status int, texts ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d; the page is\n%s", a.status, status, a.body)
		return
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("%q is missing in\n%s", text, a.body)
		}
	}
}

// upload is the form for a deployment, with its content type.
func upload(t testing.TB, file string, data []byte, pairs ...string) (body *bytes.Buffer, contentType string) {
	t.Helper()
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for i := 0; i < len(pairs); i += 2 {
		if err := w.WriteField(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if file != "" {
		f, err := w.CreateFormFile("archive", file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return body, w.FormDataContentType()
}

// deploy sends an archive.
func (d *desk) deploy(file string, data []byte, pairs ...string) answer {
	d.t.Helper()
	body, contentType := upload(d.t, file, data, pairs...)
	r := d.request(http.MethodPost, "/deploy", body)
	r.Header.Set("Content-Type", contentType)
	return d.send(r)
}

// site is an archive of a site of one page.
func site(t testing.TB, text string) []byte {
	t.Helper()
	return testserver.Zip(t, map[string]string{"index.html": text})
}

// visit asks an application.
func (d *desk) visit(path string) answer {
	d.t.Helper()
	w := httptest.NewRecorder()
	d.apps.ServeHTTP(w, httptest.NewRequestWithContext(d.t.Context(), http.MethodGet, path, nil))
	return answer{w.Code, w.Header(), w.Body.String()}
}

// state is that of the application of that name.
func (d *desk) state(base string) string {
	d.t.Helper()
	for _, s := range d.apps.Apps() {
		if s.Name.Base() == base {
			return s.State.String()
		}
	}
	return "none"
}

package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/testserver"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// visitor is a browser without a screen: it keeps cookies and follows no
// redirects. Where there is no answer its methods fail the test and return an
// empty page, so that they can be called from any goroutine.
type visitor struct {
	t      *testing.T
	client *http.Client
	url    string // of the site, with the final slash
}

// visit returns a visitor of the site at address.
func visit(t *testing.T, address string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true} // so that each worker has its turn
	return &visitor{t, &http.Client{
		Transport: transport, Jar: jar, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, address}
}

// page is an answer that has been read.
type page struct {
	*http.Response
	body string
}

// do sends a request for a path below the site.
func (v *visitor) do(method, path string, body io.Reader, fields ...string) page {
	v.t.Helper()
	none := page{Response: &http.Response{Status: "no answer"}}
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, body)
	if err != nil {
		v.t.Error(err)
		return none
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	resp, err := v.client.Do(r)
	if err != nil {
		v.t.Error(err)
		return none
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Errorf("%s %s: %v", method, path, err)
		return none
	}
	return page{resp, string(text)}
}

// get asks for a page that must be there.
func (v *visitor) get(path string) page {
	v.t.Helper()
	got := v.do(http.MethodGet, path, nil)
	if got.StatusCode != http.StatusOK {
		v.t.Errorf("%s: %s", path, got.Status)
	}
	return got
}

// cookie is the value of the site's cookie with that name, "" if there is none.
func (v *visitor) cookie(name string) string {
	site, err := url.Parse(v.url)
	if err != nil {
		return ""
	}
	for _, c := range v.client.Jar.Cookies(site) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// submit sends a form, with Django's token where there is one.
func (v *visitor) submit(path string, form url.Values) page {
	v.t.Helper()
	form.Set("csrfmiddlewaretoken", v.cookie("csrftoken"))
	return v.do(http.MethodPost, path, strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

// upload sends a form with a file.
func (v *visitor) upload(path string, form url.Values, field, name string, content []byte) page {
	v.t.Helper()
	form.Set("csrfmiddlewaretoken", v.cookie("csrftoken"))
	var body bytes.Buffer
	w := multipart.NewWriter(&body) // writing to memory does not fail
	for key := range form {
		_ = w.WriteField(key, form.Get(key))
	}
	part, _ := w.CreateFormFile(field, name)
	_, _ = part.Write(content)
	_ = w.Close()
	return v.do(http.MethodPost, path, &body, "Content-Type", w.FormDataContentType())
}

// host serves an application in this process, behind the engine, until the test
// ends: what is served is under the race detector too.
func host(t *testing.T, config pyapp.Config) (*pyapp.Pool, *testserver.Server) {
	t.Helper()
	pool, err := pyapp.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	return pool, testserver.StartConfig(t, testserver.H1, testserver.Config{Handler: pool})
}

// siteOf is the address of a hosted application.
func siteOf(s *testserver.Server) string { return fmt.Sprintf("http://%s/", s.Addr) }

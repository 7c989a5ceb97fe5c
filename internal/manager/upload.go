package manager

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/archive"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

const (
	// maxParts and maxValue bound what comes before the archive.
	maxParts = 8
	maxValue = 512
	// formRoom is what the rest of a form takes beside the archive, in bytes.
	formRoom = 64 << 10
)

// errForm is a form that does not look like ours.
var errForm = errors.New("the form has no archive")

// deploy takes an archive in. It is passed on while it comes: neither memory nor
// disk holds it twice.
func (m *Manager) deploy(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > m.config.MaxUpload+formRoom {
		m.showRefused(w, http.StatusRequestEntityTooLarge, deployForm{}, m.tooLarge())
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, m.config.MaxUpload+formRoom)
	u, err := readUpload(r)
	if err != nil {
		m.showRefused(w, http.StatusBadRequest, u.form, &trouble{What: err.Error(), ToDo: "Choose a .zip, .tar.gz, .tgz, .whl or .pyz file."})
		return
	}
	name, err := u.name()
	if err != nil {
		m.showRefused(w, http.StatusBadRequest, u.form, &trouble{What: err.Error(), ToDo: "Write the path at which it is to answer, such as /shop."})
		return
	}
	m.log.Info("asked for in the manager", "action", "deploy", "app", name.String(), "file", u.file.FileName(), "from", r.RemoteAddr)
	err = m.config.Apps.Deploy(m.ctx, name, archive.Ending(u.file.FileName()), u.file, webapps.DeployOptions{Discard: u.discard})
	m.look.forget()
	if err == nil {
		m.show303(w, appURL(name), "deploy")
		return
	}
	status, wrong := explain(err)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		status, wrong = http.StatusRequestEntityTooLarge, m.tooLarge()
	}
	m.showRefused(w, status, u.form, wrong)
}

func (m *Manager) tooLarge() *trouble {
	return &trouble{
		What: "The archive is larger than " + saySize(m.config.MaxUpload) + ".",
		ToDo: "Leave out what the application does not need, such as virtual environments and data.",
	}
}

// showRefused shows the page of all applications with what was wrong above the
// form, which keeps what was typed.
func (m *Manager) showRefused(w http.ResponseWriter, status int, form deployForm, wrong *trouble) {
	p := m.appsPage()
	p.Wrong, p.Form = wrong, form
	m.show(w, status, "apps", p)
}

// upload is a form as it arrives.
type upload struct {
	form    deployForm
	discard bool
	file    *multipart.Part // the archive, which is read last
}

// readUpload reads a form up to its archive.
func readUpload(r *http.Request) (u upload, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return u, errForm
	}
	for range maxParts {
		p, err := parts.NextPart()
		if err != nil {
			return u, errForm
		}
		if p.FormName() == "archive" {
			if p.FileName() == "" {
				return u, errForm
			}
			if archive.Ending(p.FileName()) == "" {
				return u, fmt.Errorf("%q does not end as archives do", p.FileName())
			}
			u.file = p
			return u, nil
		}
		value, err := io.ReadAll(io.LimitReader(p, maxValue+1))
		if err != nil || len(value) > maxValue {
			return u, fmt.Errorf("the field %q is too long", p.FormName())
		}
		switch text := strings.TrimSpace(string(value)); p.FormName() {
		case "path":
			u.form.Path = text
		case "version":
			u.form.Version = text
		case "discard":
			u.discard = text == "on"
		}
	}
	return u, errForm
}

// name is the application that is deployed: what was typed, else what the file's
// name says.
func (u *upload) name() (webapps.ContextName, error) {
	if u.form.Path != "" {
		return webapps.ParsePath("/"+strings.Trim(u.form.Path, "/"), u.form.Version)
	}
	file := u.file.FileName()
	base := strings.TrimSuffix(file, archive.Ending(file))
	if strings.EqualFold(archive.Ending(file), ".whl") {
		base, _, _ = strings.Cut(base, "-") // name-version-tags
	}
	name, err := webapps.ParseBase(base)
	if err == nil && u.form.Version != "" {
		return webapps.ParsePath(name.Path(), u.form.Version)
	}
	return name, err
}

package manager

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/seed-07905ac1/gatehouse/internal/archive"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// act does to an application what its address says.
func (m *Manager) act(w http.ResponseWriter, r *http.Request) {
	name, ok := named(r)
	if !ok {
		m.refuseApp(w)
		return
	}
	d, action := m.config.Apps, r.PathValue("action")
	var do func(context.Context, webapps.ContextName) error
	switch action {
	case "start":
		do = d.Start
	case "stop":
		do = d.Stop
	case "reload":
		do = d.Reload
	case "rollback":
		do = d.Rollback
	case "undeploy":
		do = d.Undeploy
	case "retire":
		do = func(ctx context.Context, name webapps.ContextName) error { return d.Retire(ctx, name, false) }
	default:
		m.refuse(w, http.StatusNotFound, "Nothing of that kind can be done to an application.", "")
		return
	}
	m.log.Info("asked for in the manager", "action", action, "app", name.String(), "from", r.RemoteAddr)
	// What was asked for is done although the page may be closed meanwhile.
	err := do(m.ctx, name)
	m.look.forget()
	switch {
	case err == nil && action == "undeploy":
		m.show303(w, "/", action)
	case err == nil:
		m.show303(w, appURL(name), action)
	default:
		m.showFailed(w, name, err)
	}
}

// show303 leads to a page that says what was done: loading it again does nothing.
func (m *Manager) show303(w http.ResponseWriter, to, action string) {
	w.Header().Set("Location", to+"?done="+action)
	w.WriteHeader(http.StatusSeeOther)
}

// showFailed shows what went wrong on the application's page, or that of all
// where there is none.
func (m *Manager) showFailed(w http.ResponseWriter, name webapps.ContextName, err error) {
	status, wrong := explain(err)
	if p := m.appPage(name); p != nil {
		p.Wrong = wrong
		m.show(w, status, "app", p)
		return
	}
	p := m.appsPage()
	p.Wrong = wrong
	m.show(w, status, "apps", p)
}

// explain puts an error of a Deployer into a status and words for the operator.
func explain(err error) (int, *trouble) {
	t := &trouble{What: err.Error()}
	status := http.StatusInternalServerError
	if f, ok := errors.AsType[*webapps.Failure](err); ok {
		status = http.StatusUnprocessableEntity
		t.ToDo, t.Detail = f.Hint, f.Traceback
	}
	if s, ok := errors.AsType[*pyapp.StartError](err); ok {
		status = http.StatusUnprocessableEntity
		t.ToDo, t.Detail = s.Hint, s.Traceback
	}
	if r, ok := errors.AsType[*webapps.RefusedError](err); ok {
		status, t.ToDo = http.StatusConflict, r.Hint
	}
	written, isWritten := errors.AsType[*webapps.WrittenError](err)
	switch {
	case isWritten:
		t.Files = written.Files
		t.ToDo = "Save these files, or deploy again with “discard files that it has written”. Files that are to stay belong in the folder that " +
			webapps.DataVariable + " names."
		status = http.StatusConflict
	case errors.Is(err, archive.ErrTooLarge):
		status = http.StatusRequestEntityTooLarge
		t.ToDo = cmp.Or(t.ToDo, "Leave out what the application does not need, such as virtual environments and data.")
	case errors.Is(err, archive.ErrDamaged):
		t.ToDo = cmp.Or(t.ToDo, "Upload a .zip, .tar.gz, .tgz, .whl or .pyz file. Is it complete?")
	case errors.Is(err, archive.ErrUnsafe):
		t.ToDo = cmp.Or(t.ToDo, "Pack it again, with plain files and folders only, by their relative names.")
	case errors.Is(err, webapps.ErrNoApp):
		status, t.ToDo = http.StatusNotFound, "It may have been undeployed meanwhile."
	case errors.Is(err, webapps.ErrNoPrevious):
		status, t.ToDo = http.StatusConflict, "Deploy the archive that you want to go back to."
	case errors.Is(err, webapps.ErrOnly):
		status, t.ToDo = http.StatusConflict, "Deploy a newer version first, or stop this one."
	case errors.Is(err, webapps.ErrClosed), errors.Is(err, context.Canceled):
		status, t.ToDo = http.StatusServiceUnavailable, "The server is ending. Try again when it has started."
	}
	return status, t
}

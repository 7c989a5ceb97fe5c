package manager

import (
	"net/http"
	"strconv"
)

// cookieName is that of the session's cookie. Browsers take a __Host- cookie from
// an encrypted connection alone; they send a cookie to all ports of a host, so
// that without encryption the port must tell two servers apart.
func (m *Manager) cookieName(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-gatehouse-manager"
	}
	return "gatehouse-manager-" + strconv.Itoa(int(m.config.Addr.Port()))
}

// session is that of whoever has sent r, and its secret; nil if he is not logged
// in. click says that he has done something.
func (m *Manager) session(r *http.Request, click bool) (*session, string) {
	c, err := r.Cookie(m.cookieName(r))
	if err != nil {
		return nil, ""
	}
	return m.sessions.find(c.Value, click), c.Value
}

// enter begins a session.
func (m *Manager) enter(w http.ResponseWriter, r *http.Request, how string) {
	if _, secret := m.session(r, false); secret != "" {
		m.sessions.end(secret)
	}
	m.setCookie(w, r, m.sessions.begin(), int(sessionTime.Seconds()))
	m.log.Info("somebody has logged in to the manager", "by", how, "from", r.RemoteAddr)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (m *Manager) setCookie(w http.ResponseWriter, r *http.Request, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: m.cookieName(r), Value: value, Path: "/", MaxAge: seconds,
		Secure: r.TLS != nil, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

// loginPage is what its template shows.
type loginPage struct {
	frame
	Password bool   // there is one
	Link     bool   // a link was opened
	Refused  string // why nobody was let in; may be empty
}

func (m *Manager) showLogin(w http.ResponseWriter, r *http.Request) {
	if s, _ := m.session(r, false); s != nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	m.askLogin(w, http.StatusOK, "")
}

func (m *Manager) askLogin(w http.ResponseWriter, status int, why string) {
	m.show(w, status, "login", &loginPage{frame: frame{Title: "Log in"}, Password: m.password != nil, Refused: why})
}

// maxForm bounds the body of a form without files, in bytes.
const maxForm = 8 << 10

func (m *Manager) login(w http.ResponseWriter, r *http.Request) {
	if m.password == nil {
		m.askLogin(w, http.StatusForbidden, "No password is set. A link from the command line is the way in.")
		return
	}
	// Before anything is hashed, and for all together: on this machine everybody
	// has the same address. Links are not counted, so nobody can lock the operator
	// out.
	if !m.tries.Allow() {
		w.Header().Set("Retry-After", strconv.Itoa(int(attemptTime.Seconds())))
		m.askLogin(w, http.StatusTooManyRequests, "Too many attempts. Wait ten seconds; a link from the command line works at once.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		m.askLogin(w, http.StatusBadRequest, "The form did not arrive as a whole.")
		return
	}
	m.checking.Lock()
	ok := m.password.matches(r.PostForm.Get("password"))
	m.checking.Unlock()
	if !ok {
		m.log.Warn("a wrong password for the manager", "from", r.RemoteAddr)
		m.askLogin(w, http.StatusForbidden, "That is not the password.")
		return
	}
	m.enter(w, r, "password")
}

// showLink shows a button. What only follows links, such as the preview of a
// chat, does not press it.
func (m *Manager) showLink(w http.ResponseWriter, r *http.Request) {
	if !m.links.valid(r.PathValue("secret")) {
		m.refuseLink(w)
		return
	}
	m.show(w, http.StatusOK, "login", &loginPage{frame: frame{Title: "Log in"}, Link: true})
}

func (m *Manager) followLink(w http.ResponseWriter, r *http.Request) {
	if !m.links.use(r.PathValue("secret")) {
		m.log.Warn("a link to the manager that is used, too old or wrong", "from", r.RemoteAddr)
		m.refuseLink(w)
		return
	}
	m.enter(w, r, "link")
}

func (m *Manager) refuseLink(w http.ResponseWriter) {
	m.refuse(w, http.StatusForbidden, "This link has been used, or is older than ten minutes.", "gatehouse manager link prints another one.")
}

func (m *Manager) logout(w http.ResponseWriter, r *http.Request) {
	_, secret := m.session(r, false)
	m.sessions.end(secret)
	m.setCookie(w, r, "", -1)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

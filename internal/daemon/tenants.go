package daemon

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/seed-07905ac1/gatehouse/internal/asuser"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// tenants decides whom each application in a folder of them runs as:
// docs/adr/0019-users.md.
type tenants struct {
	euid  int      // who has started the server
	base  *account // whom it becomes; nil: it stays who it is
	named bool     // somebody has said that all run as base
	alone error    // why nothing can be run as anybody else than base; nil if it can
}

// newTenants decides what the configuration of the start allows, where the server
// becomes base.
func newTenants(base *account, l *config.Loaded, euid int) (*tenants, error) {
	t := &tenants{euid: euid, base: base, named: l.Config.User != ""}
	switch {
	case euid != 0:
		t.alone = errors.New("only root can become another user")
	case base == nil: // root stays root, because somebody has said so
	case t.named && !namesUser(l):
		t.alone = errors.New("this server has given up the right to become other users; a restart, by root, gives it back")
	default:
		t.alone = asuser.MayKeep()
	}
	return t, t.check(l)
}

// namesUser reports whether the file names somebody whom an application runs as.
func namesUser(l *config.Loaded) bool {
	for _, app := range l.Config.InFolder() {
		if app.User != "" {
			return true
		}
	}
	return false
}

// keeps reports whether the process goes on to be able to do things as others.
func (t *tenants) keeps() bool { return t.base != nil && t.alone == nil }

// uid is who the server is, once it is who it becomes.
func (t *tenants) uid() int {
	if t.base != nil {
		return int(t.base.id.UID)
	}
	return t.euid
}

// mightiest tells of code that runs as whom the server does, beside applications
// of others: nobody but that user keeps the folder, and is heard at the control
// socket.
func (t *tenants) mightiest(apps []webapps.Status, c *config.Config) string {
	if t.base == nil {
		return ""
	}
	var own []string
	others := false
	for i := range apps {
		if apps[i].User == t.base.name {
			own = append(own, apps[i].Name.String())
		} else {
			others = others || apps[i].User != ""
		}
	}
	if len(codeFolders(c)) > 0 {
		own = append(own, "what routes lead to")
	}
	if len(own) == 0 || !others {
		return ""
	}
	verb := "run"
	if len(own) == 1 {
		verb += "s"
	}
	return fmt.Sprintf("%s %s as %s, as the server does, and can have all others do anything; give the folder to somebody who runs none",
		strings.Join(own, ", "), verb, t.base.name)
}

// check refuses users that nobody is, or nobody can become here.
func (t *tenants) check(l *config.Loaded) error {
	var failed []config.Problem
	for _, app := range l.Config.InFolder() {
		if app.User == "" {
			continue
		}
		if _, err := t.byName(app.User); err != nil {
			failed = append(failed, l.At("apps."+app.Name+".user", "user: "+err.Error()))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return &Error{Err: &config.FileError{Problems: failed}}
}

// byName is the account that the file names for an application.
func (t *tenants) byName(name string) (*webapps.Account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("cannot run as %s: no such user", name)
	}
	who, err := newAccount(u)
	if err != nil {
		return nil, err
	}
	return t.account(who)
}

// account is who as applications have it.
func (t *tenants) account(who *account) (*webapps.Account, error) {
	a := &webapps.Account{Name: who.name, Home: who.home}
	switch {
	case int(who.id.UID) == t.uid():
		if os.Geteuid() != t.uid() {
			a.User = &who.id // nobody has become him yet: the application is only looked at
		}
		return a, nil
	case who.id.UID == 0:
		return nil, errors.New("nothing runs as root that is not told so for the whole server")
	case t.alone != nil:
		return nil, fmt.Errorf("cannot run as %s: %w", who.name, t.alone)
	}
	a.User = &who.id
	return a, nil
}

// of is whom the application of that name runs as, whose entry belongs to owner:
// whom the file names for it, else for all, else the owner. An application that is
// root's is nobody's to run.
func (t *tenants) of(l *config.Loaded, name webapps.ContextName, owner uint32) (*webapps.Account, error) {
	if named := userOf(l, name); named != "" {
		return t.byName(named)
	}
	switch {
	case t.euid != 0:
		return nil, nil
	case t.named && t.base == nil: // as root, it was said
		return nil, nil
	case t.named || int(owner) == t.uid():
		return t.account(t.base)
	case owner == 0:
		return nil, &Error{
			Err:  errors.New("it belongs to root, and nothing that is not told so runs as root"),
			Hint: fmt.Sprintf("give it to whom it is to run as, with all that is in it: chown -R NAME; or say user = \"NAME\" in [apps.%q] of the server's file", name.Base()),
		}
	}
	if t.alone != nil {
		return nil, &Error{
			Err:  fmt.Errorf("it belongs to another user (%d) than the folder of applications, whose owner, %s, everything here runs as: %w", owner, t.base.name, t.alone),
			Hint: "chown -R " + t.base.name + "; or --user NAME, which runs all of it as one whom you trust with it",
		}
	}
	u, err := user.LookupId(strconv.FormatUint(uint64(owner), 10))
	if err != nil {
		return nil, &Error{
			Err:  fmt.Errorf("it belongs to a user (%d) whom this machine does not know", owner),
			Hint: "give it to somebody whom it knows, with all that is in it: chown -R NAME",
		}
	}
	who, err := newAccount(u)
	if err != nil {
		return nil, err
	}
	return t.account(who)
}

// userOf is whom the file names for an application; what it says of a version
// counts most.
func userOf(l *config.Loaded, name webapps.ContextName) (user string) {
	for _, app := range l.Config.InFolder() {
		table, err := webapps.ParseBase(app.Name)
		if err == nil && app.User != "" && (table == name || user == "" && concerns(table, name)) {
			user = app.User
		}
	}
	return user
}

package daemon

import (
	"fmt"
	"os/user"
	"strconv"

	"github.com/seed-07905ac1/gatehouse/internal/asuser"
)

// account is whom the server runs as once it has its ports, where that is not
// whoever started it.
type account struct {
	name, home string
	id         asuser.User
}

// env is what tells a process who it is; nothing for no account.
func (a *account) env() []string {
	if a == nil {
		return nil
	}
	return []string{"HOME=" + a.home, "USER=" + a.name, "LOGNAME=" + a.name}
}

// become gives the whole process, with all its threads, to the account, for
// good. Not only the application is then kept from what the account may not do,
// but also the server that opens files which the application names. With keep it
// goes on to be able to do things as others, see package asuser.
func (a *account) become(keep bool) error {
	if a == nil {
		return nil
	}
	if err := a.id.Become(keep); err != nil {
		return fmt.Errorf("daemon: become %s: %w", a.name, err)
	}
	return nil
}

// accountNamed is the account that --user names, nil if it is the server's own
// or none is named. Only root can become somebody else.
func accountNamed(name string, euid int) (*account, error) {
	if name == "" {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, &Error{Err: fmt.Errorf("cannot run as %s: no such user", name)}
	}
	who, err := newAccount(u)
	if err != nil {
		return nil, err
	}
	switch {
	case int(who.id.UID) == euid:
		return nil, nil
	case euid != 0:
		return nil, &Error{Err: fmt.Errorf("cannot run as %s: only root can become another user", name)}
	}
	return who, nil
}

// What accountFor's warning begins with.
const (
	applicationRuns = "the application runs"
	scriptsRun      = "scripts run"
)

// accountFor decides whom the code in dir runs as: whoever --user names; started
// by root, the folder's owner, so that nobody's code gains rights by being
// served; else the server's own user (nil). The warning is for a folder that
// root owns, which leaves nobody lesser to be; what begins it.
func accountFor(what, dir, named string, euid int) (who *account, warning string, err error) {
	if named != "" || euid != 0 {
		who, err = accountNamed(named, euid)
		return who, "", err
	}
	uid, ok := owner(dir)
	if !ok || uid == 0 {
		return nil, what + " as root, because root owns the folder; --user NAME takes somebody with fewer rights", nil
	}
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return nil, "", &Error{
			Err:  fmt.Errorf("cannot run as the owner of %s: %w", dir, err),
			Hint: "--user NAME takes somebody else",
		}
	}
	who, err = newAccount(u)
	return who, "", err
}

func newAccount(u *user.User) (*account, error) {
	a := &account{name: u.Username, home: u.HomeDir}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("daemon: groups of %s: %w", u.Username, err)
	}
	ids := append([]string{u.Uid, u.Gid}, groups...)
	numbers := make([]uint32, len(ids))
	for i, id := range ids {
		n, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("daemon: account %s: %w", u.Username, err)
		}
		numbers[i] = uint32(n)
	}
	a.id = asuser.User{UID: numbers[0], GID: numbers[1], Groups: numbers[2:]}
	return a, nil
}

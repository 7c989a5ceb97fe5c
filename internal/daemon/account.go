package daemon

import (
	"fmt"
	"os/user"
	"strconv"

	"github.com/seed-07905ac1/gatehouse/internal/pyproc"
)

// account is whom an application runs as, where that is not the server's user.
type account struct {
	pyproc.User
	name, home string
}

// env is what tells a process who it is.
func (a *account) env() []string {
	return []string{"HOME=" + a.home, "USER=" + a.name, "LOGNAME=" + a.name}
}

// accountFor decides whom the application in dir runs as: whoever --user names;
// started by root, the folder's owner, so that nobody's code gains rights by
// being served; else the server's own user (nil). The warning is for a folder
// that root owns, which leaves nobody lesser to be.
func accountFor(dir, named string, euid int) (who *account, warning string, err error) {
	if named != "" {
		if who, err = lookUp(named); err != nil {
			return nil, "", &Error{Err: fmt.Errorf("cannot run as %s: no such user", named)}
		}
		if euid != 0 && int(who.UID) != euid {
			return nil, "", &Error{Err: fmt.Errorf("cannot run as %s: only root can become another user", named)}
		}
		if int(who.UID) == euid {
			return nil, "", nil
		}
		return who, "", nil
	}
	if euid != 0 {
		return nil, "", nil
	}
	uid, ok := owner(dir)
	if !ok || uid == 0 {
		return nil, "the application runs as root, because root owns its folder; --user NAME runs it as somebody with fewer rights", nil
	}
	who, err = lookUpID(uid)
	if err != nil {
		return nil, "", &Error{
			Err:  fmt.Errorf("cannot run as the owner of %s: %w", dir, err),
			Hint: "--user NAME runs it as somebody else",
		}
	}
	return who, "", nil
}

// lookUp finds a user by name.
func lookUp(name string) (*account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("daemon: look up user: %w", err)
	}
	return newAccount(u)
}

// lookUpID finds a user by number.
func lookUpID(uid uint32) (*account, error) {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return nil, fmt.Errorf("daemon: look up user: %w", err)
	}
	return newAccount(u)
}

func newAccount(u *user.User) (*account, error) {
	a := &account{name: u.Username, home: u.HomeDir}
	var err error
	if a.UID, err = number(u.Uid); err != nil {
		return nil, err
	}
	if a.GID, err = number(u.Gid); err != nil {
		return nil, err
	}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("daemon: groups of %s: %w", u.Username, err)
	}
	for _, g := range groups {
		gid, err := number(g)
		if err != nil {
			return nil, err
		}
		a.Groups = append(a.Groups, gid)
	}
	return a, nil
}

func number(id string) (uint32, error) {
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("daemon: user: %w", err)
	}
	return uint32(n), nil
}

package daemon

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// sitesAccount is whom the process becomes: applications and scripts must not gain
// rights by being served.
func sitesAccount(p *project, l *config.Loaded, folder string, euid int) (who *account, caution string, err error) {
	c := &l.Config
	code := codeFolders(c)
	switch {
	case folder != "":
		who, err = accountForAll(folder, c.User, euid)
	case len(code) > 0:
		who, caution, err = accountFor(applicationRuns, filepath.Dir(l.File), c.User, euid)
	default:
		who, err = accountNamed(c.User, euid)
	}
	if err != nil {
		return nil, "", err
	}
	if c.User != "" || euid != 0 {
		return who, caution, nil
	}
	uid := uint32(0)
	if who != nil {
		uid = who.id.UID
	}
	return who, caution, foreignAll(p, l, folder, uid)
}

// foreignAll refuses what somebody else has a say in than uid, whom all of it runs
// as, or root.
func foreignAll(p *project, l *config.Loaded, folder string, uid uint32) error {
	if err := foreign(l, codeFolders(&l.Config), uid, owner); err != nil || folder == "" {
		return err
	}
	return foreignFile(l, p.source.Path == "", uid, owner)
}

// foreignFile refuses a configuration that was found, not named, and that somebody
// else has written than whom the applications in a folder run as, or root: it says
// what they run with, and the folder may be one that a link leads to.
func foreignFile(l *config.Loaded, found bool, uid uint32, ownerOf func(file string) (uint32, bool)) error {
	own, ok := ownerOf(l.File)
	if l.File == "" || !found || !ok || own == uid || own == 0 {
		return nil
	}
	return &Error{
		Err:  fmt.Errorf("%s belongs to another user (%d) than the applications in the folder run as (%d)", l.File, own, uid),
		Hint: "give the file to root, or name it with --config",
	}
}

// codeFolders are the folders that applications and scripts lie in, by the names
// of what says so.
func codeFolders(c *config.Config) map[string]string {
	all := map[string]string{}
	for _, app := range c.Routed() {
		all["apps."+app.Name+".dir"] = app.Dir
	}
	for i := range c.Sites {
		for j, r := range c.Sites[i].Routes {
			if r.Kind == config.KindCGI || r.Kind == config.KindPages {
				all[config.RouteName(i, j)+"."+string(r.Kind)] = r.Folder
			}
		}
	}
	return all
}

// foreign refuses code that belongs to somebody else than whom it would run as,
// or root: its owner would get the rights of another.
func foreign(l *config.Loaded, code map[string]string, uid uint32, ownerOf func(dir string) (uint32, bool)) error {
	var failed []config.Problem
	for _, name := range slices.Sorted(maps.Keys(code)) {
		if own, ok := ownerOf(code[name]); ok && own != uid && own != 0 {
			failed = append(failed, l.At(name, fmt.Sprintf("%s belongs to another user (%d) than all would run as (%d)", code[name], own, uid)))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return &Error{
		Err:  &config.FileError{Problems: failed},
		Hint: "say user = \"NAME\" for whom all of it is to run as, or give the folders to one owner",
	}
}

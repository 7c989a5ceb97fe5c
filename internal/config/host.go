package config

// hostOwners are where hosts are claimed, each by one site or by the folder of
// applications; "" is for every host that no other has.
type hostOwners map[string]hostOwner

type hostOwner struct {
	line   int
	folder bool // of applications
}

// usualFolder is the folder of applications beside a file that names its hosts
// alone.
const usualFolder = "webapps"

// hasFolder reports whether there is a folder of applications, as far as the
// configuration tells.
func (d *decoder) hasFolder() bool { return d.config.Webapps.Dir != "" }

// folder completes what [webapps] says, and claims its hosts.
func (d *decoder) folder(owners hostOwners, n *node) {
	w := &d.config.Webapps
	if len(w.Hosts) > 0 && w.Dir == "" {
		w.Dir = under(d.file.dir, usualFolder)
		d.origins["webapps"] = d.origins["webapps-hosts"]
	}
	switch {
	case n != nil && n.child("hosts") != nil:
		d.claim(owners, w.Hosts, n)
	case d.hasFolder():
		owners[""] = hostOwner{d.origins["webapps"].Line, true}
	}
}

// claim reports hosts of the table n that another has already.
func (d *decoder) claim(owners hostOwners, hosts []string, n *node) {
	list := n.child("hosts")
	if list == nil {
		other, taken := owners[""]
		switch {
		case !taken:
			owners[""] = hostOwner{line: n.key.line}
		case other.folder:
			d.wrong(n.key, "sites: this site has no hosts, and neither has the folder of applications; only one can answer for all hosts that no other has: say hosts here or in %s", d.label("webapps"))
		default:
			d.wrong(n.key, "sites: this site and that of line %d both have no hosts; only one can answer for all that no other site has", other.line)
		}
		return
	}
	for i, host := range hosts {
		at := n.key
		if list.kind == Array && len(list.items) == len(hosts) {
			at = list.items[i].at
		}
		if other, taken := owners[host]; taken {
			d.wrong(at, "hosts: %q is a host of line %d already", host, other.line)
			continue
		}
		owners[host] = hostOwner{line: at.line}
	}
}

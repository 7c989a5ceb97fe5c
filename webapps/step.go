package webapps

// Step is what a deployment does now, for whoever waits for it.
type Step string

// The steps, in their order. Not every deployment takes all of them.
const (
	Preparing  Step = "preparing"  // its folder and its configuration are looked at
	Unpacking  Step = "unpacking"  // the archive
	Installing Step = "installing" // its requirements
	Releasing  Step = "releasing"  // its release commands run
	Starting   Step = "starting"   // it is imported, and asked for its health
)

// at notes what the deployment does now.
func (i *instance) at(s Step) {
	i.mu.Lock()
	i.step = s
	i.mu.Unlock()
	i.notify()
}

// doing is what the deployment does now.
func (i *instance) doing() Step {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.step
}

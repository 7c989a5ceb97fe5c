package webapps

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/detect"
	"github.com/seed-07905ac1/gatehouse/pyapp"
)

// Install says what an application needs that is put into a virtual environment
// of its own before it starts. The zero value installs nothing.
type Install struct {
	// On has the requirements installed: those of requirements.txt in the
	// application's folder, or, where there is none, Project.
	On bool
	// Project are requirements (PEP 508) that the application names elsewhere, as in
	// pyproject.toml; nil if it does not.
	Project []string
	// Wheels is a folder that has all that is needed; then nothing is looked for
	// anywhere else. "" means wherever pip, or uv, looks.
	Wheels string
	// Timeout bounds all of it; 0 means DefaultInstallTimeout.
	Timeout time.Duration
}

// DefaultInstallTimeout is what an installation may take: some packages are
// compiled.
const DefaultInstallTimeout = 15 * time.Minute

// requirementsFile is what pip's users call it.
const requirementsFile = "requirements.txt"

// What is read of requirements: people's lists are far smaller.
const (
	maxRequirements     = 1 << 20 // bytes of a file
	maxRequirementFiles = 100     // that name each other
)

// An environmentPlan is a virtual environment with an application's requirements,
// which may be there. Two with the same key have the same in them.
type environmentPlan struct {
	install Install
	user    *pyapp.User // whose it is
	base    string      // the interpreter that it is made of
	dir     string      // the application's folder
	key     string
}

// planEnvironment finds out which environment an application needs; nil for none.
// It is called with the application's rights.
func planEnvironment(i *instance) (*environmentPlan, error) {
	if !i.app.Install.On || i.found.kind == Static {
		return nil, nil
	}
	p := &environmentPlan{install: i.app.Install, user: i.account.user(), dir: i.dir, base: i.found.base}
	switch i.found.kind {
	case CGI:
		p.base = i.app.CGI.Python
	case Pages:
		p.base = i.app.Pages.Scripts.Python
	}
	base, err := exec.LookPath(cmp.Or(p.base, "python3"))
	if err == nil {
		p.base, err = filepath.Abs(base)
	}
	if err != nil {
		return nil, fmt.Errorf("install: %w", err)
	}
	h := sha256.New()
	if err := p.sum(h); err != nil {
		return nil, fmt.Errorf("install: %w", err)
	}
	p.key = hex.EncodeToString(h.Sum(nil)[:10])
	return p, nil
}

// sum writes all that decides about what is installed.
func (p *environmentPlan) sum(h hash.Hash) error {
	fmt.Fprintf(h, "%q\n", p.base)
	if p.user != nil {
		fmt.Fprintln(h, "of user", p.user.UID)
	}
	if real, err := os.Stat(p.base); err == nil {
		fmt.Fprintln(h, real.Size(), real.ModTime().UnixNano())
	}
	_, err := os.Lstat(filepath.Join(p.dir, requirementsFile))
	switch {
	case err == nil:
		if err := sumRequirements(h, filepath.Join(p.dir, requirementsFile), map[string]bool{}); err != nil {
			return err
		}
	case p.install.Project != nil:
		fmt.Fprintf(h, "%q\n", p.install.Project)
	default:
		return &hintError{fmt.Errorf("there is neither %s nor a table [project] in pyproject.toml in %s", requirementsFile, p.dir), "without requirements leave install out"}
	}
	if p.install.Wheels == "" {
		return nil
	}
	wheels, err := os.ReadDir(p.install.Wheels)
	if err != nil {
		return err
	}
	for _, w := range wheels {
		info, err := w.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%q %d %d\n", w.Name(), info.Size(), info.ModTime().UnixNano())
	}
	return nil
}

// sumRequirements writes a file of requirements, and those that it includes.
func sumRequirements(h hash.Hash, path string, seen map[string]bool) error {
	if seen[path] {
		return nil
	}
	seen[path] = true
	if len(seen) > maxRequirementFiles {
		return fmt.Errorf("%s: more than %d files include each other", path, maxRequirementFiles)
	}
	text, err := readRegular(path, maxRequirements)
	if err != nil {
		return err
	}
	fmt.Fprintf(h, "%q %q\n", path, text)
	for line := range strings.Lines(string(text)) {
		for _, option := range []string{"-r", "--requirement", "-c", "--constraint"} {
			rest, ok := strings.CutPrefix(strings.TrimSpace(line), option)
			file := strings.TrimLeft(rest, " \t=")
			long := len(option) > len("-r")
			if !ok || long && file == rest || file == "" || strings.Contains(file, "://") {
				continue
			}
			if !filepath.IsAbs(file) {
				file = filepath.Join(filepath.Dir(path), file)
			}
			// One that is not there is pip's to tell.
			if err := sumRequirements(h, file, seen); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			break
		}
	}
	return nil
}

// install sees to it that the instance has an environment with its requirements,
// and runs with that one's interpreter.
func (d *Deployer) install(ctx context.Context, i *instance) error {
	var p *environmentPlan
	err := i.account.do(func() (err error) {
		p, err = planEnvironment(i)
		return err
	})
	if p == nil || err != nil {
		return err
	}
	dir := d.store.environment(i.name, p.key)
	d.mu.Lock()
	d.environments[dir]++ // from now on nobody removes it
	d.mu.Unlock()
	i.environment, i.environmentKey = dir, p.key
	complete := false
	_ = i.account.do(func() error { complete = isComplete(dir); return nil }) // what he cannot see is not
	if !complete {
		if err := d.build(ctx, i, p, dir); err != nil {
			return errors.Join(err, removeAll(dir))
		}
	}
	if err := i.account.do(func() error { return markUsed(dir) }); err != nil {
		return err
	}
	python := filepath.Join(dir, "bin", "python")
	switch i.found.kind {
	case CGI:
		i.app.CGI.Python = python
	case Pages:
		i.app.Pages.Scripts.Python = python
	case WSGI:
		r := *i.found.wsgi // the other may be another instance's as well
		r.Python = detect.Interpreter{Path: python, Venv: dir, Why: "install"}
		i.found.wsgi = &r
	}
	return nil
}

// build makes the environment in dir.
func (d *Deployer) build(ctx context.Context, i *instance, p *environmentPlan, dir string) error {
	done, err := d.takePlace(ctx)
	if err != nil {
		return err
	}
	defer done()
	i.at(Installing)
	begun := time.Now()
	limit := cmp.Or(p.install.Timeout, DefaultInstallTimeout)
	// What a server that was killed has left is in the way of some tools.
	if err := removeAll(dir); err != nil {
		return err
	}
	if err := d.store.mkdir(d.store.apps(i.name), filepath.Dir(dir)); err != nil {
		return err
	}
	if err := own(dir, i.account); err != nil {
		return err
	}
	data, err := d.store.data(i.name, i.account)
	if err != nil {
		return err
	}
	env := environment(i.account, nil, i.variables(), data)
	var output strings.Builder
	step := func(argv ...string) error {
		left := limit - time.Since(begun)
		text, err := command{argv: argv, conditions: conditions{dir: p.dir, env: env, user: p.user, cell: i.cell}, limit: left}.run(ctx)
		if err != nil {
			return &commandError{"install: " + strings.Join(argv, " "), text, err}
		}
		output.WriteString(text + "\n")
		return nil
	}
	// uv does the same in a fraction of the time.
	uv, err := exec.LookPath("uv")
	create := []string{p.base, "-m", "venv", dir}
	add := []string{filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"}
	if err == nil {
		create = []string{uv, "venv", "--python", p.base, dir}
		add = []string{uv, "pip", "install", "--python", filepath.Join(dir, "bin", "python")}
	}
	if err := step(create...); err != nil {
		return err
	}
	if p.install.Wheels != "" {
		add = append(add, "--no-index", "--find-links", p.install.Wheels)
	}
	file := filepath.Join(p.dir, requirementsFile)
	err = i.account.do(func() error {
		if _, err := os.Lstat(file); err == nil {
			return nil
		}
		file = filepath.Join(dir, requirementsFile)
		return writeFile(file, []byte(strings.Join(p.install.Project, "\n")+"\n"))
	})
	if err != nil {
		return err
	}
	if err := step(append(add, "-r", file)...); err != nil {
		return err
	}
	i.log.Info("requirements installed", "environment", dir, "in", time.Since(begun).Round(time.Millisecond).String(), "output", strings.TrimSpace(output.String()))
	return i.account.do(func() error { return writeFile(filepath.Join(dir, completeMark), nil) })
}

// leave has an instance that has ended need its environment no longer, and removes
// those of its application that nobody needs, but for the one that was used last:
// a rollback needs it. The caller is a task, and nobody waits for the removal: there
// is no end to what a user can put into an environment.
func (d *Deployer) leave(i *instance) {
	if i.environment == "" {
		return
	}
	d.mu.Lock()
	d.environments[i.environment]--
	if d.environments[i.environment] == 0 {
		delete(d.environments, i.environment)
	}
	i.environment = ""
	// They are away before somebody may need one again.
	aside, err := d.store.keepEnvironments(i.name, func(dir string) bool { return d.environments[dir] > 0 })
	d.mu.Unlock()
	d.tasks.Go(func() {
		for _, path := range aside {
			err = errors.Join(err, d.store.remove(path))
		}
		if err != nil {
			d.log.Warn("an environment that nobody needs stays", "app", i.name.String(), "error", err)
		}
	})
}

// completeMark is the file by which an environment is known to be whole; when it
// was changed, the environment was used.
const completeMark = "gatehouse-complete"

// environment is the folder of the environment with that key.
func (s *store) environment(name ContextName, key string) string {
	return filepath.Join(s.apps(name), environmentsName, key)
}

// environmentsName is the folder of environments.
const environmentsName = "venv"

func isComplete(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, completeMark))
	return err == nil
}

// markUsed notes that the environment in dir is the one that was used last.
func markUsed(dir string) error {
	now := time.Now()
	return os.Chtimes(filepath.Join(dir, completeMark), now, now)
}

// keepEnvironments sets aside the environments of an application that are not
// needed, but for one, which was used last. The caller removes what aside names.
func (s *store) keepEnvironments(name ContextName, needed func(dir string) bool) (aside []string, err error) {
	type idle struct {
		dir  string
		used time.Time
	}
	entries, err := os.ReadDir(filepath.Join(s.apps(name), environmentsName))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil // the application is gone
		}
		return nil, err
	}
	var all []idle
	for _, e := range entries {
		dir := s.environment(name, e.Name())
		if needed(dir) {
			continue
		}
		one := idle{dir: dir}
		if info, err := os.Lstat(dir); err == nil {
			// One that its user cannot look into is as good as not whole.
			_ = stranger(info).Do(func() error {
				if info, err := os.Lstat(filepath.Join(dir, completeMark)); err == nil {
					one.used = info.ModTime()
				}
				return nil
			})
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b idle) int { return b.used.Compare(a.used) })
	var errs []error
	for n, one := range all {
		if n > 0 || one.used.IsZero() {
			path, err := s.setAside(one.dir)
			errs = append(errs, err)
			if path != "" {
				aside = append(aside, path)
			}
		}
	}
	return aside, errors.Join(errs...)
}

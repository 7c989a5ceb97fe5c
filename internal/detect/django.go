package detect

import (
	"path/filepath"
	"strings"
)

// SettingsVar is the variable that tells Django its settings module.
const SettingsVar = "DJANGO_SETTINGS_MODULE"

// django takes the Django project whose manage.py lies in root, if there is one.
func (f *finder) django(root string) bool {
	manage := loadModule(root, "manage")
	if manage == nil || manage.isPkg {
		return false
	}
	settings, line := settingsIn(manage)
	if settings == "" && manage.framework() != Django {
		return false // other tools have a manage.py too
	}
	f.res.ImportDir, f.res.Framework, f.res.Settings = root, Django, settings
	f.res.Files = append(f.res.Files, f.rel(manage.file))
	if settings == "" {
		f.because(manage.file, 0, "Django project")
	} else {
		f.because(manage.file, line, "Django project, its commands use the settings %s", settings)
	}
	m, callable := f.wsgiModule(root, settings)
	if m == nil {
		// No file to import: Django makes the callable once it knows its settings.
		f.res.App = "django.core.wsgi:get_wsgi_application()"
		f.because("", 0, "no wsgi.py; Django's own callable")
		f.inherit(settings)
		f.projectName(settings)
		return true
	}
	f.res.App = m.name + ":" + callable
	f.res.Files = append(f.res.Files, f.rel(m.file))
	b, _ := m.lookup(callable)
	f.because(m.file, b.line, "WSGI application %s", f.res.App)
	f.settingsOf(m)
	f.projectName(m.name)
	return true
}

// projectName takes the package that a dotted name begins with.
func (f *finder) projectName(dotted string) {
	if pkg, _, ok := strings.Cut(dotted, "."); ok {
		f.res.Name = pkg
	}
}

// settingsOf makes certain of the settings that the WSGI module m will have:
// the environment's, those it sets itself, or else those of manage.py, which no
// worker runs and which therefore have to be handed over.
func (f *finder) settingsOf(m *module) {
	if env := f.settings; env.Value != "" {
		f.res.Settings = env.Value
		f.because(env.File, env.Line, "settings module %s, from %s in the environment", env.Value, SettingsVar)
		return
	}
	if own, line := settingsIn(m); own != "" {
		f.res.Settings = own
		f.because(m.file, line, "settings module %s", own)
		return
	}
	f.inherit(f.res.Settings)
}

// inherit hands settings over in the worker's environment.
func (f *finder) inherit(settings string) {
	if settings == "" || f.settings.Value != "" {
		return
	}
	f.res.Env = append(f.res.Env, SettingsVar+"="+settings)
	f.because("", 0, "%s=%s for the workers", SettingsVar, settings)
}

// settingsIn finds the statement that sets the settings module to a literal, at
// any depth: manage.py has it in a function.
func settingsIn(m *module) (settings string, line int) {
	for _, s := range m.code {
		code := strings.ReplaceAll(s.code, " ", "")
		if !strings.Contains(code, "environ.setdefault($,$") && !strings.Contains(code, "environ[$]=$") {
			continue
		}
		for i, text := range s.text[:len(s.text)-1] {
			if text == SettingsVar && isDotted(s.text[i+1]) {
				return s.text[i+1], s.line
			}
		}
	}
	return "", 0
}

// wsgiModule finds the project's WSGI module: the one that the settings name,
// one beside the settings or above them, or the only one in a package of root.
func (f *finder) wsgiModule(root, settings string) (m *module, callable string) {
	const usual = "application"
	if sm := loadModule(root, settings); sm != nil {
		dotted, line := literal(sm, "WSGI_APPLICATION")
		home, name := cutLast(dotted)
		if m := loadModule(root, home); m != nil {
			f.because(sm.file, line, "WSGI_APPLICATION names %s", dotted)
			return m, name
		}
	}
	for home, _ := cutLast(settings); home != ""; home, _ = cutLast(home) {
		if m := loadModule(root, home+".wsgi"); m != nil {
			return m, usual
		}
	}
	for _, pkg := range subfolders(root) {
		if !isFile(filepath.Join(root, pkg, "wsgi.py")) {
			continue
		}
		if m != nil {
			return nil, "" // two: neither is better
		}
		m = loadModule(root, pkg+".wsgi")
	}
	return m, usual
}

// literal is the dotted name that the module assigns to name as a literal.
func literal(m *module, name string) (dotted string, line int) {
	for _, s := range m.code {
		if s.indent == 0 && s.isLiteral(name) && isDotted(s.text[0]) {
			return s.text[0], s.line
		}
	}
	return "", 0
}

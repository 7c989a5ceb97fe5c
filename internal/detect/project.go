package detect

import (
	"os"
	"path/filepath"
)

// LooksLikeProject reports whether dir is where somebody develops or deploys an
// application rather than a folder of things to give away, and names the file or
// folder in it that says so. The static service hides sources, databases and
// keys in such folders; when in doubt it is a project.
func LooksLikeProject(dir string) (evidence string, ok bool) {
	for _, name := range []string{
		"manage.py", "wsgi.py", "asgi.py", "app.py", "settings.py", "__init__.py",
		"pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile", "poetry.lock", "uv.lock", "tox.ini", "environment.yml",
		"package.json", "composer.json", "Gemfile", "go.mod", "Cargo.toml",
		"Dockerfile", "docker-compose.yml", "compose.yaml", "gatehouse.toml", ".env", ".git", ".hg",
	} {
		if exists(filepath.Join(dir, name)) {
			return name, true
		}
	}
	for _, name := range []string{".venv", "venv"} {
		if isVenv(filepath.Join(dir, name)) {
			return name, true
		}
	}
	return "", false
}

// exists reports whether there is anything of that name, a dangling link included.
func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

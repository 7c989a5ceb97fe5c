package static

import (
	"os"
	"path"
	"strings"
)

// ProjectRule says when the sources, databases, keys and backups of a software
// project are kept from clients. Dotfiles are kept in any case.
type ProjectRule uint8

const (
	// ProjectAuto keeps them below every folder that looks like a project: one
	// that holds a manage.py, a pyproject.toml, a .git or another of the usual
	// signs.
	ProjectAuto ProjectRule = iota
	// ProjectAlways keeps them everywhere.
	ProjectAlways
	// ProjectNever serves them.
	ProjectNever
)

// String returns the rule's name: auto, always or never.
func (p ProjectRule) String() string {
	switch p {
	case ProjectAuto:
		return "auto"
	case ProjectAlways:
		return "always"
	case ProjectNever:
		return "never"
	}
	return "unknown"
}

// dotted reports whether name, a clean slash path, has an element that begins
// with a dot. A first element ".well-known" is none: RFC 8615 puts there what
// everybody shall see.
func dotted(name string) bool {
	if name == "." {
		return false
	}
	if name == ".well-known" {
		return false
	}
	name = strings.TrimPrefix(name, ".well-known/")
	return name[0] == '.' || strings.Contains(name, "/.")
}

// secretFile reports whether a file of that name is part of a project that its
// visitors have no business with: source, bytecode, database, settings, key,
// backup. Compared without case: some file systems do not tell cases apart.
func secretFile(base string) bool {
	base = strings.ToLower(base)
	// A backup of a secret file is one too, and so is its compressed neighbour.
	if strings.HasSuffix(base, "~") || strings.HasPrefix(base, "#") && strings.HasSuffix(base, "#") {
		return true
	}
	switch path.Ext(base) {
	case ".py", ".pyc", ".pyo", ".pyw", ".pyi", ".pyx", ".pxd", ".ipynb",
		".sqlite3", ".sqlite", ".db", ".db3", ".mdb", ".rdb", ".sql", ".dump",
		".sqlite3-wal", ".sqlite3-shm", ".sqlite3-journal", ".sqlite-wal", ".sqlite-shm", ".sqlite-journal",
		".db-wal", ".db-shm", ".db-journal",
		".toml", ".cfg", ".ini", ".conf", ".env", ".lock", ".log",
		".key", ".pem", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".age",
		".bak", ".backup", ".old", ".orig", ".rej", ".save", ".swp", ".swo":
		return true
	case ".br", ".zst", ".gz":
		return secretFile(strings.TrimSuffix(base, path.Ext(base)))
	}
	switch base {
	case "dockerfile", "containerfile", "makefile", "procfile", "pipfile", "vagrantfile", "jenkinsfile",
		"docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml",
		"requirements.txt", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "htpasswd", "passwd", "shadow",
		"credentials", "credentials.json", "secrets.json", "secrets.yml", "secrets.yaml", "service-account.json":
		return true
	}
	return strings.HasPrefix(base, "requirements-") && strings.HasSuffix(base, ".txt")
}

// secretFolder reports whether a folder of that name is part of a project and
// nothing for visitors.
func secretFolder(base string) bool {
	switch strings.ToLower(base) {
	case "__pycache__", "venv", "site-packages":
		return true
	}
	return false
}

// secret reports whether the project rule may concern name: whether its last
// element or a folder on the way is part of a project.
func secret(name string) bool {
	if secretFile(path.Base(name)) || secretFolder(path.Base(name)) {
		return true
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if secretFolder(path.Base(dir)) {
			return true
		}
	}
	return false
}

// projectSigns are the names by which a folder looks like a project.
const projectSigns = "manage.py pyproject.toml setup.py setup.cfg requirements.txt Pipfile poetry.lock uv.lock tox.ini " +
	"environment.yml gatehouse.toml wsgi.py asgi.py app.py main.py settings.py __init__.py " +
	"venv/pyvenv.cfg .venv/pyvenv.cfg env/pyvenv.cfg .env " +
	".git .hg .svn package.json composer.json Gemfile go.mod Cargo.toml Dockerfile"

// projectSign returns the first name in dir, a slash path below top, by which it
// looks like a project, or "".
func projectSign(top *os.Root, dir string) string {
	for sign := range strings.FieldsSeq(projectSigns) {
		// Only whether it is there counts, so a link or a race does no harm.
		if _, err := top.Lstat(path.Join(dir, sign)); err == nil {
			return sign
		}
	}
	return ""
}

// hidden reports whether name, a resolved clean slash path, is kept from
// clients: a dotfile, or part of a project where rule says so. The folders above
// name are looked at only if name is of a suspicious kind.
func hidden(top *os.Root, name string, rule ProjectRule) bool {
	if dotted(name) {
		return true
	}
	switch rule {
	case ProjectNever:
		return false
	case ProjectAlways:
		return secret(name)
	}
	return secret(name) && inProject(top, path.Dir(name))
}

// inProject reports whether dir or a folder above it, up to top, looks like a
// project.
func inProject(top *os.Root, dir string) bool {
	for {
		if projectSign(top, dir) != "" {
			return true
		}
		if dir == "." {
			return false
		}
		dir = path.Dir(dir)
	}
}

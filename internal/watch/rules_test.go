package watch_test

import (
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/watch"
)

func TestCounts(t *testing.T) {
	for _, tt := range []struct {
		what string
		path string
		want bool
	}{
		{"module", "shop/views.py", true},
		{"module below a folder called static", "static/models.py", true},
		{"compiled module", "shop/fast.cpython-313-x86_64-linux-gnu.so", true},
		{"byte code", "shop/__pycache__/views.cpython-313.pyc", false},
		{"byte code beside its source", "shop/views.pyc", false},
		{"environment", ".env", true},
		{"environment of a stage", ".env.local", true},
		{"environment, Flask's", ".flaskenv", true},
		{"environment's swap file", ".env.swp", false},
		{"settings", "pyproject.toml", true},
		{"requirements", "requirements.txt", true},
		{"requirements of a kind", "requirements-dev.txt", true},
		{"settings, Pyramid's", "development.ini", true},
		{"translation", "locale/de/LC_MESSAGES/django.mo", true},
		{"translation's source", "locale/de/LC_MESSAGES/django.po", false},

		{"template", "shop/templates/shop/index.html", true},
		{"template of a mail", "shop/templates/mail/welcome.txt", true},
		{"template elsewhere", "pages/index.html", true},
		{"template, Jinja2's", "views/index.jinja2", true},
		{"template in a folder of templates called static", "templates/static/base.html", false},
		{"text elsewhere", "notes.txt", false},
		{"page that is served as it is", "static/index.html", false},
		{"page of a coverage report", "htmlcov/index.html", false},

		{"style sheet", "static/site.css", false},
		{"script", "shop/static/shop/site.js", false},
		{"upload", "media/avatar.png", false},
		{"database", "db.sqlite3", false},
		{"database's journal", "db.sqlite3-journal", false},
		{"data of the application", "data.json", false},
		{"log", "debug.log", false},

		{"installed", "lib/python3.13/site-packages/flask/app.py", false},
		{"installed, JavaScript", "node_modules/gyp/gyp.py", false},
		{"below a dot folder", ".git/hooks/x.py", false},
		{"module with capitals", "SHOP.PY", true},

		{"vim: swap file", "shop/.views.py.swp", false},
		{"vim: trial", "templates/4913", false},
		{"vim: backup", "shop/views.py~", false},
		{"Emacs: lock", "shop/.#views.py", false},
		{"Emacs: autosave", "shop/#views.py#", false},
		{"JetBrains: temporary", "templates/base.html___jb_tmp___", false},
		{"sed -i", "shop/sedPk3xQa", false},
		{"merge's leftover", "templates/base.html.orig", false},
	} {
		if got := watch.Counts(tt.path); got != tt.want {
			t.Errorf("%s: %s counts: %v, want %v", tt.what, tt.path, got, tt.want)
		}
	}
}

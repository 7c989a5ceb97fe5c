package static_test

import (
	"strings"
	"testing"

	"github.com/seed-07905ac1/gatehouse/static"
)

func TestProjectFiles(t *testing.T) {
	project := files{
		"manage.py": "", "site/settings.py": "", "site/models.PY": "", "site/__pycache__/models.cpython-313.pyc": "",
		"db.sqlite3": "", "db.sqlite3-wal": "", "pyproject.toml": "", "key.pem": "", "server.key": "",
		"page.html.bak": "", "page.html~": "", "dump.sql.gz": "", "requirements.txt": "", "Dockerfile": "", "id_ed25519": "",
		"venv/lib/page.html": "",
		"page.html":          "", "robots.txt": "", "app.js": "", "data.json": "", "photo.jpg": "",
	}
	public := map[string]bool{"page.html": true, "robots.txt": true, "app.js": true, "data.json": true, "photo.jpg": true}
	plain := files{}
	for name := range project {
		if sign := name == "manage.py" || name == "pyproject.toml" || name == "requirements.txt" || name == "Dockerfile" ||
			strings.HasPrefix(name, "site/settings"); !sign {
			plain["downloads/"+name] = ""
		}
	}
	tests := []struct {
		name   string
		rule   static.ProjectRule
		files  files
		above  string
		hidden bool
		says   string
	}{
		{"project", static.ProjectAuto, project, "", true, "looks like a project (manage.py)"},
		{"no project", static.ProjectAuto, plain, "", false, ""},
		{"project, asked not to look", static.ProjectNever, project, "", false, ""},
		{"no project, asked to hide", static.ProjectAlways, plain, "", true, "keys and backups are not served"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, _ := open(t, static.Config{Roots: []string{folder(t, tt.files)}, Project: tt.rule})
			for name := range tt.files {
				want := 200
				if tt.hidden && !public[strings.TrimPrefix(name, "downloads/")] {
					want = 404
				}
				for range 2 {
					if w := get(h, "/"+name); w.Code != want {
						t.Errorf("%s: status %d, want %d", name, w.Code, want)
					}
				}
			}
			if got := h.Hidden(); got != tt.says && (tt.says == "" || !strings.Contains(got, tt.says)) {
				t.Errorf("Hidden() = %q, want %q in it", got, tt.says)
			}
		})
	}
}

func TestProjectFurtherDown(t *testing.T) {
	h, _ := open(t, static.Config{Roots: []string{folder(t, files{
		"code/shop/manage.py": "", "code/shop/shop/models.py": "", "code/shop/static/a.css": "", "code/example.py": "print()",
	})}, Listing: true})
	for path, want := range map[string]int{
		"/code/shop/manage.py": 404, "/code/shop/shop/models.py": 404, "/code/shop/static/a.css": 200, "/code/example.py": 200,
	} {
		if w := get(h, path); w.Code != want {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
	}
	if body := get(h, "/code/shop/").Body.String(); strings.Contains(body, "manage.py") {
		t.Errorf("the listing shows what is not served:\n%s", body)
	}
	if h.Hidden() != "" {
		t.Errorf("Hidden() = %q, want nothing about the root", h.Hidden())
	}
}

// TestBecomesAProject: a source that was served is not when the folder gets the
// signs of a project.
func TestBecomesAProject(t *testing.T) {
	dir := folder(t, files{"example.py": "print()"})
	h, _ := open(t, static.Config{Roots: []string{dir}})
	if w := get(h, "/example.py"); w.Code != 200 {
		t.Fatalf("status = %d", w.Code)
	}
	fill(t, dir, files{".git/HEAD": ""})
	if w := get(h, "/example.py"); w.Code != 404 {
		t.Errorf("status = %d, want 404 at once", w.Code)
	}
}

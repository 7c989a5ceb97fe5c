package config_test

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// TestRestartIsTold: the guide names what a reload does not take in.
func TestRestartIsTold(t *testing.T) {
	guide, err := os.ReadFile("../../docs/guide/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, told, _ := strings.Cut(string(guide), "it alone keeps the old. Only ")
	for _, s := range config.Settings() {
		if s.Reloads() || !s.InFile() {
			continue
		}
		name := s.Key()
		if table := s.Table(); table == "manager" {
			name = "[manager]"
		}
		if !strings.Contains(told, "`"+name+"`") {
			t.Errorf("%s needs a restart; the guide says: Only %s", name, told)
		}
	}
}

// Every default reads back as itself, every name is there once, and every row
// says what it is about.
func TestSettings(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range config.Settings() {
		t.Run(s.Name, func(t *testing.T) {
			if seen[s.Name] || s.Group == "" || s.What == "" || s.Default() == "" {
				t.Errorf("row %+v: want a name of its own, a group, a meaning and a default", s)
			}
			seen[s.Name] = true
			c := config.Default()
			v := s.Value(&c)
			if v == nil && s.Flag != 0 {
				t.Fatalf("flag of commands %b without a value", s.Flag)
			}
			if v == nil {
				return
			}
			if v.Type() == "" {
				t.Error("no type for the usage line")
			}
			text := v.String()
			if text == "" {
				return // nothing is set unless somebody says so
			}
			if err := v.Set(text); err != nil {
				t.Errorf("Set(%q), its own default: %v", text, err)
			}
			if !reflect.DeepEqual(c, config.Default()) {
				t.Errorf("Set(%q), its own default, changed the configuration", text)
			}
		})
	}
}

// Each key is in its table once, and says what it is about.
func TestEveryPlace(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range config.EveryPlace() {
		name := p.In + " " + p.Key()
		if seen[name] || p.Value == nil || p.Group == "" || p.What == "" || p.Default() == "" {
			t.Errorf("%s: want a key of its own, a value, a group, a meaning and a default", name)
		}
		seen[name] = true
	}
	for _, name := range []string{" listen", "app workers", "apps.* workers", "apps.* python", "sites charset", "sites.routes charset", "sites.routes cgi_timeout", "limits max_head", "log log_format"} {
		if !seen[name] {
			t.Errorf("no key %s", name)
		}
	}
	for _, name := range []string{"apps.* reload", " charset", "sites listen", "sites.routes workers"} {
		if seen[name] {
			t.Errorf("key %s, which has no business there", name)
		}
	}
}

// set puts text into the setting of that name.
func set(t *testing.T, c *config.Config, name string, texts ...string) error {
	t.Helper()
	for _, s := range config.Settings() {
		if s.Name != name {
			continue
		}
		v := s.Value(c)
		for _, text := range texts {
			if err := v.Set(text); err != nil {
				return err
			}
		}
		return nil
	}
	t.Fatalf("no setting %q", name)
	return nil
}

func TestSet(t *testing.T) {
	tests := []struct {
		name, setting string
		text          string // words apart by spaces are set one after the other
		get           func(c *config.Config) any
		want          any
	}{
		{"time", "idle-timeout", "2m", func(c *config.Config) any { return c.Engine.IdleTimeout }, 2 * time.Minute},
		{"time off", "idle-timeout", "off", func(c *config.Config) any { return c.Engine.IdleTimeout }, time.Duration(0)},
		{"size", "max-body", "2gb", func(c *config.Config) any { return c.App.MaxBody }, 2 * config.GB},
		{"count", "workers", "4", func(c *config.Config) any { return c.App.Workers }, 4},
		{"range", "workers", "2..8", func(c *config.Config) any { return [2]int{c.App.Workers, c.App.MaxWorkers} }, [2]int{2, 8}},
		{"range of one", "workers", "2..8 3..3", func(c *config.Config) any { return [2]int{c.App.Workers, c.App.MaxWorkers} }, [2]int{3, 3}},
		{"number after a range", "workers", "2..8 4", func(c *config.Config) any { return [2]int{c.App.Workers, c.App.MaxWorkers} }, [2]int{4, 0}},
		{"words after a range", "workers", "2..8 auto", func(c *config.Config) any { return [2]int{c.App.Workers, c.App.MaxWorkers} }, [2]int{0, 0}},
		{"bound", "memory-soft", "300MB", func(c *config.Config) any { return c.App.MemorySoft }, 300 * config.MB},
		{"bound off", "memory-hard", "1GB off", func(c *config.Config) any { return c.App.MemoryHard }, config.Size(0)},
		{"count off", "max-requests", "1000 off", func(c *config.Config) any { return c.App.MaxRequests }, 0},
		{"cores", "limit-cpu", "0.5", func(c *config.Config) any { return c.App.Limits.CPU }, 0.5},
		{"cores off", "limit-cpu", "2 off", func(c *config.Config) any { return c.App.Limits.CPU }, 0.0},
		{"count in words", "workers", "auto", func(c *config.Config) any { return c.App.Workers }, 0},
		{"on", "follow-symlinks", "on", func(c *config.Config) any { return c.Static.FollowSymlinks }, true},
		{"off", "listing", "no", func(c *config.Config) any { return c.Static.Listing }, false},
		{"choice", "log-format", "json", func(c *config.Config) any { return c.Log.Format }, "json"},
		{
			"folders", "accel-redirect", "/a/=b /c/=/d=e", func(c *config.Config) any { return c.App.AccelRedirect },
			map[string]string{"/a/": "b", "/c/": "/d=e"},
		},
		{
			"interpreters", "cgi-interpreter", ".rb=ruby .PY=/opt/py .pl=off", func(c *config.Config) any { return c.CGI.Interpreters },
			map[string]string{".rb": "ruby", ".py": "/opt/py", ".pl": config.NoProgram},
		},
		{
			"variables", "cgi-env", "A=b=c D=", func(c *config.Config) any { return c.CGI.Env },
			[]config.Variable{{Name: "A", Value: "b=c"}, {Name: "D"}},
		},
		{"variable of the server", "cgi-env", "HOME", func(c *config.Config) any { return c.CGI.Env }, []config.Variable{{Name: "HOME", From: "HOME"}}},
		{"capped size", "cgi-max-head", "63KB", func(c *config.Config) any { return c.CGI.MaxHead }, 63 * config.KB},
		{"list forgets its default", "listen", ":80 unix:/x", func(c *config.Config) any { return c.Listen }, []string{":80", "unix:/x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := config.Default()
			if err := set(t, &c, tt.setting, strings.Fields(tt.text)...); err != nil {
				t.Fatal(err)
			}
			if got := tt.get(&c); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s = %v, want %v", tt.setting, got, tt.want)
			}
		})
	}
}

func TestSetRefuses(t *testing.T) {
	for _, tt := range []struct{ setting, text, want string }{
		{"idle-timeout", "30", `"30" is no time; write a number and a unit, such as 30s or 2m, or off`},
		{"idle-timeout", "-3s", `"-3s" is no time; write a number and a unit, such as 30s or 2m, or off`},
		{"max-body", "1.5MB", `"1.5MB" is no size; write a number and KB, MB or GB`},
		{"max-body", "-1", `"-1" is no size; write a number and KB, MB or GB`},
		{"max-body", "12KMB", `"12KMB" is no size; write a number and KB, MB or GB`},
		{"max-body", "9999999999GB", `"9999999999GB" is too large`},
		{"max-head", "1", "1 is too small; the least is 256"},
		{"limit-cpu", "half", `"half" is no number of cores, such as 0.5 or 2, from 0.01 to 8192`},
		{"limit-cpu", "nan", `"nan" is no number of cores, such as 0.5 or 2, from 0.01 to 8192`},
		{"limit-cpu", "-1", `"-1" is no number of cores, such as 0.5 or 2, from 0.01 to 8192`},
		{"limit-memory", "15MB", "15MB is too small; the least is 16MB"},
		{"workers", "0", `"0" is neither a number from 1 to 1024 nor a range such as 2..8`},
		{"workers", "1025", `"1025" is neither a number from 1 to 1024 nor a range such as 2..8`},
		{"workers", "two", `"two" is neither a number from 1 to 1024 nor a range such as 2..8`},
		{"workers", "8..2", `"8..2" is neither a number from 1 to 1024 nor a range such as 2..8`},
		{"workers", "1..1025", `"1..1025" is neither a number from 1 to 1024 nor a range such as 2..8`},
		{"workers", "2..", `"2.." is neither a number from 1 to 1024 nor a range such as 2..8`},
		{"workers", "..8", `"..8" is neither a number from 1 to 1024 nor a range such as 2..8`},
		{"threads", "0", `"0" is not a number from 1 to 1024`},
		{"memory-soft", "10KB", "10KB is too small; the least is 1MB"},
		{"max-requests", "-1", `"-1" is not a number from 0 to 1073741824`},
		{"listing", "maybe", `"maybe" is neither on nor off`},
		{"log-format", "xml", `"xml" is not one of text, json`},
		{"accel-redirect", "files", `"files" is no prefix with a folder; write /protected/=files`},
		{"accel-redirect", "a/=b", `"a/=b" is no prefix with a folder; write /protected/=files`},
		{"accel-redirect", "/a/=", `"/a/=" is no prefix with a folder; write /protected/=files`},
		{"cgi-interpreter", ".rb", `".rb" is no ending with a program; write .rb=ruby`},
		{"cgi-interpreter", ".rb=", `".rb=" is no ending with a program; write .rb=ruby`},
		{"cgi-interpreter", "rb=ruby", `"rb=ruby" is no ending with a program; write .rb=ruby`},
		{"cgi-interpreter", ".=ruby", `".=ruby" is no ending with a program; write .rb=ruby`},
		{"cgi-interpreter", ".tar.gz=sh", `".tar.gz=sh" is no ending with a program; write .rb=ruby`},
		{"cgi-interpreter", "./rb=ruby", `"./rb=ruby" is no ending with a program; write .rb=ruby`},
		{"cgi-interpreter", ".rb=bin/ruby", `"bin/ruby" is a path that depends on where it is looked at; write it with a slash in front, or a name that PATH holds`},
		{"cgi-env", "1=2", `"1=2" is neither NAME=VALUE nor the NAME of one of the server's variables`},
		{"cgi-env", "", `"" is neither NAME=VALUE nor the NAME of one of the server's variables`},
		{"cgi-max-head", "255", "255 is too small; the least is 256"},
		{"cgi-max-head", "64KB", "64KB is too large; the most is 63KB"},
		{"cgi-max-head", "much", `"much" is no size; write a number and KB, MB or GB`},
		{"listen", "", "the value is empty"},
	} {
		t.Run(tt.setting+" "+tt.text, func(t *testing.T) {
			c := config.Default()
			err := set(t, &c, tt.setting, tt.text)
			if err == nil || err.Error() != tt.want {
				t.Errorf("Set = %v, want %s", err, tt.want)
			}
			if !reflect.DeepEqual(c, config.Default()) {
				t.Error("a refused value changed the configuration")
			}
		})
	}
}

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		text string
		size config.Size
		back string
	}{
		{"0", 0, "0"},
		{"1000", 1000, "1000"},
		{"1024", 1024, "1KB"},
		{"8k", 8192, "8KB"},
		{"16 MiB", 16 << 20, "16MB"},
		{"1GB", 1 << 30, "1GB"},
		{"1536KB", 1536 << 10, "1536KB"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			got, err := config.ParseSize(tt.text)
			if err != nil || got != tt.size || got.String() != tt.back {
				t.Errorf("ParseSize = %d (%s), %v; want %d (%s)", got, got, err, tt.size, tt.back)
			}
		})
	}
}

func FuzzParseSize(f *testing.F) {
	f.Add("16MB")
	f.Fuzz(func(t *testing.T, text string) {
		size, err := config.ParseSize(text)
		if err != nil {
			return
		}
		if again, err := config.ParseSize(size.String()); size < 0 || err != nil || again != size {
			t.Errorf("ParseSize(%q) = %d, which reads back as %d, %v", text, size, again, err)
		}
	})
}

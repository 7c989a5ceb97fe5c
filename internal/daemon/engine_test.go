package daemon_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-07905ac1/gatehouse"
	"github.com/seed-07905ac1/gatehouse/accesslog"
	"github.com/seed-07905ac1/gatehouse/cgi"
	"github.com/seed-07905ac1/gatehouse/forwarded"
	"github.com/seed-07905ac1/gatehouse/internal/config"
	"github.com/seed-07905ac1/gatehouse/internal/daemon"
	"github.com/seed-07905ac1/gatehouse/pagescript"
	"github.com/seed-07905ac1/gatehouse/pyapp"
	"github.com/seed-07905ac1/gatehouse/static"
	"github.com/seed-07905ac1/gatehouse/webapps"
)

// What the table of settings says about the library is true: the fields exist,
// and the defaults are the library's own.
func TestSettingsMatchLibrary(t *testing.T) {
	types := map[string]reflect.Type{
		"gatehouse.Server":  reflect.TypeFor[gatehouse.Server](),
		"static.Config":     reflect.TypeFor[static.Config](),
		"cgi.Config":        reflect.TypeFor[cgi.Config](),
		"cgi.Limits":        reflect.TypeFor[cgi.Limits](),
		"pyapp.Config":      reflect.TypeFor[pyapp.Config](),
		"forwarded.Trust":   reflect.TypeFor[forwarded.Trust](),
		"accesslog.Format":  reflect.TypeFor[accesslog.Format](),
		"webapps.App":       reflect.TypeFor[webapps.App](),
		"pagescript.Config": reflect.TypeFor[pagescript.Config](),
	}
	functions := map[string]any{"gatehouse.Listen": gatehouse.Listen, "accesslog.Open": accesslog.Open, "cgi.Open": cgi.Open, "pagescript.Open": pagescript.Open, "webapps.Open": webapps.Open}
	for _, s := range config.Settings() {
		if _, ok := functions[s.Field]; s.Field == "" || ok || types[s.Field] != nil {
			continue
		}
		dot := strings.LastIndexByte(s.Field, '.')
		typ := types[s.Field[:dot]]
		if typ == nil {
			t.Errorf("%s: no type %s", s.Name, s.Field[:dot])
			continue
		}
		_, isField := typ.FieldByName(s.Field[dot+1:])
		_, isMethod := reflect.PointerTo(typ).MethodByName(s.Field[dot+1:])
		if !isField && !isMethod {
			t.Errorf("%s: no field or method %s", s.Name, s.Field)
		}
	}

	c := config.Default()
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"head-timeout", c.Engine.HeadTimeout, gatehouse.DefaultHeadTimeout},
		{"body-stall-timeout", c.Engine.BodyStall, gatehouse.DefaultBodyStallTimeout},
		{"write-stall-timeout", c.Engine.WriteStall, gatehouse.DefaultWriteStallTimeout},
		{"idle-timeout", c.Engine.IdleTimeout, gatehouse.DefaultIdleTimeout},
		{"threads", c.App.Threads, pyapp.DefaultThreads},
		{"slow", c.App.Slow, pyapp.DefaultSlow},
		{"timeout", c.App.Timeout, pyapp.DefaultTimeout},
		{"stall-timeout", c.App.StallTimeout, pyapp.DefaultStallTimeout},
		{"start-timeout", c.App.StartTimeout, pyapp.DefaultStartTimeout},
		{"max-body", int(c.App.MaxBody), pyapp.DefaultMaxBody},
		{"spool-memory", int(c.App.SpoolMemory), pyapp.DefaultSpoolMemory},
		{"response-spool", int(c.App.ResponseSpool), pyapp.DefaultResponseSpool},
		{"queue", c.App.Queue, pyapp.DefaultQueuePerWorker},
		{"queue-wait", c.App.QueueWait, pyapp.DefaultQueueWait},
		{"cgi-timeout", c.CGI.Timeout, cgi.DefaultTimeout},
		{"cgi-stall-timeout", c.CGI.StallTimeout, cgi.DefaultStallTimeout},
		{"cgi-kill-grace", c.CGI.KillGrace, cgi.DefaultKillGrace},
		{"cgi-max-head", int(c.CGI.MaxHead), cgi.DefaultMaxHead},
		{"cgi-max-body", int(c.CGI.MaxBody), cgi.DefaultMaxBody},
		{"cgi-queue", c.CGI.Queue, cgi.DefaultQueue},
		{"cgi-queue-wait", c.CGI.QueueWait, cgi.DefaultQueueWait},
		{"pages-applications", c.Pages.Applications, pagescript.DefaultMaxApplications},
		{"pages-idle", c.Pages.Idle, pagescript.DefaultIdle},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: default %v, the library's is %v", tt.name, tt.got, tt.want)
		}
	}
}

// The engine gets what the configuration says; its zero is the engine's "none".
func TestEngine(t *testing.T) {
	c := config.Default()
	c.Engine.IdleTimeout = 0
	c.Engine.Head = 4 * config.KB
	srv := daemon.Engine(&c)
	if srv.IdleTimeout >= 0 || srv.HeadTimeout != 20*time.Second || srv.MaxHead != 4096 || srv.MaxFields != 100 || srv.Name != "Gatehouse" {
		t.Errorf("engine %v %v %d %d %q is not what was configured", srv.IdleTimeout, srv.HeadTimeout, srv.MaxHead, srv.MaxFields, srv.Name)
	}
}

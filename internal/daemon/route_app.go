package daemon

import (
	"context"
	"net/http"
	"slices"

	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// appKind is a route to an application.
func appKind() routeKind {
	return routeKind{open: openApp, describe: describeApp}
}

// openApp leads to an application that is running: the sites start those.
func openApp(_ context.Context, b *treeBuilder, at *routePlace) (http.Handler, error) {
	return b.apps[at.route.App].handler(), nil
}

func describeApp(at *routePlace) string {
	apps := at.loaded.Config.Apps
	i := slices.IndexFunc(apps, func(app config.NamedApp) bool { return app.Name == at.route.App })
	text := "the application " + apps[i].Name + " in " + apps[i].Dir
	if apps[i].Mount != "/" {
		text += ", mounted at " + apps[i].Mount
	}
	return text
}

// mountOf is the mount of a named application as pyapp has it.
func mountOf(app *config.NamedApp) string {
	if app.Mount == "/" {
		return ""
	}
	return app.Mount
}

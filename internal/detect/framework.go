package detect

import "strings"

// Framework is what an application is written with, spelled as its makers do.
type Framework string

// The frameworks that are told apart. Those from FastAPI on speak ASGI.
const (
	Plain   Framework = "WSGI" // a callable that follows PEP 3333, no framework known
	Django  Framework = "Django"
	Flask   Framework = "Flask"
	Bottle  Framework = "Bottle"
	Falcon  Framework = "Falcon"
	Pyramid Framework = "Pyramid"

	FastAPI   Framework = "FastAPI"
	Starlette Framework = "Starlette"
	Quart     Framework = "Quart"
	Litestar  Framework = "Litestar"
	Sanic     Framework = "Sanic"
	PlainASGI Framework = "ASGI" // an ASGI callable, no framework known
)

// ASGI reports whether applications of the framework speak ASGI and not WSGI.
func (f Framework) ASGI() bool {
	switch f {
	case FastAPI, Starlette, Quart, Litestar, Sanic, PlainASGI:
		return true
	}
	return false
}

// made is the framework whose applications the callee, by its full dotted name,
// returns; false for everything else. Method names count where the object's
// class is not visible.
func made(callee string) (Framework, bool) {
	switch callee {
	case "django.core.wsgi.get_wsgi_application":
		return Django, true
	case "django.core.asgi.get_asgi_application", "channels.routing.ProtocolTypeRouter", "falcon.asgi.App":
		return PlainASGI, true
	case "flask.Flask", "apiflask.APIFlask":
		return Flask, true
	case "bottle.Bottle", "bottle.default_app", "bottle.app":
		return Bottle, true
	case "falcon.App", "falcon.API":
		return Falcon, true
	case "fastapi.FastAPI":
		return FastAPI, true
	case "starlette.applications.Starlette":
		return Starlette, true
	case "quart.Quart":
		return Quart, true
	case "litestar.Litestar":
		return Litestar, true
	case "sanic.Sanic":
		return Sanic, true
	}
	if strings.HasSuffix(callee, ".make_wsgi_app") {
		return Pyramid, true
	}
	return "", false
}

// suggested is the framework that an import of the dotted name hints at. It
// only names an application that was found on other grounds.
func suggested(origin string) (Framework, bool) {
	pkg, _, _ := strings.Cut(origin, ".")
	switch pkg {
	case "django":
		return Django, true
	case "flask", "apiflask":
		return Flask, true
	case "bottle":
		return Bottle, true
	case "falcon":
		if strings.HasPrefix(origin, "falcon.asgi") {
			return PlainASGI, true
		}
		return Falcon, true
	case "pyramid":
		return Pyramid, true
	case "fastapi":
		return FastAPI, true
	case "starlette":
		return Starlette, true
	case "quart":
		return Quart, true
	case "litestar":
		return Litestar, true
	case "sanic":
		return Sanic, true
	}
	return "", false
}

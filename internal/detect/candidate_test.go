package detect

import "testing"

// TestJudge: which top levels hold an application, as expression and framework.
func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		name, src, want string
	}{
		{"flask", "from flask import Flask\napp = Flask(__name__)", "app Flask"},
		{"apiflask", "import apiflask\napp = apiflask.APIFlask(__name__)", "app Flask"},
		{"bottle class", "from bottle import Bottle\napp = Bottle()", "app Bottle"},
		{"bottle app", "import bottle\napp = bottle.app()", "app Bottle"},
		{"falcon of old", "import falcon\napi = falcon.API()", "api Falcon"},
		{"falcon asgi", "from falcon import asgi\napp = asgi.App()", "app ASGI"},
		{"django asgi", "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()", "application ASGI"},
		{"channels", "from channels.routing import ProtocolTypeRouter\napplication = ProtocolTypeRouter({})", "application ASGI"},
		{"quart", "import quart\napp = quart.Quart(__name__)", "app Quart"},
		{"litestar", "from litestar import Litestar\napp = Litestar([])", "app Litestar"},
		{"sanic", "from sanic import Sanic\napp = Sanic('x')", "app Sanic"},
		{"litestar factory", "from litestar import Litestar\ndef create_app(): pass", "create_app() Litestar"},
		{"starlette made by a helper", "import starlette\napp = build()", "app Starlette"},
		{"fastapi, imported late", "def make_app():\n  from fastapi import FastAPI", "make_app() FastAPI"},
		{"falcon helper", "import falcon\napp = build(1)", "app Falcon"},
		{"pyramid helper", "import pyramid.paster\napp = pyramid.paster.get_app('x.ini')", "app Pyramid"},
		{"alias", "from flask import Flask\nsite = Flask(__name__)\napplication = site", "application Flask"},
		{"alias of something else", "site = 3\napplication = site", ""},
		{"alias of itself", "application = application", ""},
		{"aliases in a circle", "app = application\napplication = app", ""},
		{"wrapped", "from flask import Flask\napp = Flask(__name__)\napp = Proxy(app)", "app Flask"},
		{"both names", "from flask import Flask\napp = Flask(__name__)\napplication = Wrap(app)", "application Flask"},
		{"nothing", "app = None", ""},
		{"a literal", "app = 'x'", ""},
		{"lambda", "app = lambda e, s: []", ""},
		{"attribute", "import x\napp = x.y", ""},
		{"imported from elsewhere", "from vendor import application", "application WSGI"},
		{"app from elsewhere", "from celery import app", ""},
		{"async function with two", "async def app(a, b): pass", ""},
		{"function with defaults", "def app(environ, start_response, debug=False, *, x=(1, 2)): pass", "app WSGI"},
		{"method", "class C:\n  def application(environ, start_response): pass", ""},
		{"broken", "def app(environ, start_response", "app WSGI"},
		{"factory without a framework", "def create_app(): pass", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &module{name: "site"}
			m.parse([]byte(tt.src))
			got := ""
			if c := m.candidate("testdata/absent"); c != nil {
				got = c.expr + " " + string(c.framework)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

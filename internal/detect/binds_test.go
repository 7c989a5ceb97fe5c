package detect_test

import (
	"testing"

	"github.com/seed-07905ac1/gatehouse/internal/detect"
)

func TestBinds(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      bool
	}{
		{"function", "def application(environ, start_response):\n    pass\n", true},
		{"class", "class application:\n    pass\n", true},
		{"assignment", "app = application = make()\n", true},
		{"annotated", "application: Callable = make()\n", true},
		{"announced only", "application: Callable\n", false},
		{"from a module", "from site import application\n", true},
		{"from a module, renamed", "from site import (app as application, other)\n", true},
		{"renamed away", "from site import application as app\n", false},
		{"a module of that name", "import application\n", false},
		{"a module as that name", "import site.app as application\n", false},
		{"second on a line", "import os; application = make()\n", true},
		{"in a try", "try:\n    from fast import application\nexcept ImportError:\n    pass\n", true},
		{"in an else", "if a:\n  pass\nelse:\n  def application(e, s): pass\n", true},
		{"behind a function", "def f():\n    pass\napplication = f\n", true},
		{"Windows lines", "import os\r\ndef application(e, s):\r\n    pass\r\n", true},
		{"old lines", "import os\rdef application(e, s):\r    pass\r", true},
		{"byte order mark", "\ufeffapplication = 1\n", true},
		{"with a mistake", "def application(environ, start_response)\n    retrun [\n", true},

		{"nothing", "print('hello')\n", false},
		{"empty", "", false},
		{"in a function", "def f():\n    application = 1\n    return application\n", false},
		{"deep in a function", "def f():\n    if a:\n        application = 1\n", false},
		{"in an async function", "async def f():\n    application = 1\n", false},
		{"a method", "class A:\n    def application(self):\n        pass\n", false},
		{"as a program", "if __name__ == '__main__':\n    application = 1\n    print(application)\n", false},
		{"as a program, turned round", "if ('__main__' == __name__):\n    x = 1\nif \"__main__\" == __name__:\n    application = 1\n", false},
		{"unlike a program", "if __name__ != '__main__':\n    application = 1\n", true},
		{"behind a program", "if __name__ == '__main__':\n    x = 1\napplication = 1\n", true},
		{"in a text", "'''\napplication = 1\n'''\nprint('application = 1')\n", false},
		{"in a comment", "# application = 1\n", false},
		{"in brackets", "dict(\napplication = 1\n)\n", false},
		{"compared", "application == 1\n", false},
		{"an attribute", "self.application = 1\n", false},
		{"another name", "applications = 1\nmyapplication = 1\n", false},
		{"in one literal of GBK", "# coding: gbk\ns = '\xd5\x5c'\nt = '''\xd5\x5c'''\napplication = 1\n", true},
		{"behind a text in GBK", "# coding: gbk\ns = \"\"\"\xd5\x5c\"\"\"\nprint(s)\n\"\"\"\napplication = 1\n\"\"\"\n", false},
		{"Latin-1", "# coding: latin-1\ns = '\xe9'\napplication = 1\n", true},
	} {
		if got := detect.Binds([]byte(tt.src), "application"); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}

package detect

import (
	"strings"
	"unicode/utf8"
)

// Binds reports whether Python source binds name to something that may be called
// when it is imported: by def, class, an assignment, or an import from a module.
// Blocks of if, try, with and loops count, since they may run; bodies of functions
// and classes do not, nor does what only runs as a program (if __name__ ==
// "__main__"). A suite on the line of its header is not looked into.
//
// Nothing is run, and source that Python would not take is read as far as it is
// like Python: a slip of the author changes as little as possible.
func Binds(src []byte, name string) bool {
	var m module
	skip := -1 // the indent of the header whose body is passed over, -1 for none
	for _, s := range scan(plainBytes(src)) {
		if skip >= 0 && s.indent > skip {
			continue
		}
		skip = -1
		if opensBody(&s) || runsAsProgram(&s) {
			skip = s.indent
		}
		if strings.HasPrefix(s.code, "import ") { // of a module, which nobody can call
			continue
		}
		for _, b := range m.bound(s) {
			if b.name == name {
				return true
			}
		}
	}
	return false
}

// opensBody reports whether the statement begins a function or a class.
func opensBody(s *statement) bool {
	return strings.HasPrefix(s.code, "def ") || strings.HasPrefix(s.code, "async def ") || strings.HasPrefix(s.code, "class ")
}

// runsAsProgram reports whether the statement is the test for being the program.
func runsAsProgram(s *statement) bool {
	test, ok := strings.CutPrefix(s.code, "if ")
	if !ok || len(s.text) != 1 || s.text[0] != "__main__" {
		return false
	}
	switch strings.Map(withoutBlanks, test) {
	case "__name__==$:", "$==__name__:", "(__name__==$):":
		return true
	}
	return false
}

func withoutBlanks(r rune) rune {
	if r == ' ' {
		return -1
	}
	return r
}

// plainBytes returns source that is not UTF-8 without what could be taken for
// syntax in it: in GBK, Big5 and Shift JIS the second byte of a character may be a
// backslash, or a brace.
func plainBytes(src []byte) []byte {
	if utf8.Valid(src) {
		return src
	}
	plain := make([]byte, len(src))
	copy(plain, src)
	for i := 0; i+1 < len(plain); i++ {
		if plain[i] >= 0x80 && plain[i+1] >= 0x40 {
			plain[i+1] = 'x'
			i++
		}
	}
	return plain
}

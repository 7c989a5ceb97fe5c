package config

// Decode is what the content of a file at path says, which nobody else can
// write if it is trusted; nil if it is a pyproject.toml without configuration.
func Decode(path string, src []byte, trusted bool) (*Loaded, error) {
	f, err := parseFile(path, src)
	if f == nil {
		return nil, err
	}
	f.trusted = trusted
	l := &Loaded{Config: Default(), File: f.path, origins: map[string]Origin{}}
	return l, f.decode(&l.Config, l.origins, func() error { return nil })
}

// FileExample is the example of the reference.
const FileExample = fileExample

// What a file holds for a Value.
var (
	Expected = expected
	KindsOf  = kindsOf
	TOMLOf   = tomlOf
)

// Placed is a setting in one of its tables.
type Placed struct {
	Setting
	In    string // the table
	Value Value  // where nothing is said
}

// EveryPlace is each setting in each of its tables.
func EveryPlace() []Placed {
	var all []Placed
	for _, p := range everyPlace() {
		all = append(all, Placed{*p.Setting, p.table, p.within(usualHolder())})
	}
	return all
}

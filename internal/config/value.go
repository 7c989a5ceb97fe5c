package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Value reads and writes one setting of a Config as text. The command line
// binds flags to it. It is not safe for concurrent use.
type Value interface {
	// String is the setting as a person would write it.
	String() string
	// Set parses text. The error says what was expected, without the name of the
	// setting. A setting that can be repeated forgets its default at the first Set.
	Set(text string) error
	// Type names what is expected, for the usage line: ADDR, TIME, SIZE …
	Type() string
}

// A Value may say more about its form in a file, by these methods. One that does
// not is read there as it is on the command line: a text, or a number without
// quotes.
type (
	// kinded takes values of certain types only.
	kinded interface{ kinds() Kind }
	// listed is an array in a file, of texts that Set takes one by one.
	listed interface{ elements() []string }
	// rooted is told which folder relative paths start from, an absolute path.
	rooted interface{ root(dir string) }
)

// kindsOf are the types that v has in a file.
func kindsOf(v Value) Kind {
	if k, ok := v.(kinded); ok {
		return k.kinds()
	}
	return Text | Integer
}

// expected says what a file may hold for v.
func expected(v Value) string {
	switch kinds := kindsOf(v); {
	case kinds == Boolean:
		return "true or false"
	case kinds == Boolean|Text:
		return "true, false, or a text in quotes"
	case kinds == Table:
		return "a table"
	case kinds == Array:
		return "an array of texts in quotes"
	case kinds == Integer:
		return "a number"
	case kinds&Integer != 0:
		return "a number, or a text in quotes"
	}
	switch v.Type() {
	case "TIME":
		return `a time in quotes, such as "30s", or "off"`
	case "SIZE":
		return `a size in quotes, such as "16MB"`
	}
	return "a text in quotes"
}

// tomlOf writes v as a file has it.
func tomlOf(v Value) string {
	text := v.String()
	if l, ok := v.(listed); ok {
		return tomlArray(l.elements())
	}
	switch kinds := kindsOf(v); {
	case kinds&Boolean != 0 && (text == On || text == Off):
		return map[string]string{On: "true", Off: "false"}[text]
	case isNumber(kinds, text):
		return text
	}
	return tomlText(text)
}

// durationValue is a time with a unit; "off" or 0 stands for no limit.
type durationValue struct{ p *time.Duration }

func (v durationValue) Type() string { return "TIME" }

func (v durationValue) kinds() Kind { return Text }

func (v durationValue) String() string {
	if *v.p == 0 {
		return "off"
	}
	// 1m15s and 30m0s is how machines write it.
	switch d := *v.p; {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0 && d > time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d%time.Second == 0 && d < time.Hour:
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return v.p.String()
}

func (v durationValue) Set(text string) error {
	if text == "off" || text == "0" {
		*v.p = 0
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no time; write a number and a unit, such as 30s or 2m, or off", text)
	}
	*v.p = d
	return nil
}

// sizeValue is a Size, from least upwards.
type sizeValue struct {
	p     *Size
	least Size
}

func (v sizeValue) Type() string   { return "SIZE" }
func (v sizeValue) String() string { return v.p.String() }
func (v sizeValue) kinds() Kind    { return Text }

func (v sizeValue) Set(text string) error {
	size, err := ParseSize(text)
	if err != nil {
		return err
	}
	if size < v.least {
		return fmt.Errorf("%s is too small; the least is %s", text, v.least)
	}
	*v.p = size
	return nil
}

// boundValue is a Size, from least upwards; "off" or 0 stands for no bound.
type boundValue struct {
	p     *Size
	least Size
}

func (v boundValue) Type() string { return "SIZE" }

func (v boundValue) kinds() Kind { return Text }

func (v boundValue) String() string {
	if *v.p == 0 {
		return "off"
	}
	return v.p.String()
}

func (v boundValue) Set(text string) error {
	if text == "off" || text == "0" {
		*v.p = 0
		return nil
	}
	return sizeValue(v).Set(text)
}

// cappedValue is a Size of at most top.
type cappedValue struct {
	sizeValue
	top Size
}

func (v cappedValue) Set(text string) error {
	size, err := ParseSize(text)
	if err == nil && size > v.top {
		return fmt.Errorf("%s is too large; the most is %s", text, v.top)
	}
	return v.sizeValue.Set(text)
}

// countValue is a whole number in a range. zero, if set, is what 0 is called.
type countValue struct {
	p          *int
	least, top int
	zero       string
}

func (v countValue) Type() string { return "N" }

func (v countValue) kinds() Kind {
	if v.zero == "" {
		return Integer
	}
	return Integer | Text
}

func (v countValue) String() string {
	if *v.p == 0 && v.zero != "" {
		return v.zero
	}
	return strconv.Itoa(*v.p)
}

func (v countValue) Set(text string) error {
	if v.zero != "" && text == v.zero {
		*v.p = 0
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < v.least || n > v.top {
		return fmt.Errorf("%q is not a number from %d to %d", text, v.least, v.top)
	}
	*v.p = n
	return nil
}

// coresValue is a number of processor cores, which may have a fraction; "off" or 0
// stands for no bound.
type coresValue struct{ p *float64 }

// The range of cores: the kernel gives out shares of a hundredth, and knows no
// machine with more.
const (
	leastCores = 0.01
	mostCores  = 8192
)

func (v coresValue) Type() string { return "CORES" }

func (v coresValue) kinds() Kind { return Integer | Fraction | Text }

func (v coresValue) String() string {
	if *v.p == 0 {
		return "off"
	}
	return strconv.FormatFloat(*v.p, 'f', -1, 64)
}

func (v coresValue) Set(text string) error {
	if text == "off" || text == "0" {
		*v.p = 0
		return nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= leastCores && n <= mostCores) { // nan is neither
		return fmt.Errorf("%q is no number of cores, such as 0.5 or 2, from %v to %v", text, leastCores, mostCores)
	}
	*v.p = n
	return nil
}

// rangeValue is a number or a range of numbers, from least to top. auto is what
// 0 is called; a single number has no upper end.
type rangeValue struct {
	low, high  *int
	least, top int
	auto       string
}

func (v rangeValue) Type() string { return "N|MIN..MAX" }

func (v rangeValue) String() string {
	if *v.high == 0 {
		return countValue{v.low, v.least, v.top, v.auto}.String()
	}
	return fmt.Sprintf("%d..%d", *v.low, *v.high)
}

func (v rangeValue) Set(text string) error {
	if text == v.auto {
		*v.low, *v.high = 0, 0
		return nil
	}
	first, last, isRange := strings.Cut(text, "..")
	low, err := strconv.Atoi(first)
	high := low
	if isRange && err == nil {
		high, err = strconv.Atoi(last)
	}
	if err != nil || low < v.least || high > v.top || high < low {
		return fmt.Errorf("%q is neither a number from %d to %d nor a range such as 2..8", text, v.least, v.top)
	}
	if !isRange {
		high = 0
	}
	*v.low, *v.high = low, high
	return nil
}

// boolValue is on or off. Without a value the flag means on.
type boolValue struct{ p *bool }

func (v boolValue) Type() string { return "on|off" }

func (v boolValue) kinds() Kind { return Boolean }

func (v boolValue) String() string {
	if *v.p {
		return "on"
	}
	return "off"
}

func (v boolValue) Set(text string) error {
	switch text {
	case "on", "true", "yes", "1":
		*v.p = true
	case "off", "false", "no", "0":
		*v.p = false
	default:
		return fmt.Errorf("%q is neither on nor off", text)
	}
	return nil
}

// textValue is any text; kind names it.
type textValue struct {
	p    *string
	kind string
}

func (v textValue) Type() string          { return v.kind }
func (v textValue) String() string        { return *v.p }
func (v textValue) Set(text string) error { *v.p = text; return nil }
func (v textValue) kinds() Kind           { return Text }

// checkedValue is a text that check takes.
type checkedValue struct {
	textValue
	check func(string) error
}

func (v checkedValue) Set(text string) error {
	if err := v.check(text); err != nil {
		return err
	}
	return v.textValue.Set(text)
}

// pathValue is the path of a file or folder, or one of the words that kind has
// beside PATH.
type pathValue struct {
	p    *string
	kind string
	name bool // without a slash it is the name of a program
}

func (v pathValue) Type() string          { return v.kind }
func (v pathValue) String() string        { return *v.p }
func (v pathValue) Set(text string) error { *v.p = text; return nil }
func (v pathValue) kinds() Kind           { return Text }

func (v pathValue) root(dir string) {
	if slices.Contains(strings.Split(v.kind, "|"), *v.p) || v.name && !strings.ContainsRune(*v.p, filepath.Separator) {
		return
	}
	*v.p = under(dir, *v.p)
}

// installValue is on, off, or a folder.
type installValue struct{ p *string }

func (v installValue) Type() string   { return "on|off|FOLDER" }
func (v installValue) String() string { return *v.p }
func (v installValue) kinds() Kind    { return Boolean | Text }

func (v installValue) Set(text string) error {
	on := false
	switch err := (boolValue{&on}).Set(text); {
	case err == nil && on:
		text = On
	case err == nil:
		text = Off
	}
	*v.p = text
	return nil
}

func (v installValue) root(dir string) { pathValue{p: v.p, kind: v.Type()}.root(dir) }

// choiceValue is one of a few words.
type choiceValue struct {
	p     *string
	words []string
}

func (v choiceValue) Type() string   { return strings.Join(v.words, "|") }
func (v choiceValue) String() string { return *v.p }
func (v choiceValue) kinds() Kind    { return Text }

func (v choiceValue) Set(text string) error {
	if !slices.Contains(v.words, text) {
		return fmt.Errorf("%q is not one of %s", text, strings.Join(v.words, ", "))
	}
	*v.p = text
	return nil
}

// listValue can be repeated.
type listValue struct {
	p     *[]string
	kind  string
	check func(string) error // nil: any text will do
	set   bool               // the default is forgotten
}

func (v *listValue) Type() string   { return v.kind }
func (v *listValue) String() string { return strings.Join(*v.p, ", ") }

func (v *listValue) kinds() Kind        { return Array }
func (v *listValue) elements() []string { return *v.p }

func (v *listValue) Set(text string) error {
	if text == "" {
		return errors.New("the value is empty")
	}
	if v.check != nil {
		if err := v.check(text); err != nil {
			return err
		}
	}
	if !v.set {
		*v.p, v.set = nil, true
	}
	*v.p = append(*v.p, text)
	return nil
}

// variablesValue is an environment: a table in a file.
type variablesValue struct{ p *[]Variable }

func (v *variablesValue) Type() string { return "NAME=VALUE" }
func (v *variablesValue) kinds() Kind  { return Table }

// String names the variables without their values, which may be secret.
func (v *variablesValue) String() string {
	names := make([]string, len(*v.p))
	for i, variable := range *v.p {
		names[i] = variable.Name
	}
	return strings.Join(names, ", ")
}

func (v *variablesValue) Set(text string) error {
	name, value, given := strings.Cut(text, "=")
	switch {
	case !isVariable(name):
		return fmt.Errorf("%q is neither NAME=VALUE nor the NAME of one of the server's variables", text)
	case given:
		*v.p = append(*v.p, Variable{Name: name, Value: value})
	default:
		*v.p = append(*v.p, Variable{Name: name, From: name})
	}
	return nil
}

// interpretersValue gives file endings programs, one at each Set.
type interpretersValue struct{ p *map[string]string }

func (v interpretersValue) Type() string   { return ".ENDING=PROGRAM" }
func (v interpretersValue) String() string { return strings.Join(v.elements(), ", ") }
func (v interpretersValue) kinds() Kind    { return Array }

func (v interpretersValue) elements() []string { return pairs(*v.p) }

func (v interpretersValue) Set(text string) error {
	ending, program, ok := strings.Cut(text, "=")
	if !ok || len(ending) < 2 || strings.LastIndexByte(ending, '.') != 0 || strings.Contains(ending, "/") || program == "" {
		return fmt.Errorf("%q is no ending with a program; write .rb=ruby", text)
	}
	if strings.Contains(program, "/") && !filepath.IsAbs(program) {
		return fmt.Errorf("%q is a path that depends on where it is looked at; write it with a slash in front, or a name that PATH holds", program)
	}
	if *v.p == nil {
		*v.p = map[string]string{}
	}
	(*v.p)[strings.ToLower(ending)] = program
	return nil
}

// pairs writes a table as sorted texts of the form KEY=VALUE.
func pairs(table map[string]string) []string {
	var all []string
	for key, value := range table {
		all = append(all, key+"="+value)
	}
	slices.Sort(all)
	return all
}

// foldersValue gives URL prefixes folders, one at each Set. The first Set
// forgets what was there.
type foldersValue struct {
	p   *map[string]string
	set bool // the default is forgotten
}

func (v *foldersValue) Type() string   { return "PREFIX=FOLDER" }
func (v *foldersValue) String() string { return strings.Join(v.elements(), ", ") }
func (v *foldersValue) kinds() Kind    { return Array }

func (v *foldersValue) root(dir string) {
	complete := map[string]string{}
	for prefix, folder := range *v.p {
		complete[prefix] = under(dir, folder)
	}
	*v.p = complete
}

func (v *foldersValue) elements() []string { return pairs(*v.p) }

func (v *foldersValue) Set(text string) error {
	prefix, folder, ok := strings.Cut(text, "=")
	if !ok || !strings.HasPrefix(prefix, "/") || folder == "" {
		return fmt.Errorf("%q is no prefix with a folder; write /protected/=files", text)
	}
	if !v.set {
		*v.p, v.set = map[string]string{}, true
	}
	(*v.p)[prefix] = folder
	return nil
}

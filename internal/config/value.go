package config

import (
	"errors"
	"fmt"
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

// durationValue is a time with a unit; "off" or 0 stands for no limit.
type durationValue struct{ p *time.Duration }

func (v durationValue) Type() string { return "TIME" }

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

// countValue is a whole number in a range. zero, if set, is what 0 is called.
type countValue struct {
	p          *int
	least, top int
	zero       string
}

func (v countValue) Type() string { return "N" }

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

// boolValue is on or off. Without a value the flag means on.
type boolValue struct{ p *bool }

func (v boolValue) Type() string { return "on|off" }

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

// choiceValue is one of a few words.
type choiceValue struct {
	p     *string
	words []string
}

func (v choiceValue) Type() string   { return strings.Join(v.words, "|") }
func (v choiceValue) String() string { return *v.p }

func (v choiceValue) Set(text string) error {
	if !slices.Contains(v.words, text) {
		return fmt.Errorf("%q is not one of %s", text, strings.Join(v.words, ", "))
	}
	*v.p = text
	return nil
}

// listValue can be repeated.
type listValue struct {
	p    *[]string
	kind string
	set  bool // the default is forgotten
}

func (v *listValue) Type() string   { return v.kind }
func (v *listValue) String() string { return strings.Join(*v.p, ", ") }

func (v *listValue) Set(text string) error {
	if text == "" {
		return errors.New("the value is empty")
	}
	if !v.set {
		*v.p, v.set = nil, true
	}
	*v.p = append(*v.p, text)
	return nil
}

package config

import (
	"encoding/json"
	"slices"
	"strings"
)

// schemaNode is a part of a JSON Schema, as far as one is needed here.
type schemaNode struct {
	Schema      string                 `json:"$schema,omitempty"`
	Title       string                 `json:"title,omitempty"`
	Description string                 `json:"description,omitempty"`
	Type        any                    `json:"type,omitempty"` // a name, or several
	Enum        []string               `json:"enum,omitempty"`
	Pattern     string                 `json:"pattern,omitempty"`
	MinLength   int                    `json:"minLength,omitempty"`
	Minimum     *int                   `json:"minimum,omitempty"`
	Maximum     *int                   `json:"maximum,omitempty"`
	Default     any                    `json:"default,omitempty"`
	Items       *schemaNode            `json:"items,omitempty"`
	MinItems    int                    `json:"minItems,omitempty"`
	AnyOf       []*schemaNode          `json:"anyOf,omitempty"`
	Properties  map[string]*schemaNode `json:"properties,omitempty"`
	Patterns    map[string]*schemaNode `json:"patternProperties,omitempty"`
	Required    []string               `json:"required,omitempty"`
	// Additional is false for tables that hold nothing else, a schema, or nil.
	Additional any `json:"additionalProperties,omitempty"`
	MinProps   int `json:"minProperties,omitempty"`
	MaxProps   int `json:"maxProperties,omitempty"`
}

// JSONSchema is docs/reference/gatehouse.schema.json: what editors can tell of a
// file while it is written. It knows keys and types; what the parts of a file have
// to do with each other only gatehouse check tells.
func JSONSchema() string {
	root := newTableSchema()
	root.Schema = "http://json-schema.org/draft-07/schema#"
	root.Title = "The configuration file of Gatehouse"
	tables := map[string]*schemaNode{"": root}
	for _, p := range everyPlace() {
		t := tables[p.table]
		if t == nil {
			t = newTableSchema()
			tables[p.table] = t
		}
		t.Properties[p.Key()] = p.schema()
		if p.Required {
			t.Required = append(t.Required, p.Key())
		}
	}
	for _, name := range plainTables()[1:] {
		root.Properties[name] = tables[name]
	}
	root.Properties["apps"] = &schemaNode{
		Type: "object", Description: "applications that routes lead to, or that are in the folder of applications, by their names",
		Additional: tables[appsTable],
	}
	root.Properties["sites"] = &schemaNode{
		Type: "array", Items: tables[sitesTable], MinItems: 1,
		Description: "what is served under some host names",
	}
	tables[sitesTable].Properties["routes"] = &schemaNode{
		Type: "array", Items: tables[routesTable], MinItems: 1,
		Description: "what answers for a path",
	}
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // all of it is made here
	}
	return string(text) + "\n"
}

func newTableSchema() *schemaNode {
	return &schemaNode{Type: "object", Properties: map[string]*schemaNode{}, Additional: false}
}

// schema is what may stand behind the key.
func (p placed) schema() *schemaNode {
	v := p.within(usualHolder())
	n := valueSchema(v)
	n.Description = p.What
	if n.AnyOf == nil && p.Fixed == "" && n.Type != "object" && n.Type != "array" {
		switch def := v.String(); {
		case n.Type == "boolean":
			n.Default = def == "on"
		case n.Type == "string" && def != "":
			n.Default = def
		}
	}
	return n
}

// valueSchema is what a file may hold for v.
func valueSchema(v Value) *schemaNode {
	text := func() *schemaNode { return &schemaNode{Type: "string", MinLength: 1} }
	switch v := v.(type) {
	case choiceValue:
		return &schemaNode{Type: "string", Enum: v.words}
	case durationValue:
		return &schemaNode{Type: "string", Pattern: `^(off|0|[0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h).*)$`}
	case countValue:
		return v.schema()
	case coresValue:
		return &schemaNode{AnyOf: []*schemaNode{{Type: "number", Minimum: new(0), Maximum: new(mostCores)}, {Type: "string", Enum: []string{"off"}}}}
	case *variablesValue:
		return variablesSchema()
	case processesValue:
		job := newTableSchema()
		job.Properties["command"], job.Properties["cron"] = text(), text()
		job.Required = []string{"command"}
		return &schemaNode{
			Type: "object", Patterns: map[string]*schemaNode{"^[A-Za-z0-9_-]+$": {AnyOf: []*schemaNode{text(), job}}}, Additional: false,
		}
	case headersValue:
		lines := &schemaNode{Type: "array", Items: text(), MinItems: 1}
		return &schemaNode{Type: "object", Additional: &schemaNode{AnyOf: []*schemaNode{text(), lines, {Type: "boolean"}}}}
	case errorPagesValue:
		return &schemaNode{Type: "object", Patterns: map[string]*schemaNode{"^[45][0-9][0-9]$": text()}, Additional: false}
	case statusValue:
		return &schemaNode{Type: "integer", Minimum: new(200), Maximum: new(599)}
	case *listValue:
		list := &schemaNode{Type: "array", Items: text(), MinItems: 1}
		if v.kind == "METHOD" {
			list.Items = &schemaNode{Type: "string", Enum: methods()}
		}
		return list
	case patternValue, mountValue:
		return &schemaNode{Type: "string", Pattern: "^/"}
	}
	kinds := kindsOf(v)
	if kinds == Array {
		return &schemaNode{Type: "array", Items: text(), MinItems: 1}
	}
	var types []string
	for kind, name := range map[Kind]string{Text: "string", Integer: "integer", Boolean: "boolean", Table: "object"} {
		if kinds&kind != 0 {
			types = append(types, name)
		}
	}
	slices.Sort(types)
	n := &schemaNode{Type: types}
	if len(types) == 1 {
		n.Type = types[0]
	}
	if slices.Contains(types, "string") {
		n.MinLength = 1
	}
	return n
}

// schema is a number in its range, or the word for none.
func (v countValue) schema() *schemaNode {
	number := &schemaNode{Type: "integer", Minimum: &v.least, Maximum: &v.top}
	if v.zero == "" {
		return number
	}
	return &schemaNode{AnyOf: []*schemaNode{number, {Type: "string", Enum: []string{v.zero}}}}
}

// variablesSchema is an environment.
func variablesSchema() *schemaNode {
	elsewhere := newTableSchema()
	for key := range strings.FieldsSeq("file env") {
		elsewhere.Properties[key] = &schemaNode{Type: "string", MinLength: 1}
	}
	elsewhere.MinProps, elsewhere.MaxProps = 1, 1
	return &schemaNode{
		Type:       "object",
		Patterns:   map[string]*schemaNode{"^[A-Za-z_][A-Za-z0-9_]*$": {AnyOf: []*schemaNode{{Type: "string"}, elsewhere}}},
		Additional: false,
	}
}

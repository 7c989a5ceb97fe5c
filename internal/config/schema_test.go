package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/seed-07905ac1/gatehouse/internal/config"
)

// schema is a JSON Schema, as far as ours uses it. Decoding refuses any keyword
// that it does not know, so that none is without effect here.
type schema struct {
	Schema      string             `json:"$schema"`
	Title       string             `json:"title"`
	Description string             `json:"description"`
	Default     any                `json:"default"`
	Type        any                `json:"type"`
	Enum        []string           `json:"enum"`
	Pattern     string             `json:"pattern"`
	MinLength   int                `json:"minLength"`
	Minimum     *int64             `json:"minimum"`
	Maximum     *int64             `json:"maximum"`
	Items       *schema            `json:"items"`
	MinItems    int                `json:"minItems"`
	AnyOf       []*schema          `json:"anyOf"`
	Properties  map[string]*schema `json:"properties"`
	Patterns    map[string]*schema `json:"patternProperties"`
	Required    []string           `json:"required"`
	Additional  *additional        `json:"additionalProperties"`
	MinProps    int                `json:"minProperties"`
	MaxProps    int                `json:"maxProperties"`
}

// additional is a schema, or false.
type additional struct{ of *schema }

// UnmarshalJSON implements json.Unmarshaler.
func (a *additional) UnmarshalJSON(text []byte) error {
	if string(text) == "false" {
		return nil
	}
	return json.Unmarshal(text, &a.of)
}

// check is what is wrong with v, "" if nothing is.
func (s *schema) check(path string, v any) string {
	if len(s.AnyOf) > 0 {
		for _, option := range s.AnyOf {
			if option.check(path, v) == "" {
				return ""
			}
		}
		return path + ": nothing fits"
	}
	types, _ := s.Type.([]any)
	if one, ok := s.Type.(string); ok {
		types = []any{one}
	}
	kind := "other"
	switch v.(type) {
	case string:
		kind = "string"
	case int64:
		kind = "integer"
	case bool:
		kind = "boolean"
	case []any:
		kind = "array"
	case map[string]any:
		kind = "object"
	}
	if _, fraction := v.(float64); fraction || kind == "integer" && slices.Contains(types, any("number")) {
		kind = "number"
	}
	if len(types) > 0 && !slices.Contains(types, any(kind)) {
		return fmt.Sprintf("%s: %v is not %v", path, v, types)
	}
	switch v := v.(type) {
	case string:
		if len(v) < s.MinLength || s.Enum != nil && !slices.Contains(s.Enum, v) || !regexp.MustCompile(s.Pattern).MatchString(v) {
			return path + ": text " + v
		}
	case float64:
		if s.Minimum != nil && v < float64(*s.Minimum) || s.Maximum != nil && v > float64(*s.Maximum) {
			return fmt.Sprint(path, ": number ", v)
		}
	case int64:
		if s.Minimum != nil && v < *s.Minimum || s.Maximum != nil && v > *s.Maximum {
			return fmt.Sprint(path, ": number ", v)
		}
	case []any:
		if len(v) < s.MinItems {
			return path + ": too few"
		}
		for i, item := range v {
			if wrong := s.Items.check(fmt.Sprintf("%s[%d]", path, i), item); wrong != "" {
				return wrong
			}
		}
	case map[string]any:
		return s.checkTable(path, v)
	}
	return ""
}

func (s *schema) checkTable(path string, table map[string]any) string {
	for _, key := range s.Required {
		if table[key] == nil {
			return path + ": no " + key
		}
	}
	if len(table) < s.MinProps || s.MaxProps > 0 && len(table) > s.MaxProps {
		return path + ": number of keys"
	}
	for key, v := range table {
		of := s.Properties[key]
		for pattern, other := range s.Patterns {
			if of == nil && regexp.MustCompile(pattern).MatchString(key) {
				of = other
			}
		}
		if of == nil && s.Additional != nil {
			of = s.Additional.of
		}
		if of == nil {
			return path + ": unknown " + key
		}
		if wrong := of.check(path+"."+key, v); wrong != "" {
			return wrong
		}
	}
	return ""
}

// The schema takes what the program takes, and refuses what has the wrong keys or
// types. What only the parts of a file together tell is beyond a schema.
func TestJSONSchema(t *testing.T) {
	var s schema
	dec := json.NewDecoder(strings.NewReader(config.JSONSchema()))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		t.Fatal(err)
	}
	refused := map[string]bool{
		"unknown-keys": true, "wrong-types": true, "dozen": true, "column": true,
		"headers-wrong": true, "sites-keys": true, "sites-types": true, "sites-table": true, "sites-apps": true, "sites-headers": true,
		"sites-files": true, "sites-paths": true, "sites-answers": true,
	}
	files, err := filepath.Glob("testdata/file/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	files = append(files, "../../examples/sites/gatehouse.toml")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".toml")
		if strings.HasSuffix(name, ".pyproject") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var table map[string]any
			if toml.Unmarshal(src, &table) != nil {
				return // no TOML at all
			}
			_, err = config.Decode("/srv/gatehouse.toml", src, true)
			wrong := s.check("", table)
			if err == nil && wrong != "" {
				t.Errorf("the schema refuses what is right: %s", wrong)
			}
			if refused[name] && (err == nil || wrong == "") {
				t.Errorf("the schema takes what is wrong with it: %v", err)
			}
			delete(refused, name)
		})
	}
	if len(refused) > 0 {
		t.Errorf("no files %v", refused)
	}
}

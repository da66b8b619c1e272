// Package schema makes JSON Schemas (draft 2020-12) of the product's file
// formats from the Go types that read and write them, so that a schema cannot
// say anything else than the program does. It refuses types that JSON cannot
// hold.
//
// Names come from `json` tags, or from `yaml` tags for files that users write.
// A schema is kept under schemas/ and compared
// with its type by a test, which rewrites it with -update.
package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// draft is the version of JSON Schema that is written.
const draft = "https://json-schema.org/draft/2020-12/schema"

// Options describe a format. The zero value is a strict format, whose readers
// refuse unknown keys.
type Options struct {
	Title       string // the name of the file, such as "report.json"
	Description string // what the file is, in a sentence or two

	// Open is true where readers ignore unknown keys, as those of reports do.
	Open bool

	// YAML is true for files that users write: keys are named by yaml tags, and
	// none is required, because each has a default.
	YAML bool

	// Types are schemas of types that write themselves differently than
	// their kind tells, such as a float that may be null.
	Types map[reflect.Type]*jsonschema.Schema
}

// Of returns the schema of T.
func Of[T any](o Options) (*jsonschema.Schema, error) {
	t := reflect.TypeFor[T]()
	if o.YAML {
		var err error
		if t, err = retag(t, o.Types, nil); err != nil {
			return nil, fmt.Errorf("schema: %s: %w", o.Title, err)
		}
	}
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: o.Types})
	if err != nil {
		return nil, fmt.Errorf("schema: %s: %w", o.Title, err)
	}
	s.Schema, s.Title, s.Description = draft, o.Title, o.Description
	if o.Open {
		open(s)
	}
	return s, nil
}

// For returns the schema of T as indented JSON, the same bytes every time.
func For[T any](o Options) ([]byte, error) {
	s, err := Of[T](o)
	if err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("schema: %s: %w", o.Title, err)
	}
	return append(b, '\n'), nil
}

// open lets every object with named properties have others.
func open(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	for _, p := range s.Properties {
		open(p)
	}
	open(s.Items)
	if s.Properties != nil {
		s.AdditionalProperties = nil
	} else {
		open(s.AdditionalProperties)
	}
}

// retag returns t with json tags in place of its yaml tags, each omitempty, in
// all that it is made of. Types with a schema of their own stay what they are.
func retag(t reflect.Type, own map[reflect.Type]*jsonschema.Schema, above []reflect.Type) (reflect.Type, error) {
	if own[t] != nil {
		return t, nil
	}
	if slices.Contains(above, t) {
		return nil, fmt.Errorf("type %v holds itself: give it a schema in Types", t)
	}
	above = append(above, t)
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		e, err := retag(t.Elem(), own, above)
		if err != nil {
			return nil, err
		}
		switch t.Kind() {
		case reflect.Pointer:
			return reflect.PointerTo(e), nil
		case reflect.Slice:
			return reflect.SliceOf(e), nil
		}
		return reflect.MapOf(t.Key(), e), nil
	case reflect.Struct:
		return retagStruct(t, own, above)
	}
	return t, nil
}

func retagStruct(t reflect.Type, own map[reflect.Type]*jsonschema.Schema, above []reflect.Type) (reflect.Type, error) {
	var fields []reflect.StructField
	for f := range t.Fields() {
		if !f.IsExported() {
			continue
		}
		name, rest, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "-":
			continue
		case name == "" || strings.Contains(rest, "inline"):
			return nil, fmt.Errorf("field %v.%s has no key of its own in its yaml tag", t, f.Name)
		}
		ft, err := retag(f.Type, own, above)
		if err != nil {
			return nil, err
		}
		tag := fmt.Sprintf(`json:"%s,omitempty"`, name)
		if d := f.Tag.Get("jsonschema"); d != "" {
			tag += fmt.Sprintf(" jsonschema:%q", d)
		}
		fields = append(fields, reflect.StructField{Name: f.Name, Type: ft, Tag: reflect.StructTag(tag)})
	}
	return reflect.StructOf(fields), nil
}

// Package schema makes JSON Schemas (draft 2020-12) of the product's file
// formats from the Go types that read and write them, so that a schema cannot
// say anything else than the program does. It refuses types that JSON cannot
// hold.
//
// Names come from `json` tags. A schema is kept under schemas/ and compared
// with its type by a test, which rewrites it with -update.
package schema

import (
	"encoding/json"
	"fmt"
	"reflect"

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

	// Types are schemas of types that write themselves differently than
	// their kind tells, such as a float that may be null.
	Types map[reflect.Type]*jsonschema.Schema
}

// Of returns the schema of T.
func Of[T any](o Options) (*jsonschema.Schema, error) {
	s, err := jsonschema.For[T](&jsonschema.ForOptions{TypeSchemas: o.Types})
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

package calibration

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is written is read back, from the built-in file and from changed figures.
func TestYAMLReadsBack(t *testing.T) {
	if got, want := string(Belgium().YAML()), string(BelgiumYAML()); got != want {
		t.Error("the figures of the built-in file are not written as that file")
	}
	changed := *Belgium()
	changed.Wage.Minimum2021 = 20001
	for _, f := range []*Figures{Belgium(), &changed} {
		got, err := Parse("copy.yaml", f.YAML())
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest() != f.Digest() {
			t.Errorf("another digest after writing and reading: %s", cmp.Diff(string(f.encode()), string(got.encode())))
		}
	}
	if changed.Digest() == Belgium().Digest() {
		t.Error("changed figures have the same digest")
	}
}

// Every number says what it may be, so that a file cannot say anything else.
func TestEveryNumberHasItsRange(t *testing.T) {
	var walk func(path string, typ reflect.Type, want string)
	walk = func(path string, typ reflect.Type, want string) {
		switch typ.Kind() {
		case reflect.Struct:
			for i := range typ.NumField() {
				if key, ok := keyOf(typ.Field(i)); ok {
					walk(path+"."+key, typ.Field(i).Type, typ.Field(i).Tag.Get("want"))
				}
			}
		case reflect.Slice, reflect.Array, reflect.Map:
			walk(path, typ.Elem(), want)
		case reflect.Int, reflect.Float64:
			if want == "" && typ != reflect.TypeFor[Group]() && !strings.HasPrefix(path, ".fields_of_levels") {
				t.Errorf("%s has no tag want: see the kinds in number", path)
			}
		}
	}
	walk("", reflect.TypeFor[Figures](), "")
}

// Parse never panics, and what it accepts is written and read back the same.
func FuzzParse(f *testing.F) {
	f.Add("based_on: belgium\n")
	f.Add("based_on: belgium\nwages: {median: 30000, index: {2003: 1}}\nregions:\n  - {code: X, share: 1, wage: 0}\n")
	f.Add("name: x\nwindow: {first: 2003, last: 2002, anchors: [1, 2]}\nlevels: [{code: a, group: low}, {}]\n")
	f.Add("sectors: {a: b}\nage: [1]\nworlds: {classes: [{groups: low}], planted: 3}\n")
	f.Add("based_on: belgium\nfields_of_levels: [{level: U, fields: {\"099\": 1, \"099\": 2}}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		figures, err := Parse("fuzz.yaml", []byte(text))
		if err != nil {
			return
		}
		back, err := Parse("copy.yaml", figures.YAML())
		if err != nil {
			t.Fatalf("accepted, but its copy is not: %v", err)
		}
		if back.Digest() != figures.Digest() {
			t.Error("the copy says something else")
		}
	})
}

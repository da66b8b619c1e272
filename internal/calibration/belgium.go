// Package calibration holds the figures that make a generated population look
// like a country: those of Belgium, built in, and those of files of the user.
//
// All figures stand in belgium.yaml with their sources; a file of another
// country has the same keys. Files are read strictly: whatever is misspelt,
// missing or impossible is reported with its line.
package calibration

import (
	_ "embed"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"

	"scramblelab/internal/strictyaml"
)

//go:embed belgium.yaml
var belgiumYAML []byte

// BelgiumName is the value of based_on that stands for the built-in file.
const BelgiumName = "belgium"

var belgium = sync.OnceValue(func() *Figures {
	f, err := parse("belgium.yaml", belgiumYAML, nil)
	if err != nil {
		panic(err) // the file is embedded, and a test reads it
	}
	return f
})

// Belgium returns the built-in calibration: Belgian legal-person employers
// that file annual accounts, 2003-2021. It is shared: take a copy to change it.
func Belgium() *Figures { return belgium() }

// BelgiumYAML returns the built-in file, from which a user can start.
func BelgiumYAML() []byte { return slices.Clone(belgiumYAML) }

// Section returns the text of one section of the built-in file with the comments
// above and inside it, or an error that names the sections.
func Section(name string) ([]byte, error) {
	var names []string
	var above, out strings.Builder
	open := false
	for line := range strings.Lines(string(belgiumYAML)) {
		key, _, isKey := strings.Cut(line, ":")
		switch {
		case isKey && key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyz_") == "":
			names = append(names, key)
			if open = key == name; open {
				out.WriteString(above.String())
				out.WriteString(line)
			}
			above.Reset()
		case strings.HasPrefix(line, "#"):
			above.WriteString(line)
		case strings.TrimSpace(line) == "":
			above.Reset()
		case open:
			out.WriteString(line)
		}
	}
	if out.Len() == 0 {
		return nil, fmt.Errorf("calibration: there is no section %q%s, want one of %s", name, strictyaml.Suggest(name, names), strings.Join(names, ", "))
	}
	return []byte(out.String()), nil
}

// missing returns the sections that the file does not have, in their order.
func missing(d *strictyaml.Document) []string {
	var out []string
	for i, t := 0, reflect.TypeFor[Figures](); i < t.NumField(); i++ {
		if key, ok := keyOf(t.Field(i)); ok && key != "based_on" && !given(d, key) {
			out = append(out, key)
		}
	}
	return out
}

// given reports whether the file itself has the section of a path.
func given(d *strictyaml.Document, path string) bool {
	if i := strings.IndexByte(path, '['); i >= 0 {
		path = path[:i]
	}
	_, ok := d.At[path]
	return ok
}

// Load reads a calibration file.
func Load(path string) (*Figures, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("calibration: %w", err)
	}
	return Parse(path, b)
}

// Parse reads a calibration, which is called name in errors: whole, or with
// based_on: belgium, over the figures of Belgium. A list, or a mapping by code
// or year, that the file gives replaces the inherited one whole. Errors name
// every problem with line, column and remedy.
func Parse(name string, b []byte) (*Figures, error) { return parse(name, b, Belgium()) }

// parse reads a file that may be based on the figures given.
func parse(name string, b []byte, base *Figures) (*Figures, error) {
	d, err := strictyaml.Parse(name, "calibration", b)
	if err != nil {
		return nil, err
	}
	if d.Empty() {
		return nil, fmt.Errorf("%s: has no figures: begin with based_on: belgium, or with a copy of the built-in file (synth config)", name)
	}
	f := &Figures{}
	d.Decode(f)
	inherited := f.BasedOn == BelgiumName && base != nil
	if inherited {
		f = new(Figures)
		*f = *base
		d.Decode(f)
	}
	switch lacks := missing(d); {
	case inherited || f.BasedOn == "" && len(lacks) == 0:
		d.Require(f, inherited)
	case f.BasedOn == "":
		d.Fail("", "the file lacks %s: add what is missing, or begin with based_on: %s, which takes it from there", strings.Join(lacks, ", "), BelgiumName)
	default:
		d.Fail("based_on", "based_on is %q, want %s: only the built-in file can be built upon", f.BasedOn, BelgiumName)
	}
	if len(d.Bad) == 0 {
		c := &checker{f: f}
		c.all()
		for _, p := range c.bad {
			if section, _, _ := strings.Cut(p.Path, "."); inherited && !given(d, section) {
				p.Message = fmt.Sprintf("%s, inherited: %s", strictyaml.LastKey(section), p.Message)
			}
			d.Fail(p.Path, "%s", p.Message)
		}
	}
	if err := d.Err(name); err != nil {
		return nil, err
	}
	f.BasedOn, f.source = "", nil
	if !inherited {
		f.source = b
	}
	return f, nil
}

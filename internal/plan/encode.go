package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"scramblelab/internal/strictyaml"
)

// Annotations are comments to write into a plan.
type Annotations struct {
	Head     []string            // lines on top
	Above    map[string][]string // by path, such as release.records or schema["wage"]: lines above the key
	Schema   []string            // order of the columns of the schema; others follow, sorted
	Sections bool                // an empty line between sections
}

// YAML returns the plan as a file that [Parse] reads back as the same plan.
func (p Plan) YAML() []byte { return p.Annotated(Annotations{}) }

// Annotated is YAML with comments.
func (p Plan) Annotated(a Annotations) []byte {
	p.normalise()
	e := encoder{Annotations: a}
	e.comment("", a.Head)
	if a.Sections && len(a.Head) > 0 {
		e.WriteByte('\n')
	}
	e.mapping("", "", reflect.ValueOf(p))
	return e.Bytes()
}

type encoder struct {
	bytes.Buffer
	Annotations
}

func (e *encoder) comment(indent string, lines []string) {
	for _, l := range lines {
		e.WriteString(strings.TrimRight(indent+"# "+l, " ") + "\n")
	}
}

// mapping writes a struct or a map one key a line.
func (e *encoder) mapping(path, indent string, v reflect.Value) {
	for i, f := range fields(v, e.Schema) {
		at := strictyaml.Join(path, f.key)
		if v.Kind() == reflect.Map {
			at = strictyaml.Element(path, f.key)
		}
		if path == "" && i > 0 && e.Sections {
			e.WriteByte('\n')
		}
		e.comment(indent, e.Above[at])
		e.WriteString(indent + scalar(f.key) + ":")
		value := f.value
		if value.Kind() == reflect.Pointer {
			value = value.Elem()
		}
		switch {
		case flows(value):
			e.WriteString(" " + flow(value) + "\n")
		case value.Type() == reflect.TypeFor[[]Vary]():
			e.WriteByte('\n')
			for _, x := range value.Interface().([]Vary) {
				e.comment(indent+"  ", e.Above[strictyaml.Element(at, x.Path)])
				e.WriteString(indent + "  " + scalar(x.Path) + ": " + string(x.Values) + "\n")
			}
		case value.Kind() == reflect.Slice:
			e.WriteByte('\n')
			for k := range value.Len() {
				e.comment(indent+"  ", e.Above[fmt.Sprintf("%s[%d]", at, k)])
				e.WriteString(indent + "  - " + flow(value.Index(k)) + "\n")
			}
		default:
			e.WriteByte('\n')
			e.mapping(at, indent+"  ", value)
		}
	}
}

type field struct {
	key   string
	value reflect.Value
}

// fields returns the keys of a mapping that are to be written.
func fields(v reflect.Value, order []string) []field {
	var out []field
	if v.Kind() == reflect.Map {
		keys := slices.Sorted(maps.Keys(v.Interface().(map[string]Role)))
		slices.SortStableFunc(keys, func(a, b string) int { return rank(order, a) - rank(order, b) })
		for _, k := range keys {
			out = append(out, field{k, v.MapIndex(reflect.ValueOf(k))})
		}
		return out
	}
	for i := range v.NumField() {
		key, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		keep := options != "omitempty" || !v.Field(i).IsZero()
		switch s := v.Interface().(type) {
		case Step:
			takes := methodKeys[s.Method]
			keep = key == "method" || slices.Contains(takes, key) && !empty(v.Field(i))
		case Class:
			keep = (key == "bounds") == (len(s.Bounds) > 0) && (key == "quantiles") == (s.Quantiles > 0)
		}
		if keep {
			out = append(out, field{key, v.Field(i)})
		}
	}
	return out
}

func empty(v reflect.Value) bool {
	return (v.Kind() == reflect.Slice || v.Kind() == reflect.String) && v.Len() == 0
}

func rank(order []string, key string) int {
	if i := slices.Index(order, key); i >= 0 {
		return i
	}
	return len(order)
}

// flows reports whether a value is written on the line of its key: scalars,
// lists of scalars, and mappings that stand many to a section.
func flows(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Struct:
		return v.Type() == reflect.TypeFor[Role]() || v.Type() == reflect.TypeFor[Class]()
	case reflect.Map:
		return v.Len() == 0 || v.Type().Elem().Kind() == reflect.String
	case reflect.Slice:
		kind := v.Type().Elem().Kind()
		return v.Len() == 0 || kind != reflect.Struct && kind != reflect.Slice
	}
	return true
}

func flow(v reflect.Value) string {
	var parts []string
	switch v.Kind() {
	case reflect.Pointer:
		return flow(v.Elem())
	case reflect.Slice:
		if k, ok := v.Interface().(Kept); ok && k.isSum() {
			return scalar(k[0])
		}
		for i := range v.Len() {
			parts = append(parts, flow(v.Index(i)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Map:
		texts := v.Interface().(map[string]string)
		for _, k := range slices.Sorted(maps.Keys(texts)) {
			parts = append(parts, scalar(k)+": "+scalar(texts[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case reflect.Struct:
		for _, f := range fields(v, nil) {
			parts = append(parts, f.key+": "+flow(f.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	case reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	}
	return scalar(v.String())
}

// plain texts need no quotes and are no other type in any version of YAML.
var (
	plain    = regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./ -]*$`)
	reserved = regexp.MustCompile(`^(?i:true|false|yes|no|on|off|null|y|n|[.](nan|inf)|[.]+)$`)
)

func scalar(s string) string {
	if plain.MatchString(s) && !reserved.MatchString(s) && s == strings.TrimSpace(s) || s == "31-12" {
		return s
	}
	return strconv.Quote(s)
}

// Digest returns the SHA-256 of what the plan does, in hexadecimal: comments,
// the order of keys and the paths of the data do not count, defaults count as
// if written out. What is measured on a release that is written already does not
// count either: a researcher's program may come later.
func (p Plan) Digest() string {
	p.normalise()
	p.Fidelity = nil
	if p.Data.Jobs != "" {
		p.Data.Jobs = "jobs"
	}
	if p.Data.Population != "" {
		p.Data.Population = "population"
	}
	for i := range p.Scramble.Steps { // a copy, see normalise; what a hierarchy says is in the digest of the data
		if s := &p.Scramble.Steps[i]; s.File != "" {
			s.File = "hierarchy"
		}
	}
	sum := sha256.Sum256(p.YAML())
	return hex.EncodeToString(sum[:])
}

// ScrambleDigest returns the SHA-256 of what the plan does to the data, whoever
// they are for and whatever is measured: schema, release and scramble. A key is
// drawn for it.
func (p Plan) ScrambleDigest() string {
	p.normalise()
	d := Default()
	p.Project, p.Adversaries, p.Attack, p.Gates, p.Tune, p.Fidelity = d.Project, d.Adversaries, d.Attack, d.Gates, nil, nil
	p.Data = Data{Jobs: "jobs", SampledWithin: p.Data.SampledWithin}
	return p.Digest()
}

// NamesRecipient reports whether the plan says for whom a release is: the
// recipient of the built-in plan and that of a plan that was inferred stand for
// nobody.
func (p Plan) NamesRecipient() bool {
	return p.Project.Recipient != Default().Project.Recipient && p.Project.Recipient != RecipientToName
}

// RecipientToName stands in plans where the user is to name the recipient.
const RecipientToName = "name the recipient here"

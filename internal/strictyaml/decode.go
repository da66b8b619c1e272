// Package strictyaml reads the YAML files that people write (plans, policies)
// strictly: everything that is wrong is reported at once, each with line and
// column, and a misspelt key with the key that was meant.
package strictyaml

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	Line, Column int    // from 1; 0 where the value did not come from a file
	Path         string // such as scramble.steps[0].rate
	Message      string // what is wrong and what to write instead
}

// Error holds everything that is wrong with a file.
type Error struct {
	Name     string // of the file
	Problems []Problem
}

// Error writes one problem per line, as name:line:column: message.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		switch {
		case p.Line > 0:
			lines[i] = fmt.Sprintf("%s:%d:%d: %s", e.Name, p.Line, p.Column, p.Message)
		case p.Path != "":
			lines[i] = fmt.Sprintf("%s: %s: %s", e.Name, p.Path, p.Message)
		default:
			lines[i] = fmt.Sprintf("%s: %s", e.Name, p.Message)
		}
	}
	return strings.Join(lines, "\n")
}

// Position is a place in a file, from 1.
type Position struct{ Line, Column int }

// A Document is a parsed file. Its tree is decoded here rather than by the YAML
// library because that one stops at the first error and forgets positions.
type Document struct {
	At   map[string]Position // of every path that the last Decode met
	Bad  []Problem           // what the last Decode found
	root ast.Node            // nil: nothing but comments
	what string              // plan or policy, for messages
}

// Empty reports whether the file holds nothing but comments.
func (d *Document) Empty() bool { return d.root == nil }

// Decode writes what the file says over the struct behind v, which holds the
// defaults. It fills At and Bad anew.
func (d *Document) Decode(v any) {
	d.Bad, d.At = nil, map[string]Position{}
	if d.root != nil {
		d.decode(d.root, "", reflect.ValueOf(v).Elem())
	}
}

// Fail adds a problem with the value at path, or with the mapping that would
// hold it.
func (d *Document) Fail(path, format string, args ...any) {
	p := Place(d.At, path)
	d.Bad = append(d.Bad, Problem{Line: p.Line, Column: p.Column, Path: path, Message: fmt.Sprintf(format, args...)})
}

// Err returns what is wrong with the file of that name, in its order, or nil.
func (d *Document) Err(name string) error {
	if len(d.Bad) == 0 {
		return nil
	}
	slices.SortStableFunc(d.Bad, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Error{Name: name, Problems: d.Bad}
}

// Place returns where a path stands; what the file does not say stands where
// its mapping does.
func Place(at map[string]Position, path string) Position {
	p, ok := at[path]
	for up := path; !ok && up != ""; p, ok = at[up] {
		up = up[:max(0, strings.LastIndexAny(up, ".["))]
	}
	return Position{max(p.Line, 1), max(p.Column, 1)}
}

// Such files are written by hand: anything larger or deeper is some other file.
const (
	maxBytes = 1 << 18
	maxDepth = 2000
)

// Parse reads a file, which is called name in errors; what says what it should
// be: plan, policy.
func Parse(name, what string, b []byte) (*Document, error) {
	d, bad := parse(what, b)
	if bad != nil {
		return nil, &Error{Name: name, Problems: []Problem{*bad}}
	}
	return d, nil
}

func parse(what string, b []byte) (d *Document, bad *Problem) {
	b = []byte(strings.TrimPrefix(string(b), "\ufeff"))
	switch {
	case len(b) > maxBytes:
		return nil, &Problem{Message: fmt.Sprintf("has %d bytes, want at most %d: is this a %s?", len(b), maxBytes, what)}
	case !utf8.Valid(b):
		return nil, &Problem{Message: "is not UTF-8 text: save it as UTF-8"}
	case tooDeep(b):
		return nil, &Problem{Message: fmt.Sprintf("is nested more than %d deep: is this a %s?", maxDepth, what)}
	}
	// The parser is known to panic on some malformed documents.
	defer func() {
		if r := recover(); r != nil {
			d, bad = nil, &Problem{Message: "is not YAML that can be read"}
		}
	}()
	file, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil, syntaxProblem(err)
	}
	d = &Document{what: what}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if d.root != nil {
			p := positionOf(doc.Body)
			return nil, &Problem{Line: p.Line, Column: p.Column, Message: "a second document: a file holds one " + what}
		}
		d.root = doc.Body
	}
	return d, nil
}

// tooDeep bounds what the recursive parser is given. It overestimates: quoted
// interval labels such as "[25000,30000)" open a bracket without closing it.
func tooDeep(b []byte) bool {
	depth, indicators := 0, 0
	for _, c := range b {
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		case '\n':
			indicators = 0
		case '-', '?', ':':
			indicators++
		}
		if depth > maxDepth || indicators > maxDepth {
			return true
		}
	}
	return false
}

func syntaxProblem(err error) *Problem {
	var line, column int
	message := err.Error()
	var e yaml.Error
	if errors.As(err, &e) {
		message = e.GetMessage()
		if t := e.GetToken(); t != nil && t.Position != nil {
			line, column = t.Position.Line, t.Position.Column
		}
	}
	if line == 0 {
		message = "not YAML: " + message
	}
	return &Problem{Line: line, Column: column, Message: message}
}

func (d *Document) fail(n ast.Node, path, format string, args ...any) {
	p := positionOf(n)
	d.Bad = append(d.Bad, Problem{Line: p.Line, Column: p.Column, Path: path, Message: fmt.Sprintf(format, args...)})
}

func positionOf(n ast.Node) Position {
	if values, ok := mapping(n); ok && len(values) > 0 {
		if m, flow := n.(*ast.MappingNode); !flow || !m.IsFlowStyle {
			return positionOf(values[0].Key)
		}
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return Position{1, 1}
	}
	p := n.GetToken().Position
	return Position{p.Line, p.Column}
}

func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// decode writes what the node says over v, which holds the defaults.
func (d *Document) decode(n ast.Node, path string, v reflect.Value) {
	d.At[path] = positionOf(n)
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		d.fail(n, path, "anchors, aliases and tags are not read in a %s: write the value out", d.what)
		return
	case *ast.NullNode:
		d.fail(n, path, "%s has no value: give one, or leave it out", LastKey(path))
		return
	}
	if v.Type() == reflect.TypeFor[Raw]() {
		v.SetString(flow(n))
		return
	}
	_, list := n.(*ast.SequenceNode) // a type may be written as a list or as a text
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok && !(list && v.Kind() == reflect.Slice) {
		d.decodeText(n, path, text)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.decode(n, path, v.Elem())
	case reflect.Struct:
		d.decodeStruct(n, path, v)
	case reflect.Map:
		d.decodeMap(n, path, v)
	case reflect.Slice:
		if pairs(v.Type()) {
			d.decodePairs(n, path, v)
		} else {
			d.decodeList(n, path, v)
		}
	case reflect.Array:
		d.decodeArray(n, path, v)
	default:
		d.decodeScalar(n, path, v)
	}
}

func (d *Document) decodeStruct(n ast.Node, path string, v reflect.Value) {
	values, ok := mapping(n)
	if !ok {
		d.fail(n, path, "%s is %s, want a mapping with the keys %s", LastKey(path), kindOf(n), strings.Join(keysOf(v.Type()), ", "))
		return
	}
	seen := map[string]bool{}
	for _, kv := range values {
		key, ok := d.key(kv, path, seen)
		if !ok {
			continue
		}
		i := slices.Index(keysOf(v.Type()), key)
		if i < 0 {
			d.fail(kv.Key, path, "unknown key %q%s", shortened(key), Suggest(key, keysOf(v.Type())))
			continue
		}
		d.decode(kv.Value, Join(path, key), v.Field(i))
	}
}

// key returns the key of a pair, noted in seen.
func (d *Document) key(kv *ast.MappingValueNode, path string, seen map[string]bool) (string, bool) {
	switch k := kv.Key.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		key := k.GetToken().Value
		if seen[key] {
			d.fail(kv.Key, path, "key %q stands twice: remove one", key)
			return "", false
		}
		seen[key] = true
		return key, true
	case *ast.MergeKeyNode:
		d.fail(kv.Key, path, "merge keys are not read in a %s: write the keys out", d.what)
	default:
		d.fail(kv.Key, path, "a key is %s, want a name", kindOf(kv.Key))
	}
	return "", false
}

func (d *Document) decodeScalar(n ast.Node, path string, v reflect.Value) {
	if _, ok := mapping(n); ok || n.Type() == ast.SequenceType {
		d.fail(n, path, "%s is %s, want %s", LastKey(path), kindOf(n), wanted(v.Kind()))
		return
	}
	text := n.GetToken().Value
	if l, ok := n.(*ast.LiteralNode); ok {
		text = l.Value.Value
	}
	quoted := n.GetToken().Type == token.SingleQuoteType || n.GetToken().Type == token.DoubleQuoteType
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
			return
		}
	case reflect.Int:
		if i, err := strconv.ParseInt(text, 10, 32); err == nil && !quoted {
			v.SetInt(i)
			return
		}
	case reflect.Float64:
		switch n := n.(type) {
		case *ast.NanNode:
			v.SetFloat(math.NaN())
			return
		case *ast.InfinityNode:
			v.SetFloat(n.Value)
			return
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil && !quoted {
			v.SetFloat(f)
			return
		}
	}
	d.fail(n, path, "%s is %q, want %s", LastKey(path), shortened(text), wanted(v.Kind()))
}

func wanted(k reflect.Kind) string {
	switch k {
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	}
	return "a text"
}

func kindOf(n ast.Node) string {
	if _, ok := mapping(n); ok {
		return "a mapping"
	}
	switch n.(type) {
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "empty"
	}
	return fmt.Sprintf("%q", shortened(n.GetToken().Value))
}

// keysOf returns the keys of a mapping in the order of the type, whose fields
// that are not exported must come last.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			keys = append(keys, key)
		}
	}
	return keys
}

// Join returns the path of a key in a mapping.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Element returns the path of a key in a mapping whose keys are the user's.
func Element(path, key string) string { return fmt.Sprintf("%s[%q]", path, key) }

// LastKey names the key that a path ends in: steps[0] for scramble.steps[0].
func LastKey(path string) string {
	if path == "" {
		return "the file"
	}
	if i := strings.LastIndex(path, "["); i >= 0 && strings.HasSuffix(path, "]") {
		return path[strings.LastIndex(path[:i], ".")+1:]
	}
	return path[strings.LastIndex(path, ".")+1:]
}

// shortened keeps messages on a line.
func shortened(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

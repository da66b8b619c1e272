package strictyaml

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

func (d *Document) decodeMap(n ast.Node, path string, v reflect.Value) {
	values, ok := mapping(n)
	if !ok {
		d.fail(n, path, "%s is %s, want a mapping", LastKey(path), kindOf(n))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	seen := map[string]bool{}
	for _, kv := range values {
		key, ok := d.key(kv, path, seen)
		if !ok {
			continue
		}
		k := reflect.ValueOf(key)
		if v.Type().Key().Kind() == reflect.Int {
			i, err := strconv.Atoi(key)
			if err != nil || strconv.Itoa(i) != key {
				d.fail(kv.Key, path, "key %q of %s is no whole number: write one such as 2003", shortened(key), LastKey(path))
				continue
			}
			k = reflect.ValueOf(i)
		}
		e := reflect.New(v.Type().Elem()).Elem()
		d.decode(kv.Value, Element(path, key), e)
		v.SetMapIndex(k, e)
	}
}

// pairs reports whether a type is a list of two-field structs, tagged ",key"
// and ",value", which stands in a file as a mapping whose order counts.
func pairs(t reflect.Type) bool {
	e := t.Elem()
	return e.Kind() == reflect.Struct && e.NumField() == 2 && e.Field(0).Tag.Get("yaml") == ",key" && e.Field(1).Tag.Get("yaml") == ",value"
}

// decodePairs replaces the default pairs by those of a mapping, in its order.
func (d *Document) decodePairs(n ast.Node, path string, v reflect.Value) {
	values, ok := mapping(n)
	if !ok {
		d.fail(n, path, "%s is %s, want a mapping", LastKey(path), kindOf(n))
		return
	}
	v.SetZero()
	seen := map[string]bool{}
	for _, kv := range values {
		if key, ok := d.key(kv, path, seen); ok {
			e := reflect.New(v.Type().Elem()).Elem()
			e.Field(0).SetString(key)
			d.decode(kv.Value, Element(path, key), e.Field(1))
			v.Set(reflect.Append(v, e))
		}
	}
}

// decodeList replaces the default list; an empty list is nil.
func (d *Document) decodeList(n ast.Node, path string, v reflect.Value) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		d.fail(n, path, "%s is %s, want a list such as [a, b]", LastKey(path), kindOf(n))
		return
	}
	v.SetZero()
	for i, item := range list.Values {
		e := reflect.New(v.Type().Elem()).Elem()
		d.decode(item, fmt.Sprintf("%s[%d]", path, i), e)
		v.Set(reflect.Append(v, e))
	}
}

// decodeArray reads a list of as many items as the array has.
func (d *Document) decodeArray(n ast.Node, path string, v reflect.Value) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		d.fail(n, path, "%s is %s, want a list of %d", LastKey(path), kindOf(n), v.Len())
		return
	}
	if len(list.Values) != v.Len() {
		d.fail(n, path, "%s has %d items, want %d", LastKey(path), len(list.Values), v.Len())
		return
	}
	for i, item := range list.Values {
		d.decode(item, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
	}
}

// decodeText reads a word whose type knows its own spellings.
func (d *Document) decodeText(n ast.Node, path string, v encoding.TextUnmarshaler) {
	if _, ok := mapping(n); ok || n.Type() == ast.SequenceType {
		d.fail(n, path, "%s is %s, want a text", LastKey(path), kindOf(n))
		return
	}
	if err := v.UnmarshalText([]byte(n.GetToken().Value)); err != nil {
		d.fail(n, path, "%s: %s", LastKey(path), err)
	}
}

// Require adds a problem for every key of the struct behind v that the file
// does not give. With inherited, keys outside lists and mappings of the user's
// may be left out, because a default stands behind them.
func (d *Document) Require(v any, inherited bool) {
	d.require("", reflect.ValueOf(v).Elem(), inherited)
}

func (d *Document) require(path string, v reflect.Value, inherited bool) {
	if _, text := v.Addr().Interface().(encoding.TextUnmarshaler); text {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i, key := range keysOf(v.Type()) {
			at := Join(path, key)
			_, given := d.At[at]
			switch {
			case given:
				d.require(at, v.Field(i), inherited)
			case !inherited && !strings.HasSuffix(v.Type().Field(i).Tag.Get("yaml"), ",omitempty"):
				d.Fail(at, "%s lacks the key %q: add it", LastKey(path), key)
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && pairs(v.Type()) {
			return
		}
		for i := range v.Len() {
			d.require(fmt.Sprintf("%s[%d]", path, i), v.Index(i), false)
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		for _, k := range keys {
			e := reflect.New(v.Type().Elem()).Elem()
			e.Set(v.MapIndex(k))
			d.require(Element(path, fmt.Sprint(k)), e, false)
		}
	}
}

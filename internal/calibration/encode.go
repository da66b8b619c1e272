package calibration

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// YAML returns a whole calibration file that Parse reads back to the same
// figures: the file that they came from, comments and all, if that was whole
// and nothing was changed since.
func (f *Figures) YAML() []byte {
	if len(f.source) > 0 {
		if was, err := Parse(f.Name, f.source); err == nil && was.Digest() == f.Digest() {
			return slices.Clone(f.source)
		}
	}
	return append([]byte("# Calibration of a generated population. What each key means, and a source for each\n"+
		"# figure of Belgium, stands in the built-in file: synth config\n"), f.encode()...)
}

// Digest returns the SHA-256 of the figures, whatever the layout of the file
// that they came from.
func (f *Figures) Digest() string {
	sum := sha256.Sum256(f.encode())
	return hex.EncodeToString(sum[:])
}

// encode writes all figures in the order of the types.
func (f *Figures) encode() []byte {
	var b strings.Builder
	v := reflect.ValueOf(f).Elem()
	for i := range v.NumField() {
		key, ok := keyOf(v.Type().Field(i))
		if !ok || key == "based_on" {
			continue
		}
		fmt.Fprintf(&b, "%s:", key)
		if x := v.Field(i); x.Kind() == reflect.Slice && x.Len() > 0 {
			b.WriteByte('\n')
			for k := range x.Len() {
				b.WriteString("  - ")
				flow(&b, x.Index(k))
				b.WriteByte('\n')
			}
			continue
		}
		b.WriteByte(' ')
		flow(&b, v.Field(i))
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

func keyOf(f reflect.StructField) (string, bool) {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key, f.IsExported() && key != ""
}

// flow writes a value in flow style.
func flow(b *strings.Builder, v reflect.Value) {
	if t, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := t.MarshalText()
		if err != nil {
			panic(err) // groups have names
		}
		b.WriteString(strconv.Quote(string(text)))
		return
	}
	open := func(n int, brackets string, item func(int)) {
		b.WriteByte(brackets[0])
		for i := range n {
			if i > 0 {
				b.WriteString(", ")
			}
			item(i)
		}
		b.WriteByte(brackets[1])
	}
	pair := func(key string, x reflect.Value) {
		b.WriteString(key + ": ")
		flow(b, x)
	}
	switch v.Kind() {
	case reflect.Struct:
		open(v.NumField(), "{}", func(i int) {
			key, _ := keyOf(v.Type().Field(i))
			pair(key, v.Field(i))
		})
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		open(len(keys), "{}", func(i int) {
			if keys[i].Kind() == reflect.String {
				pair(strconv.Quote(keys[i].String()), v.MapIndex(keys[i]))
			} else {
				pair(fmt.Sprint(keys[i]), v.MapIndex(keys[i]))
			}
		})
	case reflect.Slice, reflect.Array:
		if v.Type().Elem() == reflect.TypeFor[Share]() {
			open(v.Len(), "{}", func(i int) { pair(strconv.Quote(v.Index(i).Field(0).String()), v.Index(i).Field(1)) })
			return
		}
		open(v.Len(), "[]", func(i int) { flow(b, v.Index(i)) })
	case reflect.String:
		b.WriteString(strconv.Quote(v.String()))
	default:
		fmt.Fprint(b, v)
	}
}

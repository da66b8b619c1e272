package calibration

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"scramblelab/internal/strictyaml"
)

// ranges checks every number against the tag want of its field; the items of a
// list or a mapping have that of the whole.
func (c *checker) ranges(path string, v reflect.Value, want string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if key, ok := keyOf(v.Type().Field(i)); ok {
				c.ranges(strictyaml.Join(path, key), v.Field(i), v.Type().Field(i).Tag.Get("want"))
			}
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		for _, k := range keys {
			c.ranges(strictyaml.Element(path, fmt.Sprint(k)), v.MapIndex(k), want)
		}
	case reflect.Slice, reflect.Array:
		if points, ok := v.Interface().([][2]float64); ok {
			c.points(path, points, want)
			return
		}
		for i := range v.Len() {
			if x := v.Index(i); x.Type() == reflect.TypeFor[Share]() {
				c.ranges(strictyaml.Element(path, x.Field(0).String()), x.Field(1), "share")
			} else {
				c.ranges(fmt.Sprintf("%s[%d]", path, i), x, want)
			}
		}
	case reflect.Float64:
		c.number(path, v.Float(), want)
	case reflect.Int:
		if v.Type() == reflect.TypeFor[int]() {
			c.number(path, float64(v.Int()), want)
		}
	}
}

// points checks a line given by points of ascending x; the tag is that of y.
func (c *checker) points(path string, points [][2]float64, want string) {
	name := strictyaml.LastKey(path)
	if len(points) == 0 {
		c.fail(path, "%s is empty: write at least one pair", name)
	}
	for i, p := range points {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.number(at+"[0]", p[0], "")
		c.number(at+"[1]", p[1], strings.TrimPrefix(want, "points "))
		if i > 0 && p[0] <= points[i-1][0] {
			c.fail(at, "%s has %v after %v, want pairs that ascend", name, p[0], points[i-1][0])
		}
	}
}

// number checks one number against a tag.
func (c *checker) number(path string, x float64, want string) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		c.fail(path, "%s is %v, want a number", strictyaml.LastKey(path), x)
		return
	}
	kind, positive := strings.CutPrefix(want, "positive ")
	lo, hi, what := math.Inf(-1), math.Inf(1), ""
	switch kind {
	case "share":
		lo, hi, what = 0, 1, "a share in [0, 1]"
	case "percent":
		lo, hi, what = 0, 100, "a percentage in [0, 100]"
	case "sd":
		lo, hi, what = 0, 3, "a standard deviation in [0, 3]"
	case "log":
		lo, hi, what = -2, 2, "a log in [-2, 2]"
	case "growth":
		lo, hi, what = -50, 100, "a growth rate in [-50, 100] %"
	case "age":
		lo, hi, what = 14, 80, "an age in 14..80"
	case "year":
		lo, hi, what = 1900, 2200, "a year in 1900..2200"
	default:
		if bounds, ok := strings.CutPrefix(kind, "between "); ok {
			a, b, _ := strings.Cut(bounds, " ")
			lo, _ = strconv.ParseFloat(a, 64)
			hi, _ = strconv.ParseFloat(b, 64)
			what = fmt.Sprintf("a number in [%s, %s]", a, b)
		}
	}
	switch {
	case x < lo || x > hi:
		c.fail(path, "%s is %v, want %s", strictyaml.LastKey(path), x, what)
	case positive && x == 0:
		c.fail(path, "%s is 0, want %s above 0", strictyaml.LastKey(path), what)
	}
}

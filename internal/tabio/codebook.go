package tabio

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"scramblelab/internal/frame"
)

// interner numbers labels in the order in which they turn up; [settle] puts
// them in codebook order once all are known.
type interner struct {
	index  map[string]int32
	labels []string
}

func (t *interner) code(label string) int32 {
	if c, ok := t.index[label]; ok {
		return c
	}
	if t.index == nil {
		t.index = map[string]int32{}
	}
	label = strings.Clone(label) // do not hold a whole record or page
	c := int32(len(t.labels))
	t.index[label] = c
	t.labels = append(t.labels, label)
	return c
}

var errNotUTF8 = errors.New("is not UTF-8 text: convert the file first (iconv -f LATIN1 -t UTF-8)")

// dictionaryFor makes the codebook of a column from its labels: the one given,
// by interval bounds, by number for an ordinal column, else sorted.
func dictionaryFor(c ColumnSpec, labels []string) (*frame.Dict, error) {
	if c.Dict != nil {
		for _, l := range labels {
			if _, ok := c.Dict.Code(l); !ok {
				return nil, unknownLabel(c.Dict, l)
			}
		}
		return c.Dict, nil
	}
	if c.Kind == frame.Ordinal && len(labels) > 0 {
		if slices.ContainsFunc(labels, isInterval) {
			return IntervalDict(labels)
		}
		if d := numberDict(labels); d != nil {
			return d, nil
		}
	}
	return frame.NewDict(sortedCopy(labels), nil)
}

// numberDict sorts labels that are all numbers by value, nil where one is not
// or two are equal.
func numberDict(labels []string) *frame.Dict {
	values := make(map[string]float64, len(labels))
	for _, l := range labels {
		v, err := parseFloat(l)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		values[l] = v
	}
	sorted := slices.Clone(labels)
	slices.SortFunc(sorted, func(a, b string) int { return cmp.Or(cmp.Compare(values[a], values[b]), cmp.Compare(a, b)) })
	numbers := make([]float64, len(sorted))
	for i, l := range sorted {
		if numbers[i] = values[l]; i > 0 && numbers[i] == numbers[i-1] {
			return nil
		}
	}
	d, err := frame.NewDict(sorted, numbers)
	if err != nil {
		return nil
	}
	return d
}

func unknownLabel(d *frame.Dict, label string) error {
	return fmt.Errorf("%s is not a label of the codebook%s", quoteShort(label), among("labels are", label, d.Labels()))
}

// settle translates codes in order of appearance into codes of the codebook.
func settle(c ColumnSpec, codes []int32, seen []string) (frame.Column, error) {
	d, err := dictionaryFor(c, seen)
	if err != nil {
		return frame.Column{}, err
	}
	to := make([]int32, len(seen))
	for i, l := range seen {
		to[i], _ = d.Code(l)
	}
	for i, k := range codes {
		if k >= 0 {
			codes[i] = to[k]
		}
	}
	return frame.Column{Name: c.As, Kind: c.Kind, Dict: d, I: codes}, nil
}

// codedKind decides between a category and, where all labels are intervals, an
// ordinal column.
func codedKind(labels []string) frame.Kind {
	if len(labels) == 0 {
		return frame.Category
	}
	for _, l := range labels {
		if !isInterval(l) {
			return frame.Category
		}
	}
	return frame.Ordinal
}

func validText(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s %w", quoteShort(s), errNotUTF8)
	}
	return nil
}

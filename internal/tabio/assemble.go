package tabio

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"scramblelab/internal/frame"
)

// assemble puts the parts of a Parquet column together as the kind wanted.
func assemble(c ColumnSpec, s storage, parts []part, rows int) (frame.Column, error) {
	if c.Kind == 0 {
		inferStored(&c, s, parts)
	}
	switch {
	case c.Kind == frame.Category, c.Kind == frame.Ordinal, c.Kind == anyCoded:
		return assembleCodes(c, s, parts, rows)
	case c.Kind == frame.Int && s.kind == parquet.Int32 && s.scale == int(c.Decimals) && !s.unsigned && !s.date,
		c.Kind == frame.Date && s.date:
		out := make([]int32, 0, rows)
		for k, p := range parts {
			out = append(out, p.i...)
			parts[k] = part{}
		}
		return frame.Column{Name: c.As, Kind: c.Kind, Decimals: c.Decimals, I: out}, nil
	case c.Kind == frame.Long && s.kind == parquet.Int64 && s.scale == int(c.Decimals) && s.perDay == 0:
		out := make([]int64, 0, rows)
		for k, p := range parts {
			out = append(out, p.l...)
			parts[k] = part{}
		}
		return frame.Column{Name: c.As, Kind: c.Kind, Decimals: c.Decimals, L: out}, nil
	case c.Kind == frame.Float && (s.kind == parquet.Double || s.kind == parquet.Float):
		out := make([]float64, 0, rows)
		for k, p := range parts {
			out = append(out, p.f...)
			parts[k] = part{}
		}
		return frame.Column{Name: c.As, Kind: c.Kind, F: out}, nil
	}
	return convert(c, s, parts, rows)
}

// inferStored decides the kind from the type of the file, and integers by their
// size, so that the same table in CSV and in Parquet is read alike.
func inferStored(c *ColumnSpec, s storage, parts []part) {
	switch {
	case s.text, s.kind == parquet.Boolean:
		c.Kind = anyCoded
	case s.date, s.perDay > 0:
		c.Kind = frame.Date
	case s.kind == parquet.Float, s.kind == parquet.Double, s.scale > 9:
		c.Kind = frame.Float
	default:
		c.Kind, c.Decimals = frame.Int, uint8(s.scale)
		for _, p := range parts {
			for _, v := range p.l {
				if v != frame.NoLong && (v <= math.MinInt32 || v > math.MaxInt32) {
					c.Kind = frame.Long
					return
				}
			}
		}
	}
}

// cell reads one value of a part: a number, or a text, or nothing.
func (p part) cell(row int) (whole int64, real float64, text string, missing bool) {
	switch {
	case p.f != nil:
		return 0, p.f[row], "", math.IsNaN(p.f[row])
	case p.l != nil:
		return p.l[row], 0, "", p.l[row] == frame.NoLong
	case p.labels != nil:
		if p.i[row] < 0 {
			return 0, 0, "", true
		}
		return 0, 0, p.labels[p.i[row]], false
	}
	return int64(p.i[row]), 0, "", p.i[row] == frame.NoInt
}

// assembleCodes merges the labels of the parts in one codebook.
func assembleCodes(c ColumnSpec, s storage, parts []part, rows int) (frame.Column, error) {
	var all interner
	codes := make([]int32, 0, rows)
	for k, p := range parts {
		if !s.text {
			p = labelNumbers(s, p)
		}
		to := make([]int32, len(p.labels))
		for i, l := range p.labels {
			if to[i] = frame.NoCode; !c.isMissing(l) {
				if err := validText(l); err != nil {
					return frame.Column{}, err
				}
				to[i] = all.code(l)
			}
		}
		for _, code := range p.i {
			if code >= 0 {
				code = to[code]
			}
			codes = append(codes, code)
		}
		parts[k] = part{}
	}
	if c.Kind == anyCoded {
		c.Kind = codedKind(all.labels)
	}
	out, err := settle(c, codes, all.labels)
	if err != nil && c.Dict != nil {
		for row, code := range codes {
			if code >= 0 {
				if _, known := c.Dict.Code(all.labels[code]); !known {
					return out, fmt.Errorf("row %d: %w", row+1, err)
				}
			}
		}
	}
	return out, err
}

// labelNumbers turns numbers into labels, for a category that a file holds as
// numbers.
func labelNumbers(s storage, p part) part {
	var labels interner
	out := part{i: make([]int32, p.len())}
	if p.f != nil {
		seen := map[float64]int32{}
		for row, v := range p.f {
			code := frame.NoCode
			if v == v {
				var ok bool
				if code, ok = seen[v]; !ok {
					code = labels.code(string(appendFloat(nil, v)))
					seen[v] = code
				}
			}
			out.i[row] = code
		}
		out.labels = labels.labels
		return out
	}
	seen := map[int64]int32{}
	for row := range out.i {
		v, _, _, missing := p.cell(row)
		if missing {
			out.i[row] = frame.NoCode
			continue
		}
		code, ok := seen[v]
		if !ok {
			code = labels.code(s.label(v))
			seen[v] = code
		}
		out.i[row] = code
	}
	out.labels = labels.labels
	return out
}

// convert is for files that hold a column as another type than the schema
// wants: it goes through every value and refuses what does not fit exactly.
func convert(c ColumnSpec, s storage, parts []part, rows int) (frame.Column, error) {
	b := builder{spec: c}
	row := 0
	for _, p := range parts {
		for i := range p.len() {
			row++
			whole, real, text, missing := p.cell(i)
			var err error
			switch {
			case missing:
				err = b.add("")
			case s.text:
				err = b.add(text)
			default:
				err = b.addNumber(s, whole, real)
			}
			if err != nil {
				return frame.Column{}, fmt.Errorf("row %d: %w", row, err)
			}
		}
	}
	return b.column()
}

var (
	errNumberDate = errors.New("is a number, not a date")
	errDateNumber = errors.New("is a date, not a number")
	errTimeOfDay  = errors.New("has a time of day, want a date")
)

// addNumber appends a number of a file that is no text.
func (b *builder) addNumber(s storage, whole int64, real float64) error {
	fail := func(why error) error {
		shown := s.label(whole)
		if s.kind == parquet.Float || s.kind == parquet.Double {
			shown = strconv.FormatFloat(real, 'g', -1, 64)
		}
		return cellError(b.spec, shown, why)
	}
	isDate := s.date || s.perDay > 0
	if b.spec.Kind == frame.Date {
		switch {
		case !isDate:
			return fail(errNumberDate)
		case s.perDay > 0 && whole%s.perDay != 0:
			return fail(errTimeOfDay)
		case s.perDay > 0:
			whole /= s.perDay
		}
		v, err := intOf(whole)
		if err != nil {
			return fail(err)
		}
		b.i = append(b.i, v)
		return nil
	}
	if isDate {
		return fail(errDateNumber)
	}
	if s.kind == parquet.Float || s.kind == parquet.Double {
		var err error
		if whole, err = fixedOf(real, b.spec.Decimals, s.kind == parquet.Float); err != nil {
			return fail(err)
		}
		return b.addWhole(whole, fail)
	}
	if b.spec.Kind == frame.Float {
		b.f = append(b.f, float64(whole)/math.Pow10(s.scale))
		return nil
	}
	for scale := s.scale; scale > int(b.spec.Decimals); scale-- {
		if whole%10 != 0 {
			if b.spec.Decimals == 0 {
				return fail(errNotWhole)
			}
			return fail(errDecimals)
		}
		whole /= 10
	}
	for scale := s.scale; scale < int(b.spec.Decimals); scale++ {
		if whole > math.MaxInt64/10 || whole < math.MinInt64/10 {
			return fail(errRange)
		}
		whole *= 10
	}
	return b.addWhole(whole, fail)
}

func (b *builder) addWhole(v int64, fail func(error) error) error {
	if b.spec.Kind == frame.Long {
		if v == frame.NoLong {
			return fail(errRange)
		}
		b.l = append(b.l, v)
		return nil
	}
	narrow, err := intOf(v)
	if err != nil {
		return fail(err)
	}
	b.i = append(b.i, narrow)
	return nil
}

package tabio

import (
	"context"
	"fmt"
	"io"
	"reflect"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"scramblelab/internal/frame"
	"scramblelab/internal/par"
)

const (
	rowGroupRows  = 1 << 20
	pageBytes     = 1 << 20
	dictionaryMax = 4 << 20 // bytes of labels beyond which a column is written plain
)

// writeParquet writes row groups one after another, the columns of each in
// parallel. Every column is optional, whether or not a value is missing, so
// that files of one layout have one schema.
func writeParquet(ctx context.Context, w io.Writer, f *frame.Frame) error {
	root := &table{}
	for _, c := range f.Columns() {
		node, err := nodeOf(c)
		if err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
		root.fields = append(root.fields, &field{Node: parquet.Optional(node), name: c.Name})
	}
	options := []parquet.WriterOption{
		parquet.NewSchema("table", root),
		parquet.CreatedBy("scramblelab", "1", "0"), // fixed: says nothing of version, machine or time
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest, Concurrency: 1}),
		parquet.PageBufferSize(pageBytes),
		parquet.DataPageStatistics(false),
	}
	for _, c := range f.Columns() {
		if c.Coded() {
			options = append(options, parquet.SkipPageBounds(c.Name)) // costs a look-up per row
		}
	}
	out := parquet.NewWriter(w, options...)
	for lo := 0; lo < f.Rows(); lo += rowGroupRows {
		group := out.BeginRowGroup()
		writers := group.ColumnWriters()
		err := par.Do(ctx, len(writers), func(i int) error {
			c := f.Columns()[i]
			if err := writeColumn(writers[i], c, i, lo, min(lo+rowGroupRows, f.Rows())); err != nil {
				return fmt.Errorf("column %q: %w", c.Name, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if _, err := group.Commit(); err != nil {
			return err
		}
	}
	return out.Close()
}

// table is a schema whose columns keep their order; a parquet.Group sorts them
// by name.
type table struct {
	parquet.Group
	fields []parquet.Field
}

func (t *table) Fields() []parquet.Field { return t.fields }
func (t *table) GoType() reflect.Type    { return reflect.TypeFor[struct{}]() }
func (t *table) String() string          { return "table" }

type field struct {
	parquet.Node
	name string
}

func (f *field) Name() string                           { return f.name }
func (f *field) Value(base reflect.Value) reflect.Value { return base }

// nodeOf chooses how a column is stored, after refusing what cannot be.
func nodeOf(c frame.Column) (parquet.Node, error) {
	switch {
	case c.Coded():
		labels, err := checkLabels(c)
		if err != nil {
			return nil, err
		}
		size := 0
		for _, l := range labels {
			size += len(l) + 4
		}
		if size > dictionaryMax {
			return parquet.String(), nil
		}
		return parquet.Encoded(parquet.String(), &parquet.RLEDictionary), nil
	case c.Kind == frame.Float:
		return parquet.Leaf(parquet.DoubleType), nil
	case c.Kind == frame.Date:
		return parquet.Date(), checkDates(c)
	case c.Kind == frame.Long && c.Decimals > 0:
		const most = 1e18 // a decimal in 64 bits has at most 18 digits
		for i, v := range c.L {
			if v != frame.NoLong && (v <= -most || v >= most) {
				return nil, fmt.Errorf("row %d needs more than 18 digits: write it with fewer decimals", i+1)
			}
		}
		return parquet.Decimal(int(c.Decimals), 18, parquet.Int64Type), nil
	case c.Kind == frame.Long:
		return parquet.Leaf(parquet.Int64Type), nil
	case c.Decimals > 0:
		if wide(c.I) {
			return parquet.Decimal(int(c.Decimals), 10, parquet.Int64Type), nil
		}
		return parquet.Decimal(int(c.Decimals), 9, parquet.Int32Type), nil
	}
	return parquet.Leaf(parquet.Int32Type), nil
}

// wide reports whether a fixed-point column needs ten digits, one more than a
// Parquet decimal in 32 bits may have.
func wide(v []int32) bool {
	const most = 1e9
	for _, x := range v {
		if x != frame.NoInt && (x <= -most || x >= most) {
			return true
		}
	}
	return false
}

// writeColumn writes rows [lo, hi) of column number i.
func writeColumn(w *parquet.ColumnWriter, c frame.Column, i, lo, hi int) error {
	null := parquet.NullValue().Level(0, 0, i)
	switch {
	case c.Coded():
		labels := make([]parquet.Value, c.Dict.Len()+1)
		labels[0] = null
		for k, l := range c.Dict.Labels() {
			labels[k+1] = parquet.ByteArrayValue([]byte(l)).Level(0, 1, i)
		}
		return writeValues(w, c.I[lo:hi], func(k int32) parquet.Value { return labels[max(k, -1)+1] })
	case c.Kind == frame.Float:
		return writeValues(w, c.F[lo:hi], func(v float64) parquet.Value {
			if v != v {
				return null
			}
			return parquet.DoubleValue(v).Level(0, 1, i)
		})
	case c.Kind == frame.Long:
		return writeValues(w, c.L[lo:hi], func(v int64) parquet.Value {
			if v == frame.NoLong {
				return null
			}
			return parquet.Int64Value(v).Level(0, 1, i)
		})
	case c.Kind == frame.Int && c.Decimals > 0 && wide(c.I):
		return writeValues(w, c.I[lo:hi], func(v int32) parquet.Value {
			if v == frame.NoInt {
				return null
			}
			return parquet.Int64Value(int64(v)).Level(0, 1, i)
		})
	}
	return writeValues(w, c.I[lo:hi], func(v int32) parquet.Value {
		if v == frame.NoInt {
			return null
		}
		return parquet.Int32Value(v).Level(0, 1, i)
	})
}

func writeValues[T any](w *parquet.ColumnWriter, v []T, value func(T) parquet.Value) error {
	var batch [4096]parquet.Value
	for len(v) > 0 {
		n := min(len(v), len(batch))
		for k, x := range v[:n] {
			batch[k] = value(x)
		}
		if _, err := w.WriteRowValues(batch[:n]); err != nil {
			return err
		}
		v = v[n:]
	}
	return w.Flush()
}

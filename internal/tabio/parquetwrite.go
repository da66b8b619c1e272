package tabio

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"reflect"
	"sync"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"scramblelab/internal/frame"
	"scramblelab/internal/par"
)

const rowGroupRows = 1 << 20

// writeParquet writes row groups one after another, the columns of each in
// parallel.
func writeParquet(ctx context.Context, w io.Writer, f *frame.Frame) error {
	p, err := newParquetWriter(w, f)
	if err != nil {
		return err
	}
	for lo := 0; lo < f.Rows(); lo += rowGroupRows {
		g, err := p.encode(ctx, f.Slice(lo, min(lo+rowGroupRows, f.Rows())).Columns())
		if err != nil {
			return fmt.Errorf("rows from %d on: %w", lo+1, err)
		}
		if err := p.append(g); err != nil {
			return err
		}
	}
	return p.close()
}

// parquetWriter writes a file row group by row group. The library's own writer
// takes every value in a box of 24 bytes, which costs ten times as much as the
// rest; so pages are encoded here, with the library's codecs, and its types
// describe them. Every column is optional, whether or not a value is missing, so
// that files of one layout have one schema.
type parquetWriter struct {
	w     io.Writer
	at    int64
	nodes []parquet.Node // by column
	codec *zstd.Codec
	free  sync.Pool // of *chunkEncoder
	meta  *format.FileMetaData
}

// newParquetWriter fixes the schema by the columns of layout, whose rows are
// looked at only for what they would need more room for.
func newParquetWriter(w io.Writer, layout *frame.Frame) (*parquetWriter, error) {
	p := &parquetWriter{w: w, codec: &zstd.Codec{Level: zstd.SpeedFastest, Concurrency: 1}}
	root := &table{}
	for _, c := range layout.Columns() {
		node, err := nodeOf(c)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
		p.nodes = append(p.nodes, node)
		root.fields = append(root.fields, &field{Node: parquet.Optional(node), name: c.Name})
	}
	// The library describes the schema in a file without rows.
	var empty bytes.Buffer
	none := parquet.NewWriter(&empty, parquet.NewSchema("table", root), parquet.CreatedBy("scramblelab", "1", "0")) // fixed: says nothing of version, machine or time
	if err := none.Close(); err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(bytes.NewReader(empty.Bytes()), int64(empty.Len()))
	if err != nil {
		return nil, err
	}
	p.meta = file.Metadata()
	p.meta.RowGroups = nil
	return p, p.write([]byte("PAR1"))
}

func (p *parquetWriter) write(b []byte) error {
	n, err := p.w.Write(b)
	p.at += int64(n)
	return err
}

// encode makes a row group; several may be made at a time.
func (p *parquetWriter) encode(ctx context.Context, cols []frame.Column) (piece, error) {
	g := piece{rows: cols[0].Len(), chunks: make([]columnChunk, len(cols))}
	err := par.Do(ctx, len(cols), func(i int) (err error) {
		e, reused := p.free.Get().(*chunkEncoder)
		if !reused {
			e = &chunkEncoder{codec: p.codec}
		}
		if g.chunks[i], err = e.encodeChunk(cols[i], p.nodes[i]); err != nil {
			err = fmt.Errorf("column %q: %w", cols[i].Name, err)
		}
		p.free.Put(e)
		return err
	})
	return g, err
}

func (p *parquetWriter) append(g piece) error {
	if g.rows == 0 {
		return nil
	}
	out := format.RowGroup{NumRows: int64(g.rows), FileOffset: p.at, Ordinal: int16(len(p.meta.RowGroups))}
	for i := range g.chunks {
		c := &g.chunks[i]
		c.meta.DataPageOffset += p.at
		if c.hasDictionary {
			c.meta.DictionaryPageOffset = p.at
		}
		if err := p.write(c.data); err != nil {
			return err
		}
		out.TotalByteSize += c.meta.TotalUncompressedSize
		out.TotalCompressedSize += c.meta.TotalCompressedSize
		out.Columns = append(out.Columns, format.ColumnChunk{MetaData: c.meta})
	}
	p.meta.RowGroups = append(p.meta.RowGroups, out)
	p.meta.NumRows += int64(g.rows)
	return nil
}

// close writes the footer.
func (p *parquetWriter) close() error {
	b, err := thrift.Marshal(&thrift.CompactProtocol{}, p.meta)
	if err != nil {
		return err
	}
	n := len(b)
	return p.write(append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24), 'P', 'A', 'R', '1'))
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
		return parquet.String(), nil
	case c.Kind == frame.Float:
		return parquet.Leaf(parquet.DoubleType), nil
	case c.Kind == frame.Date:
		return parquet.Date(), nil
	case c.Kind == frame.Long && c.Decimals > 0:
		return parquet.Decimal(int(c.Decimals), 18, parquet.Int64Type), nil
	case c.Kind == frame.Long:
		return parquet.Leaf(parquet.Int64Type), nil
	case c.Decimals > 0:
		if firstWide(c.I) >= 0 {
			return parquet.Decimal(int(c.Decimals), 10, parquet.Int64Type), nil
		}
		return parquet.Decimal(int(c.Decimals), 9, parquet.Int32Type), nil
	}
	return parquet.Leaf(parquet.Int32Type), nil
}

// firstWide returns the first row of a fixed-point column that needs ten digits,
// one more than a Parquet decimal in 32 bits may have, -1 where none does.
func firstWide(v []int32) int {
	const most = 1e9
	for i, x := range v {
		if x != frame.NoInt && (x <= -most || x >= most) {
			return i
		}
	}
	return -1
}

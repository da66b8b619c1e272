package tabio

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"scramblelab/internal/frame"
	"scramblelab/internal/par"
)

// readParquet decodes row groups and columns in parallel and puts them together
// in order.
func readParquet(ctx context.Context, f *os.File, s Schema) (out *frame.Frame, err error) {
	defer recoverDamage(&err)
	size, err := checkParquet(f)
	if err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, damaged(err)
	}
	rows, err := countRows(file)
	if err != nil {
		return nil, err
	}
	fields := file.Root().Columns()
	names := make([]string, len(fields))
	stored := make([]storage, len(fields))
	for i, c := range fields {
		names[i] = strings.TrimSpace(c.Name())
		if stored[i], err = storageOf(c); err != nil {
			return nil, fmt.Errorf("column %q %w", names[i], err)
		}
	}
	if len(names) == 0 {
		return nil, errors.New("has no columns")
	}
	if err := checkNames(names); err != nil {
		return nil, err
	}
	specs, err := s.match(names)
	if err != nil {
		return nil, err
	}
	groups := file.RowGroups()
	parts := make([][]part, len(fields))
	for i := range parts {
		parts[i] = make([]part, len(groups))
	}
	err = par.Do(ctx, len(groups)*len(fields), func(k int) (err error) {
		defer recoverDamage(&err)
		g, i := k/len(fields), k%len(fields)
		chunk := groups[g].ColumnChunks()[i]
		if parts[i][g], err = readChunk(chunk, stored[i], groups[g].NumRows()); err != nil {
			err = fmt.Errorf("column %q: %w", names[i], err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	cols, err := par.Map(ctx, len(fields), func(i int) (frame.Column, error) {
		c, err := assemble(specs[i], stored[i], parts[i], rows)
		parts[i] = nil
		if err != nil {
			return c, fmt.Errorf("column %q: %w", names[i], err)
		}
		return c, nil
	})
	if err != nil {
		return nil, err
	}
	return frame.New(cols...)
}

// recoverDamage turns a panic into an error: the decoder takes the file's word
// for lengths and offsets.
func recoverDamage(err *error) {
	if r := recover(); r != nil {
		*err = damaged(fmt.Errorf("%v", r))
	}
}

func damaged(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errShort
	}
	return fmt.Errorf("is damaged (%w): copy it again", err)
}

// checkParquet looks at both ends of a file, which tell a short one from one
// that is something else.
func checkParquet(f *os.File) (size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	var head [4]byte
	var tail [8]byte
	if n, err := f.ReadAt(head[:], 0); err != nil && err != io.EOF {
		return 0, err
	} else if n == 0 {
		return 0, errors.New("is empty")
	}
	if string(head[:]) == "PARE" {
		return 0, errors.New("is an encrypted Parquet file: decrypt it first")
	}
	if string(head[:]) != "PAR1" {
		return 0, errors.New("is not a Parquet file as its name says: rename it, or convert it")
	}
	size = info.Size()
	if size < 12 {
		return 0, errShort
	}
	if _, err := f.ReadAt(tail[:], size-8); err != nil {
		return 0, err
	}
	if !bytes.Equal(tail[4:], []byte("PAR1")) {
		return 0, errShort
	}
	// The decoder would allocate whatever length the footer claims to have.
	if n := int64(binary.LittleEndian.Uint32(tail[:4])); n > size-12 {
		return 0, damaged(fmt.Errorf("a footer of %d bytes in a file of %d", n, size))
	}
	return size, nil
}

func countRows(file *parquet.File) (int, error) {
	rows := int64(0)
	for _, g := range file.RowGroups() {
		n := g.NumRows()
		if n < 0 || n > maxRows || rows+n > maxRows {
			return 0, fmt.Errorf("has more than %d rows: split it", maxRows)
		}
		rows += n
	}
	if rows != file.NumRows() {
		return 0, damaged(fmt.Errorf("%d rows are announced, %d counted", file.NumRows(), rows))
	}
	return int(rows), nil
}

// storage is how a column of a file stands for values.
type storage struct {
	kind     parquet.Kind
	optional bool
	scale    int  // decimals of a decimal
	decimal  bool // fixed-length and byte arrays only
	unsigned bool
	date     bool
	perDay   int64 // timestamps: units in a day
	text     bool
}

// Errors of columns that have no counterpart in a frame.
var (
	errNested  = errors.New("is nested or a list: flatten it first")
	errForeign = errors.New("has a type that stands for no kind of column: convert it to text or numbers")
)

func storageOf(c *parquet.Column) (storage, error) {
	if !c.Leaf() || c.Repeated() || c.MaxRepetitionLevel() > 0 || c.MaxDefinitionLevel() > 1 {
		return storage{}, errNested
	}
	t := c.Type()
	s := storage{kind: t.Kind(), optional: c.MaxDefinitionLevel() == 1}
	if l := t.LogicalType(); l != nil {
		switch v := l.Value.(type) {
		case *format.DecimalType:
			s.scale, s.decimal = int(v.Scale), true
			if s.scale < 0 || s.scale > 38 {
				return s, errForeign
			}
		case *format.DateType:
			s.date = true
		case *format.IntType:
			s.unsigned = !v.IsSigned
		case *format.TimestampType:
			const day = 24 * 60 * 60
			switch v.Unit.Value.(type) {
			case *format.MilliSeconds:
				s.perDay = day * 1e3
			case *format.MicroSeconds:
				s.perDay = day * 1e6
			case *format.NanoSeconds:
				s.perDay = day * 1e9
			default:
				return s, errForeign
			}
		case *format.StringType, *format.EnumType, *format.JsonType, *format.UUIDType, *format.NullType:
		default:
			return s, errForeign
		}
	}
	switch s.kind {
	case parquet.Boolean, parquet.Int32, parquet.Int64, parquet.Float, parquet.Double:
	case parquet.ByteArray:
		s.text = !s.decimal
	case parquet.FixedLenByteArray:
		if !s.decimal {
			return s, errForeign
		}
	default:
		return s, errForeign
	}
	return s, nil
}

// part is one column of one row group: exactly one of the vectors is set, with
// the missing values of package frame.
type part struct {
	i      []int32 // or codes, where labels are set
	l      []int64
	f      []float64
	labels []string
}

func (p part) len() int { return max(len(p.i), len(p.l), len(p.f)) }

var errReserved = errors.New("holds the smallest number of its width, which stands for missing here: write it with a wider type")

// readChunk decodes the pages of a column chunk.
func readChunk(chunk parquet.ColumnChunk, s storage, rows int64) (p part, err error) {
	pages := chunk.Pages()
	defer pages.Close()
	var labels interner
	for {
		page, err := pages.ReadPage()
		if err == io.EOF {
			break
		}
		if err != nil {
			return p, damaged(err)
		}
		if int64(p.len())+page.NumValues() > rows {
			return p, damaged(errors.New("a column has more values than the table has rows"))
		}
		if p.len() == 0 {
			p.reserve(s, int(min(rows, rowGroupRows)))
		}
		err = p.appendPage(page, s, &labels)
		parquet.Release(page)
		if err != nil {
			return p, err
		}
	}
	if int64(p.len()) != rows {
		return p, damaged(fmt.Errorf("a column has %d values, the table %d rows", p.len(), rows))
	}
	if p.labels = labels.labels; s.text && p.labels == nil {
		p.labels = []string{}
	}
	return p, nil
}

func (p *part) reserve(s storage, n int) {
	switch {
	case s.kind == parquet.Float || s.kind == parquet.Double:
		p.f = make([]float64, 0, n)
	case s.kind == parquet.Int32 && !s.unsigned || s.text || s.kind == parquet.Boolean:
		p.i = make([]int32, 0, n)
	default:
		p.l = make([]int64, 0, n)
	}
}

func (p *part) appendPage(page parquet.Page, s storage, labels *interner) error {
	levels := page.DefinitionLevels()
	if s.optional && int64(len(levels)) != page.NumValues() {
		return damaged(errors.New("a page has no definition levels"))
	}
	if !s.optional {
		levels = nil
	}
	n := int(page.NumValues())
	var err error
	switch {
	case s.kind == parquet.Boolean, s.decimal && (s.kind == parquet.ByteArray || s.kind == parquet.FixedLenByteArray):
		return p.appendSlowly(page)
	case s.text:
		var codes []int32
		if codes, err = textCodes(page, labels); err == nil {
			p.i, err = spread(p.i, codes, levels, n, frame.NoCode)
		}
	case s.kind == parquet.Int32 && s.unsigned:
		return p.appendSlowly(page)
	case s.kind == parquet.Int32:
		var v []int32
		if v, err = plainOrLooked(page, int32s); err == nil {
			for _, x := range v {
				if x == frame.NoInt {
					return errReserved
				}
			}
			p.i, err = spread(p.i, v, levels, n, frame.NoInt)
		}
	case s.kind == parquet.Int64:
		var v []int64
		if v, err = plainOrLooked(page, int64s); err == nil {
			for _, x := range v {
				if x == frame.NoLong || s.unsigned && x < 0 {
					return errReserved
				}
			}
			p.l, err = spread(p.l, v, levels, n, frame.NoLong)
		}
	default:
		var v []float64
		if v, err = plainOrLooked(page, float64s); err == nil {
			p.f, err = spread(p.f, v, levels, n, math.NaN())
		}
	}
	return err
}

// spread appends the values of a page, with none where the level is 0.
func spread[T any](to, values []T, levels []byte, n int, none T) ([]T, error) {
	if levels == nil {
		if len(values) != n {
			return nil, damaged(errors.New("a page holds fewer values than it announces"))
		}
		return append(to, values...), nil
	}
	k := 0
	for _, level := range levels {
		k += int(level & 1)
	}
	if k != len(values) {
		return nil, damaged(errors.New("a page holds fewer values than it announces"))
	}
	if k == n {
		return append(to, values...), nil
	}
	k = 0
	for _, level := range levels {
		if level&1 == 0 {
			to = append(to, none)
			continue
		}
		to = append(to, values[k])
		k++
	}
	return to, nil
}

// plainOrLooked returns the values of a page, looked up where it holds numbers
// of a dictionary.
func plainOrLooked[T any](page parquet.Page, of func(parquet.Page) []T) ([]T, error) {
	d := page.Dictionary()
	if d == nil {
		return of(page), nil
	}
	table := of(d.Page())
	data := page.Data()
	indexes := data.Int32()
	out := make([]T, len(indexes))
	for i, k := range indexes {
		if uint(k) >= uint(len(table)) {
			return nil, damaged(errors.New("a page points outside its dictionary"))
		}
		out[i] = table[k]
	}
	return out, nil
}

func int32s(p parquet.Page) []int32 { d := p.Data(); return d.Int32() }
func int64s(p parquet.Page) []int64 { d := p.Data(); return d.Int64() }

func float64s(p parquet.Page) []float64 {
	d := p.Data()
	if p.Type().Kind() == parquet.Double {
		return d.Double()
	}
	single := d.Float()
	out := make([]float64, len(single))
	for i, v := range single {
		out[i] = float64(v)
	}
	return out
}

// textCodes numbers the texts of a page.
func textCodes(page parquet.Page, labels *interner) ([]int32, error) {
	if d := page.Dictionary(); d != nil {
		// Only labels that a row holds count: a dictionary may have others.
		data := d.Page().Data()
		texts, offsets := data.ByteArray()
		known := make([]int32, max(len(offsets)-1, 0))
		for i := range known {
			known[i] = -1
		}
		pageData := page.Data()
		indexes := pageData.Int32()
		out := make([]int32, len(indexes))
		for i, k := range indexes {
			if uint(k) >= uint(len(known)) {
				return nil, damaged(errors.New("a page points outside its dictionary"))
			}
			if known[k] < 0 {
				known[k] = labels.code(textAt(texts, offsets, int(k)))
			}
			out[i] = known[k]
		}
		return out, nil
	}
	data := page.Data()
	texts, offsets := data.ByteArray()
	out := make([]int32, max(len(offsets)-1, 0))
	for i := range out {
		out[i] = labels.code(textAt(texts, offsets, i))
	}
	return out, nil
}

// textAt views one text of a page; the interner copies what it keeps.
func textAt(texts []byte, offsets []uint32, i int) string {
	b := texts[offsets[i]:offsets[i+1]]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// appendSlowly decodes the rare types value by value: booleans as 0 and 1,
// decimals in byte arrays, unsigned integers.
func (p *part) appendSlowly(page parquet.Page) error {
	values := page.Values()
	var batch [512]parquet.Value
	for {
		n, err := values.ReadValues(batch[:])
		for _, v := range batch[:n] {
			if err := p.appendValue(v); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return damaged(err)
		}
		if n == 0 {
			return damaged(io.ErrNoProgress)
		}
	}
}

func (p *part) appendValue(v parquet.Value) error {
	switch {
	case v.Kind() == parquet.Boolean:
		k := int32(0)
		if v.Boolean() {
			k = 1
		}
		p.i = append(p.i, k)
	case v.IsNull() && p.l == nil:
		p.i = append(p.i, frame.NoInt)
	case v.IsNull():
		p.l = append(p.l, frame.NoLong)
	case v.Kind() == parquet.Int32:
		p.l = append(p.l, int64(v.Uint32()))
	default:
		x, err := bigEndian(v.ByteArray())
		if err != nil {
			return err
		}
		p.l = append(p.l, x)
	}
	return nil
}

// bigEndian reads a number in two's complement that fits 64 bits.
func bigEndian(b []byte) (int64, error) {
	if len(b) == 0 {
		return 0, damaged(errors.New("a decimal has no digits"))
	}
	v := int64(int8(b[0])) >> 7 // the sign
	for i, c := range b {
		if left := len(b) - i; left > 8 && (int64(int8(c)) != v || left == 9 && (int64(int8(b[i+1]))>>7) != v) {
			return 0, errRange
		}
		if len(b)-i <= 8 {
			v = v<<8 | int64(c)
		}
	}
	if v == frame.NoLong {
		return 0, errReserved
	}
	return v, nil
}

// label writes a number of a file as the label of a category.
func (s storage) label(v int64) string {
	switch {
	case s.kind == parquet.Boolean:
		return strconv.FormatBool(v != 0)
	case s.date && v >= int64(firstDay) && v <= int64(lastDay):
		return string(appendDate(nil, int32(v)))
	case s.scale > 0 && s.scale <= 9:
		return string(appendFixed(nil, v, uint8(s.scale)))
	}
	return strconv.FormatInt(v, 10)
}

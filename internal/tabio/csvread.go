package tabio

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/frame"
)

// readCSV reads a file twice where kinds are to be inferred: once to see what
// every column can be, once to store it. That holds no text in memory, and a
// late surprise never costs the leading zeros of earlier rows.
func readCSV(ctx context.Context, f io.ReadSeeker, zipped bool, s Schema) (*frame.Frame, error) {
	names, err := scanCSV(ctx, f, zipped, nil)
	if err != nil {
		return nil, err
	}
	specs, err := s.match(names)
	if err != nil {
		return nil, err
	}
	if err := inferCSV(ctx, f, zipped, specs); err != nil {
		return nil, err
	}
	builders := make([]*builder, len(specs))
	for i, c := range specs {
		builders[i] = &builder{spec: c, anyCoded: c.Kind == anyCoded}
		if builders[i].anyCoded {
			builders[i].spec.Kind = frame.Category
		}
	}
	if _, err := scanCSV(ctx, f, zipped, func(i int, field string) error { return builders[i].add(field) }); err != nil {
		return nil, err
	}
	cols := make([]frame.Column, len(builders))
	for i, b := range builders {
		if cols[i], err = b.column(); err != nil {
			return nil, fmt.Errorf("column %q: %w", b.spec.Name, err)
		}
	}
	return frame.New(cols...)
}

// anyCoded marks columns whose labels decide between category and ordinal.
const anyCoded = frame.Kind(255)

// inferCSV fills in the kinds that are not given.
func inferCSV(ctx context.Context, f io.ReadSeeker, zipped bool, specs []ColumnSpec) error {
	if !slices.ContainsFunc(specs, func(c ColumnSpec) bool { return c.Kind == 0 }) {
		return nil
	}
	guesses := make([]guess, len(specs))
	_, err := scanCSV(ctx, f, zipped, func(i int, field string) error {
		if specs[i].Kind == 0 {
			guesses[i].see(specs[i], field)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range specs {
		if specs[i].Kind == 0 {
			specs[i].Kind = guesses[i].kind()
		}
	}
	return nil
}

// scanCSV reads a file from its start, checks its shape and hands every field
// to use, row by row. It returns the names of the columns; with use nil it
// stops after them. Errors of use are given line and column.
func scanCSV(ctx context.Context, f io.ReadSeeker, zipped bool, use func(column int, field string) error) ([]string, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	text, err := plainText(f, zipped)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(text)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		if err == io.EOF {
			return nil, errors.New("is empty: it has no header line")
		}
		return nil, explainCSV(err, 0)
	}
	names := make([]string, len(header))
	for i, n := range header {
		names[i] = strings.TrimSpace(strings.Clone(n))
		if err := validText(n); err != nil {
			return nil, fmt.Errorf("line 1: %w", err)
		}
	}
	if len(names) == 1 && strings.ContainsAny(names[0], ";\t|") {
		return nil, fmt.Errorf("line 1: %s is one column name: separate columns with commas", quoteShort(names[0]))
	}
	if err := checkNames(names); err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	if use == nil {
		return names, nil
	}
	for row := 0; ; row++ {
		if row&0xfff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		record, err := r.Read()
		if err == io.EOF {
			return names, nil
		}
		if err != nil {
			return nil, explainCSV(err, len(names), len(record))
		}
		if row >= maxRows {
			return nil, fmt.Errorf("has more than %d rows: split it", maxRows)
		}
		for i, field := range record {
			if err := use(i, field); err != nil {
				line, _ := r.FieldPos(i)
				return nil, fmt.Errorf("line %d, column %q: %w", line, names[i], err)
			}
		}
	}
}

// plainText undoes compression, skips a byte-order mark, and refuses files that
// are something else than their extension says.
func plainText(f io.Reader, zipped bool) (io.Reader, error) {
	in := bufio.NewReaderSize(f, 1<<18)
	start, err := in.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	isGzip := bytes.HasPrefix(start, []byte{0x1f, 0x8b})
	switch {
	case zipped && len(start) == 0:
		return nil, errors.New("is empty: it has no header line")
	case zipped && !isGzip:
		return nil, errors.New("is not compressed with gzip as its name says: compress it, or name it .csv")
	case !zipped && isGzip:
		return nil, errors.New("is compressed with gzip: name it .csv.gz")
	case bytes.Equal(start, []byte("PAR1")):
		return nil, errors.New("is a Parquet file: name it .parquet")
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return nil, errors.New("is a ZIP archive or a spreadsheet, want CSV text: export it as CSV")
	}
	if zipped {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, explainCSV(err, 0)
		}
		in = bufio.NewReaderSize(z, 1<<18)
	}
	head, err := in.Peek(512)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return nil, explainCSV(err, 0)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return nil, errors.New("is UTF-16 text: save it as UTF-8")
	case bytes.IndexByte(head, 0) >= 0:
		return nil, errors.New("is not text: want CSV")
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		in.Discard(3)
	}
	return in, nil
}

// explainCSV turns errors of the readers below into what to do about them.
func explainCSV(err error, columns int, fields ...int) error {
	var parse *csv.ParseError
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errShort
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.As(err, &corrupt):
		return fmt.Errorf("is damaged (%w): copy it again", err)
	case errors.As(err, &parse) && errors.Is(err, csv.ErrFieldCount):
		return fmt.Errorf("line %d has %s, the header has %d: quote fields that contain commas", parse.StartLine, count(fields[0], "field"), columns)
	case errors.As(err, &parse) && errors.Is(err, csv.ErrBareQuote):
		return fmt.Errorf("line %d: a quote stands inside a field without quotes: quote the field and double the quotes in it", parse.Line)
	case errors.As(err, &parse) && errors.Is(err, csv.ErrQuote):
		return fmt.Errorf("line %d: a quoted field that begins on line %d does not end well: double the quotes in it, and check that the file is whole", parse.Line, parse.StartLine)
	}
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// builder collects one column of a CSV file.
type builder struct {
	spec     ColumnSpec
	anyCoded bool
	i        []int32
	l        []int64
	f        []float64
	labels   interner
}

// isMissing reports whether a field has no value.
func (c ColumnSpec) isMissing(field string) bool {
	return field == "" || len(c.Missing) > 0 && slices.Contains(c.Missing, field)
}

func (b *builder) add(field string) error {
	c := &b.spec
	if c.Kind == frame.Category || c.Kind == frame.Ordinal {
		return b.addLabel(field)
	}
	if !c.isMissing(field) {
		field = strings.TrimSpace(field)
	}
	missing := c.isMissing(field)
	var err error
	switch c.Kind {
	case frame.Float:
		v := math.NaN()
		if !missing {
			v, err = parseFloat(field)
		}
		b.f = append(b.f, v)
	case frame.Long:
		v := frame.NoLong
		if !missing {
			v, err = parseFixed(field, c.Decimals)
		}
		b.l = append(b.l, v)
	case frame.Date:
		v := frame.NoInt
		if !missing {
			v, err = parseDate(field)
		}
		b.i = append(b.i, v)
	default:
		v := frame.NoInt
		if !missing {
			var wide int64
			if wide, err = parseFixed(field, c.Decimals); err == nil {
				v, err = intOf(wide)
			}
		}
		b.i = append(b.i, v)
	}
	if err != nil {
		return cellError(*c, field, err)
	}
	return nil
}

func (b *builder) addLabel(field string) error {
	if b.spec.isMissing(field) {
		b.i = append(b.i, frame.NoCode)
		return nil
	}
	if d := b.spec.Dict; d != nil {
		code, ok := d.Code(field)
		if !ok {
			return unknownLabel(d, field)
		}
		b.i = append(b.i, code)
		return nil
	}
	known := len(b.labels.labels)
	code := b.labels.code(field)
	if int(code) == known {
		if err := validText(field); err != nil {
			return err
		}
	}
	b.i = append(b.i, code)
	return nil
}

func (b *builder) column() (frame.Column, error) {
	c := b.spec
	switch c.Kind {
	case frame.Category, frame.Ordinal:
		if c.Dict != nil {
			return frame.Column{Name: c.As, Kind: c.Kind, Dict: c.Dict, I: b.i}, nil
		}
		if b.anyCoded {
			c.Kind = codedKind(b.labels.labels)
		}
		return settle(c, b.i, b.labels.labels)
	case frame.Long:
		return frame.Column{Name: c.As, Kind: c.Kind, Decimals: c.Decimals, L: b.l}, nil
	case frame.Float:
		return frame.Column{Name: c.As, Kind: c.Kind, F: b.f}, nil
	}
	return frame.Column{Name: c.As, Kind: c.Kind, Decimals: c.Decimals, I: b.i}, nil
}

// guess is what a column can be, given the fields seen so far.
type guess struct {
	seen                               bool
	notInt, notLong, notFloat, notDate bool
}

func (g *guess) see(c ColumnSpec, field string) {
	if g.notLong && g.notFloat && g.notDate || c.isMissing(field) {
		return
	}
	g.seen = true
	if field = strings.TrimSpace(field); field == "" {
		g.notInt, g.notLong, g.notFloat, g.notDate = true, true, true, true
		return
	}
	if !g.notLong {
		v, ok := wholeNumber(field)
		if !ok {
			g.notInt, g.notLong = true, true
		} else if _, err := intOf(v); err != nil {
			g.notInt = true
		}
	}
	if !g.notFloat {
		_, err := parseFloat(field)
		g.notFloat = err != nil || leadingZero(field)
	}
	if !g.notDate {
		_, err := parseDate(field)
		g.notDate = err != nil
	}
}

func (g *guess) kind() frame.Kind {
	switch {
	case !g.seen:
		return anyCoded
	case !g.notInt:
		return frame.Int
	case !g.notLong:
		return frame.Long
	case !g.notFloat:
		return frame.Float
	case !g.notDate:
		return frame.Date
	}
	return anyCoded
}

// wholeNumber reads an integer as programs write it: no sign but minus, no
// leading zeros, which are the mark of codes. 1e+05 is how R writes 100000.
func wholeNumber(s string) (int64, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || digits[0] == '0' && s != "0" {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			if !strings.Contains(digits[i:], "e+") {
				return 0, false
			}
			break
		}
	}
	v, err := parseFixed(s, 0)
	return v, err == nil
}

// leadingZero reports whether a number is written like a code: 007, 01.5.
func leadingZero(s string) bool {
	s = strings.TrimLeft(s, "+-")
	return len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9'
}

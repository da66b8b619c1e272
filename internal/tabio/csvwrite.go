package tabio

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/par"
)

const csvChunk = 1 << 15 // rows formatted at a time

// writeCSV formats chunks of rows in parallel and writes them in order.
func writeCSV(ctx context.Context, w io.Writer, f *frame.Frame, zipped bool) (err error) {
	out, err := newCSVWriter(w, f, zipped)
	if err != nil {
		return err
	}
	cells, err := cellWriters(f.Columns())
	if err != nil {
		return err
	}
	chunks := par.Count(f.Rows(), csvChunk)
	batch := 2 * runtime.GOMAXPROCS(0)
	buffers := make([][]byte, batch)
	for first := 0; first < chunks; first += batch {
		n := min(batch, chunks-first)
		err := par.Do(ctx, n, func(k int) error {
			lo := (first + k) * csvChunk
			buffers[k] = formatRows(buffers[k][:0], cells, lo, min(lo+csvChunk, f.Rows()))
			return nil
		})
		if err != nil {
			return err
		}
		for _, b := range buffers[:n] {
			if err := out.append(piece{text: b}); err != nil {
				return err
			}
		}
	}
	return out.close()
}

// csvWriter writes a file piece by piece, after a line of names.
type csvWriter struct {
	out *bufio.Writer
	zip *gzip.Writer // nil for plain text
}

func newCSVWriter(w io.Writer, layout *frame.Frame, zipped bool) (*csvWriter, error) {
	c := &csvWriter{}
	if zipped {
		c.zip = gzip.NewWriter(w) // the header carries neither name nor time
		w = c.zip
	}
	c.out = bufio.NewWriterSize(w, 1<<18)
	for i, name := range layout.Names() {
		if i > 0 {
			c.out.WriteByte(',')
		}
		if name != strings.TrimSpace(name) || strings.Contains(name, "\r\n") || strings.Contains(name, "\x00") {
			return nil, fmt.Errorf("the column name %q begins or ends with a blank or breaks the line: rename it", name)
		}
		c.out.WriteString(quoted(name))
	}
	c.out.WriteByte('\n')
	return c, nil
}

func (c *csvWriter) encode(_ context.Context, cols []frame.Column) (piece, error) {
	cells, err := cellWriters(cols)
	if err != nil {
		return piece{}, err
	}
	return piece{text: formatRows(nil, cells, 0, cols[0].Len())}, nil
}

func (c *csvWriter) append(p piece) error {
	_, err := c.out.Write(p.text)
	return err
}

func (c *csvWriter) close() error {
	if err := c.out.Flush(); err != nil || c.zip == nil {
		return err
	}
	return c.zip.Close()
}

// cellWriters returns for each column what appends one of its cells.
func cellWriters(cols []frame.Column) (cells []func(b []byte, row int) []byte, err error) {
	cells = make([]func(b []byte, row int) []byte, len(cols))
	for i, c := range cols {
		if cells[i], err = cellWriter(c); err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
	}
	return cells, nil
}

func formatRows(b []byte, cells []func([]byte, int) []byte, lo, hi int) []byte {
	for row := lo; row < hi; row++ {
		start := len(b)
		for i, cell := range cells {
			if i > 0 {
				b = append(b, ',')
			}
			b = cell(b, row)
		}
		if len(b) == start {
			b = append(b, `""`...) // an empty line would be no row at all
		}
		b = append(b, '\n')
	}
	return b
}

// cellWriter returns what appends one cell of a column.
func cellWriter(c frame.Column) (func(b []byte, row int) []byte, error) {
	switch {
	case c.Coded():
		labels, err := checkLabels(c)
		if err != nil {
			return nil, err
		}
		fields := make([]string, len(labels))
		for k, l := range labels {
			if strings.Contains(l, "\r\n") || strings.Contains(l, "\x00") {
				return nil, fmt.Errorf("label %q contains a Windows line end or a zero byte, which CSV does not keep: write Parquet", l)
			}
			fields[k] = quoted(l)
		}
		return func(b []byte, row int) []byte {
			if k := c.I[row]; k >= 0 {
				return append(b, fields[k]...)
			}
			return b
		}, nil
	case c.Kind == frame.Float:
		return func(b []byte, row int) []byte {
			if v := c.F[row]; v == v {
				return appendFloat(b, v)
			}
			return b
		}, nil
	case c.Kind == frame.Long:
		return func(b []byte, row int) []byte {
			if v := c.L[row]; v != frame.NoLong {
				return appendFixed(b, v, c.Decimals)
			}
			return b
		}, nil
	case c.Kind == frame.Date:
		if err := checkDates(c); err != nil {
			return nil, err
		}
		return func(b []byte, row int) []byte {
			if v := c.I[row]; v != frame.NoInt {
				return appendDate(b, v)
			}
			return b
		}, nil
	}
	return func(b []byte, row int) []byte {
		if v := c.I[row]; v != frame.NoInt {
			return appendFixed(b, int64(v), c.Decimals)
		}
		return b
	}, nil
}

// checkLabels returns the labels of a column after refusing what would read
// back as something else.
func checkLabels(c frame.Column) ([]string, error) {
	labels := c.Dict.Labels()
	for k, l := range labels {
		if err := checkLabel(k, l); err != nil {
			return nil, err
		}
	}
	for i, k := range c.I {
		if int(k) >= len(labels) {
			return nil, fmt.Errorf("row %d has code %d, the codebook has %d labels", i+1, k, len(labels))
		}
	}
	return labels, nil
}

// checkLabel refuses label k of a codebook where it would read back as something
// else.
func checkLabel(k int, label string) error {
	if err := validText(label); err != nil {
		return fmt.Errorf("label %w", err)
	}
	if label == "" {
		return fmt.Errorf("label %d of the codebook is empty, which stands for missing: name it", k+1)
	}
	return nil
}

func checkDates(c frame.Column) error {
	for i, v := range c.I {
		if v != frame.NoInt && (v < firstDay || v > lastDay) {
			return fmt.Errorf("row %d is day %d since 1970-01-01, outside the years 0 to 9999", i+1, v)
		}
	}
	return nil
}

// quoted quotes a field where CSV needs it.
func quoted(s string) string {
	if s == "" || !strings.ContainsAny(s, ",\"\r\n") && s[0] != ' ' && s[0] != '\t' && s[len(s)-1] != ' ' {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

package tabio

import (
	"context"
	"errors"
	"fmt"
	"os"

	"scramblelab/internal/frame"
)

// Writer writes a table piece by piece, so that it need not be in memory as a
// whole. Pieces are made by [Writer.Encode], several at a time, and go into the
// file by [Writer.Append], one after the other. A piece is a row group of a
// Parquet file.
//
// The file is not complete until [Writer.Close]: write into a folder that gets
// its name afterwards, as package folder does. What is refused is as for
// [Write]; numbers with decimals that need more than nine digits are refused
// too, where Write would make room for them.
type Writer struct {
	path string
	file *os.File
	sink sink
	rows int
}

// sink is one format.
type sink interface {
	encode(ctx context.Context, cols []frame.Column) (piece, error)
	append(p piece) error
	close() error
}

// piece is some rows of a table as the file will hold them.
type piece struct {
	rows   int
	chunks []columnChunk // Parquet; offsets are known once it is appended
	text   []byte        // CSV
}

// Piece holds encoded rows. It belongs to the [Writer] that made it.
type Piece struct{ piece }

// NewWriter creates a file for tables with the columns of layout, whose rows are
// ignored, in the format that the extension names. A file that stands there is
// replaced.
func NewWriter(path string, layout *frame.Frame) (*Writer, error) {
	kind, err := formatOf(path)
	if err != nil {
		return nil, err
	}
	if err := checkNames(layout.Names()); err != nil {
		return nil, fmt.Errorf("tabio: %s: %w", path, err)
	}
	if len(layout.Columns()) == 0 {
		return nil, fmt.Errorf("tabio: %s: a table without columns cannot be written", path)
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("tabio: %w", err)
	}
	w := &Writer{path: path, file: file}
	if kind == formatParquet {
		w.sink, err = newParquetWriter(file, layout.Take(nil))
	} else {
		w.sink, err = newCSVWriter(file, layout, kind == formatCSVGzip)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tabio: %s: %w", path, err), file.Close())
	}
	return w, nil
}

// Encode makes a piece of the file. It may be called from several goroutines.
func (w *Writer) Encode(ctx context.Context, f *frame.Frame) (*Piece, error) {
	p, err := w.sink.encode(ctx, f.Columns())
	if err != nil {
		return nil, w.failed(ctx, err)
	}
	p.rows = f.Rows()
	return &Piece{p}, nil
}

// Append puts a piece at the end of the file.
func (w *Writer) Append(p *Piece) error {
	if w.rows += p.rows; w.rows > maxRows {
		return fmt.Errorf("tabio: %s: more than %d rows: write several files", w.path, maxRows)
	}
	if err := w.sink.append(p.piece); err != nil {
		return fmt.Errorf("tabio: %s: %w", w.path, err)
	}
	return nil
}

// Rows returns the number of rows appended so far.
func (w *Writer) Rows() int { return w.rows }

// Close completes the file.
func (w *Writer) Close() error {
	if err := errors.Join(w.sink.close(), w.file.Close()); err != nil {
		return fmt.Errorf("tabio: %s: %w", w.path, err)
	}
	return nil
}

// Abandon closes the file as it is, for a defer after an error. After Close it
// does nothing.
func (w *Writer) Abandon() { _ = w.file.Close() }

func (w *Writer) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("tabio: %s: %w", w.path, err)
}

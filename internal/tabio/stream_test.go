package tabio

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"scramblelab/internal/frame"
)

// Pieces appended one after the other read back as their rows, and are the row
// groups of a Parquet file.
func TestWriterWritesPieces(t *testing.T) {
	ctx := context.Background()
	dict := frame.MustDict("a", "b,\"c\"")
	of := func(v ...int32) *frame.Frame {
		codes, long := make([]int32, len(v)), make([]int64, len(v))
		for i, x := range v {
			codes[i], long[i] = x%2, int64(x)<<33
			if x == 4 {
				codes[i], long[i] = frame.NoCode, frame.NoLong
			}
		}
		return frame.Must(frame.Ints("n", v), frame.Codes("c", dict, codes), frame.Longs("l", long))
	}
	pieces := []*frame.Frame{of(1, 2, 3), of(), of(4), of(5, frame.NoInt)}
	want, err := frame.Concat(pieces...)
	if err != nil {
		t.Fatal(err)
	}
	for _, ext := range Extensions() {
		path := filepath.Join(t.TempDir(), "t"+ext)
		w, err := NewWriter(path, pieces[0])
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abandon()
		var made []*Piece
		for _, f := range pieces {
			p, err := w.Encode(ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, p)
		}
		for _, p := range made {
			if err := w.Append(p); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil || w.Rows() != 6 {
			t.Fatalf("%s: %d rows, error %v", ext, w.Rows(), err)
		}
		got, err := Read(ctx, path, SchemaOf(want))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range want.Columns() {
			d := got.Col(c.Name)
			if diff := cmp.Diff(c.I, d.I); diff != "" {
				t.Errorf("%s, column %s (-want +got):\n%s", ext, c.Name, diff)
			}
			if diff := cmp.Diff(c.L, d.L); diff != "" {
				t.Errorf("%s, column %s (-want +got):\n%s", ext, c.Name, diff)
			}
		}
		if ext != ".parquet" {
			continue
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		info, _ := file.Stat()
		p, err := parquet.OpenFile(file, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		var groups []int64
		for _, g := range p.RowGroups() {
			groups = append(groups, g.NumRows())
		}
		if diff := cmp.Diff([]int64{3, 1, 2}, groups); diff != "" {
			t.Errorf("row groups (-want +got):\n%s", diff)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	fixed := frame.Must(frame.Fixed("x", 2, []int32{1, 1_500_000_000}))
	dir := t.TempDir()
	if _, err := NewWriter(filepath.Join(dir, "t.xls"), fixed); err == nil || !strings.Contains(err.Error(), ".parquet") {
		t.Errorf("a format that is not known: error %v, want the ones that are", err)
	}
	if _, err := NewWriter(filepath.Join(dir, "t.csv"), frame.Must()); err == nil || !strings.Contains(err.Error(), "without columns") {
		t.Errorf("no columns: error %v", err)
	}
	w, err := NewWriter(filepath.Join(dir, "t.parquet"), fixed)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abandon()
	if _, err := w.Encode(context.Background(), fixed); err == nil || !strings.Contains(err.Error(), `column "x": row 2 needs more than nine digits`) {
		t.Errorf("a wide decimal in a narrow column: error %v, want column, row and remedy", err)
	}
}

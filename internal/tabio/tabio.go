// Package tabio moves tables between disk and frames: CSV, compressed or not,
// and Parquet, chosen by the extension and equal in what they mean.
//
// On disk a missing value is an empty field (CSV) or a null (Parquet), coded
// columns are their labels, fixed-point columns have exactly their decimals,
// dates are ISO 8601, and floats are the shortest text that reads back as the
// same number. What was written with [Write] is read back by [Read] with
// [SchemaOf] unchanged. Files carry no time, path or machine, and writing a
// frame twice gives the same bytes.
//
// Reading refuses what it does not understand, and says where: line and column
// of a CSV file, row and column of a Parquet file.
package tabio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"scramblelab/internal/folder"
	"scramblelab/internal/frame"
)

// ColumnSpec says how one column of a file is read. Only Name is needed.
type ColumnSpec struct {
	Name     string      // as the file has it
	Kind     frame.Kind  // 0 infers it
	Decimals uint8       // Int and Long only: at most so many decimals, the stored integer is the value times 10^Decimals
	Dict     *frame.Dict // Category and Ordinal only: other labels are errors; nil builds a sorted one (by bounds for intervals)
	Missing  []string    // values that are missing, besides the empty one; nil means those of the schema
	As       string      // name in the frame, where it differs
	Required bool        // the file must have the column
}

// Schema says how a file is read. The zero value infers every column.
type Schema struct {
	Columns       []ColumnSpec
	Strict        bool     // refuse columns that Columns does not name, rather than infer them
	MissingTokens []string // values that are missing, besides the empty one; nil means "NA"
}

// Validate names the first setting that cannot hold.
func (s Schema) Validate() error {
	seen := map[string]bool{}
	for _, c := range s.Columns {
		switch {
		case c.Name == "":
			return errors.New("tabio: a column of the schema has no name")
		case seen[c.Name]:
			return fmt.Errorf("tabio: column %q stands twice in the schema: remove one", c.Name)
		case c.Kind > frame.Date:
			return fmt.Errorf("tabio: column %q has kind %d, want a kind of package frame or 0", c.Name, c.Kind)
		case c.Decimals > 9:
			return fmt.Errorf("tabio: column %q has %d decimals, want at most 9", c.Name, c.Decimals)
		case c.Decimals > 0 && c.Kind != frame.Int && c.Kind != frame.Long:
			return fmt.Errorf("tabio: column %q is %v with %d decimals: only integer and long have decimals", c.Name, c.Kind, c.Decimals)
		case c.Dict != nil && c.Kind != frame.Category && c.Kind != frame.Ordinal:
			return fmt.Errorf("tabio: column %q is %v with a codebook: only category and ordinal have one", c.Name, c.Kind)
		}
		seen[c.Name] = true
	}
	return nil
}

// SchemaOf returns the schema that reads back what [Write] makes of f.
func SchemaOf(f *frame.Frame) Schema {
	s := Schema{Strict: true}
	for _, c := range f.Columns() {
		// The labels of a codebook are never missing values, not even "NA".
		s.Columns = append(s.Columns, ColumnSpec{
			Name: c.Name, Kind: c.Kind, Decimals: c.Decimals, Dict: c.Dict, Missing: []string{}, Required: true,
		})
	}
	return s
}

// missing returns the values of a column that count as missing.
func (s Schema) missing(c ColumnSpec) []string {
	switch {
	case c.Missing != nil:
		return c.Missing
	case s.MissingTokens != nil:
		return s.MissingTokens
	}
	return []string{"NA"}
}

// match finds the spec of every column of a file, with missing values and the
// name in the frame filled in.
func (s Schema) match(names []string) ([]ColumnSpec, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	byName := map[string]ColumnSpec{}
	for _, c := range s.Columns {
		byName[c.Name] = c
		if c.Required && !slices.Contains(names, c.Name) {
			return nil, fmt.Errorf("there is no column %q%s", c.Name, among("columns are", c.Name, names))
		}
	}
	specs := make([]ColumnSpec, len(names))
	taken := map[string]string{}
	for i, name := range names {
		c, ok := byName[name]
		if !ok && s.Strict {
			return nil, fmt.Errorf("column %q is not expected%s", name, among("expected are", name, s.names()))
		}
		c.Name, c.Missing = name, s.missing(c)
		if c.As == "" {
			c.As = name
		}
		if first, twice := taken[c.As]; twice {
			return nil, fmt.Errorf("columns %q and %q would both be named %q: rename one", first, name, c.As)
		}
		taken[c.As] = name
		specs[i] = c
	}
	return specs, nil
}

func (s Schema) names() []string {
	names := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		names[i] = c.Name
	}
	return names
}

// checkNames refuses names that cannot be told apart.
func checkNames(names []string) error {
	if len(names) > maxColumns {
		return fmt.Errorf("has %d columns, want at most %d", len(names), maxColumns)
	}
	at := map[string]int{}
	for i, n := range names {
		if n == "" {
			return fmt.Errorf("column %d of %d has no name: name it, or leave row names out when the file is made (in R, row.names = FALSE)", i+1, len(names))
		}
		if first, twice := at[n]; twice {
			return fmt.Errorf("columns %d and %d are both named %q: rename one", first+1, i+1, n)
		}
		at[n] = i
	}
	return nil
}

const (
	maxColumns = 10_000
	maxRows    = 1<<31 - 1 // rows are numbered with int32
)

// A layout is one way to keep a table on disk.
type layout uint8

const (
	formatCSV layout = iota + 1
	formatCSVGzip
	formatParquet
)

// Extensions are the endings of file names that [Read] and [Write] know.
func Extensions() []string { return []string{".parquet", ".csv", ".csv.gz"} }

func formatOf(path string) (layout, error) {
	lower := strings.ToLower(path)
	switch {
	case strings.HasSuffix(lower, ".csv"):
		return formatCSV, nil
	case strings.HasSuffix(lower, ".csv.gz"):
		return formatCSVGzip, nil
	case strings.HasSuffix(lower, ".parquet"):
		return formatParquet, nil
	}
	return 0, fmt.Errorf("tabio: %s: the format is not known: name the file .parquet, .csv or .csv.gz", path)
}

// Read reads a table. The columns keep the order of the file. A codebook that
// the schema does not give is sorted, so that it says nothing of the order of
// rows; an ordinal one, and every one whose labels are all intervals, is sorted
// by number (see [IntervalDict]).
//
// Inferred kinds: whole numbers without leading zeros are Int where they fit,
// else Long; other numbers Float; ISO dates Date; labels that are all intervals
// Ordinal; the rest Category.
func Read(ctx context.Context, path string, s Schema) (*frame.Frame, error) {
	kind, err := formatOf(path)
	if err != nil {
		return nil, err
	}
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out *frame.Frame
	if kind == formatParquet {
		out, err = readParquet(ctx, f, s)
	} else {
		out, err = readCSV(ctx, f, kind == formatCSVGzip, s)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("tabio: %s: %w", path, err)
	}
	return out, nil
}

// open opens a file for reading and says what is wrong with its path.
func open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("tabio: %s: %w: check the name and the working directory", path, fs.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("tabio: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("tabio: %s is a folder, want a file in it", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("tabio: %w", err)
	}
	return f, nil
}

// errShort is the cause of files that end before they should.
var errShort = errors.New("ends too early: the file was cut off, copy it again")

// Write writes a table in the format that the extension names. The file is
// complete or absent; one that stands there is replaced. Labels that would read
// back as something else (empty ones, and in CSV those with Windows line ends)
// are refused.
func Write(ctx context.Context, path string, f *frame.Frame) error {
	kind, err := formatOf(path)
	if err != nil {
		return err
	}
	if err := checkNames(f.Names()); err != nil {
		return fmt.Errorf("tabio: %s: %w", path, err)
	}
	if len(f.Columns()) == 0 {
		return fmt.Errorf("tabio: %s: a table without columns cannot be written", path)
	}
	err = folder.WriteFile(path, 0o644, func(w io.Writer) error {
		if kind == formatParquet {
			return writeParquet(ctx, w, f)
		}
		return writeCSV(ctx, w, f, kind == formatCSVGzip)
	})
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("tabio: %s: %w", path, err)
	}
	return nil
}

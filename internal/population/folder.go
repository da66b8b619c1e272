package population

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"scramblelab/internal/calibration"
	"scramblelab/internal/folder"
	"scramblelab/internal/frame"
	"scramblelab/internal/importer"
	"scramblelab/internal/progress"
	"scramblelab/internal/tabio"
)

// WriteOptions says how a population folder is written.
type WriteOptions struct {
	Format string // parquet (default), csv or csv.gz
	Force  bool   // replace a population folder of that name, and no other
	// Counterfactual adds the twin without events in a folder counterfactual, and
	// the effects on workers to truth.json. It takes three times as long.
	Counterfactual bool
}

// Validate names what cannot be.
func (o WriteOptions) Validate() error {
	if o.Format != "" && !slices.Contains(tableExtensions, "."+o.Format) {
		return fmt.Errorf("population: format is %q, want parquet, csv or csv.gz", o.Format)
	}
	return nil
}

// Check refuses a folder that [Population.Write] would refuse to make or to
// replace, before the work.
func (o WriteOptions) Check(dir string) error { return folder.Check(dir, o.folder()) }

// folder says that Force replaces a population of any format and nothing else.
func (o WriteOptions) folder() folder.Options {
	known := append([]string{"truth.json", calibrationName, "codebook.json", "datapackage.json"}, importer.Names()...)
	for _, name := range tableNames {
		for _, ext := range tableExtensions {
			known = append(known, name+ext)
		}
	}
	for _, name := range slices.Clone(known) {
		known = append(known, counterfactualName+"/"+name)
	}
	return folder.Options{Force: o.Force, Known: known}
}

// calibrationName is the copy of the figures that the population was drawn from.
const calibrationName = "calibration.yaml"

// tableNames are the tables of a population folder in the order of writing.
var tableNames = []string{"employers", "accounts", "suppliers", "jobs"}

// tableExtensions are those that Read takes, the preferred one first.
var tableExtensions = []string{".parquet", ".csv", ".csv.gz"}

func (p *Population) table(name string) **frame.Frame {
	switch name {
	case "employers":
		return &p.Employers
	case "accounts":
		return &p.Accounts
	case "suppliers":
		return &p.Suppliers
	}
	return &p.Jobs
}

// Write writes the population folder: four tables, truth.json, the calibration,
// codebook.json and datapackage.json. The folder is complete or absent, and one that exists is
// kept unless Force is set and it holds nothing else. tell may be nil.
func (p *Population) Write(ctx context.Context, dir string, o WriteOptions, tell progress.Func) (err error) {
	if o.Counterfactual {
		return errors.New("population: a population in memory has no twin: use GenerateTo")
	}
	if err := o.Validate(); err != nil {
		return err
	}
	ext := o.extension()
	out, err := folder.Create(dir, o.folder())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	for i, name := range tableNames {
		tell.Step("writing", i, len(tableNames))
		f := *p.table(name)
		if err := tabio.Write(ctx, filepath.Join(out.Path(), name+ext), f); err != nil {
			return err
		}
	}
	tell.Step("writing", len(tableNames), len(tableNames))
	if err := writeDocuments(out.Path(), ext, p.Options.Figures, p.Truth); err != nil {
		return err
	}
	return out.Commit()
}

// extension is that of the tables.
func (o WriteOptions) extension() string {
	if o.Format == "" {
		return ".parquet"
	}
	return "." + o.Format
}

// writeDocuments writes everything of a folder but its tables.
func writeDocuments(dir, ext string, c *calibration.Figures, truth Truth) error {
	var files []tabio.File
	for _, name := range tableNames {
		files = append(files, tabio.File{Path: name + ext, Frame: layoutOf(c, name), Description: descriptions(c, name)})
	}
	pack, err := tabio.DataPackage("population", files)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "datapackage.json"), pack, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, calibrationName), c.YAML(), 0o644); err != nil {
		return err
	}
	for name, b := range readScripts(c, strings.TrimPrefix(ext, ".")) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	for name, v := range map[string]any{"truth.json": truth, "codebook.json": newCodebook(c)} {
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), append(b, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// readScripts are ready-made imports into R, Stata and Python.
func readScripts(c *calibration.Figures, format string) map[string][]byte {
	o := importer.Folder{What: "population", CSV: "write the population again with --format csv", Format: format}
	for _, name := range tableNames {
		t := importer.Table{Name: name}
		for _, x := range columnsOf(c, name) {
			col := importer.Column{Name: x.Name, Kind: x.kind, Decimals: x.decimals}
			if x.dict != nil {
				col.Codes, col.Texts = x.dict.Labels(), map[string][]string{}
				for _, k := range x.Codes {
					for language, text := range map[string]string{"en": k.Label.EN, "nl": k.Label.NL, "fr": k.Label.FR} {
						col.Texts[language] = append(col.Texts[language], text)
					}
				}
			}
			t.Columns = append(t.Columns, col)
		}
		o.Tables = append(o.Tables, t)
	}
	return importer.Scripts(o)
}

// layoutOf returns a table without rows.
func layoutOf(c *calibration.Figures, table string) *frame.Frame {
	var cols []frame.Column
	for _, x := range columnsOf(c, table) {
		d := x.dict
		if x.kind == frame.Category && d == nil {
			d = frame.MustDict()
		}
		cols = append(cols, frame.Column{Name: x.Name, Kind: x.kind, Decimals: x.decimals, Dict: d})
	}
	return frame.Must(cols...)
}

// Read reads a population folder that [Population.Write] or [GenerateTo] made,
// in either format. The folders of all shards of a population, in any order, are
// read as one; some of them alone are refused.
func Read(ctx context.Context, dir string, others ...string) (*Population, error) {
	dirs := append([]string{dir}, others...)
	parts := make([]*Population, len(dirs))
	for i, d := range dirs {
		var err error
		if parts[i], err = readFolder(ctx, d); err != nil {
			return nil, err
		}
	}
	p, err := join(dirs, parts)
	if err != nil {
		return nil, err
	}
	return p, p.check(dir)
}

// readFolder reads a folder as it is.
func readFolder(ctx context.Context, dir string) (*Population, error) {
	b, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		return nil, fmt.Errorf("population: %w: want a folder that synth population wrote", err)
	}
	p := &Population{}
	if err := json.Unmarshal(b, &p.Truth); err != nil {
		return nil, fmt.Errorf("population: %s: %w", filepath.Join(dir, "truth.json"), err)
	}
	if p.Truth.Version != TruthVersion {
		return nil, fmt.Errorf("population: %s has version %d, want %d: write the folder again", filepath.Join(dir, "truth.json"), p.Truth.Version, TruthVersion)
	}
	p.Options = p.Truth.Options
	if p.Options.Figures, err = readFigures(dir, p.Truth.Calibration); err != nil {
		return nil, err
	}
	if err := p.Options.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, "truth.json"), err)
	}
	for _, name := range tableNames {
		path, err := find(dir, name)
		if err != nil {
			return nil, err
		}
		f, err := tabio.Read(ctx, path, schemaOf(p.Options.Figures, name))
		if err != nil {
			return nil, err
		}
		*p.table(name) = f
	}
	return p, nil
}

// readFigures reads the copy of the calibration, which must be the one that the
// tables were drawn from: it holds their codes.
func readFigures(dir string, digest string) (*calibration.Figures, error) {
	if digest == "" {
		return calibration.Belgium(), nil
	}
	path := filepath.Join(dir, calibrationName)
	c, err := calibration.Load(path)
	if err != nil {
		return nil, err
	}
	if c.Digest() != digest {
		return nil, fmt.Errorf("population: %s is not the calibration that truth.json names: it was changed since, write the folder again", path)
	}
	return c, nil
}

func find(dir, name string) (string, error) {
	for _, ext := range tableExtensions {
		path := filepath.Join(dir, name+ext)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("population: %s has no %s.parquet, .csv or .csv.gz: want a folder that synth population wrote", dir, name)
}

// check refuses tables whose identifiers do not fit together, since everything
// else addresses employers by them.
func (p *Population) check(dir string) error {
	for i, id := range p.Employers.Col("employer_id").I {
		if id != int32(i+1) {
			return fmt.Errorf("population: %s: row %d of employers has employer_id %d, want %d: rows must be in their order and whole", dir, i+1, id, i+1)
		}
	}
	n := int32(p.Employers.Rows())
	for _, c := range []struct{ table, column string }{{"accounts", "employer_id"}, {"jobs", "employer_id"},
		{"suppliers", "supplier_id"}, {"suppliers", "customer_id"}} {
		for i, id := range (*p.table(c.table)).Col(c.column).I {
			if id < 1 || id > n {
				return fmt.Errorf("population: %s: row %d of %s has %s %d, which employers lacks (1..%d)", dir, i+1, c.table, c.column, id, n)
			}
		}
	}
	for i, a := range p.Suppliers.Col("amount").L {
		if a < 1 {
			return fmt.Errorf("population: %s: row %d of suppliers has amount %s, want at least 1 euro", dir, i+1, amountText(a))
		}
	}
	for _, name := range tableNames[1:] {
		f := *p.table(name)
		for i, y := range f.Col("year").I {
			if int(y) < p.Options.From || int(y) > p.Options.To {
				return fmt.Errorf("population: %s: row %d of %s has year %d, want %d..%d as in truth.json", dir, i+1, name, y, p.Options.From, p.Options.To)
			}
		}
	}
	p.Accounts = p.Accounts.Sorted("employer_id", "year")
	p.Suppliers = p.Suppliers.Sorted("supplier_id", "customer_id", "year")
	p.Jobs = p.Jobs.Sorted("employer_id", "year", "worker_id")
	return nil
}

// schemaOf returns the schema of a table, with the codebooks in use.
func schemaOf(c *calibration.Figures, table string) tabio.Schema {
	var s tabio.Schema
	s.Strict, s.MissingTokens = true, []string{}
	for _, x := range columnsOf(c, table) {
		s.Columns = append(s.Columns, tabio.ColumnSpec{Name: x.Name, Kind: x.kind, Decimals: x.decimals, Dict: x.dict, Required: true})
	}
	return s
}

func amountText(a int64) string {
	if a == frame.NoLong {
		return "missing"
	}
	return fmt.Sprint(a)
}

package study

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/rng"
)

// small generates a population on which a whole study takes a fraction of a second.
const small = "data: {generate: {employers: 120, from: 2017, to: 2021}}\n"

// parsed reads a plan from text.
func parsed(t testing.TB, yaml string) plan.Plan {
	t.Helper()
	p, err := plan.Parse("plan.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// studied runs a whole study of a plan in a new folder, which it returns beside
// the report. seed nil draws keys from the system.
func studied(t testing.TB, yaml string, seed *uint64, format string) (*metric.Report, string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	r, err := Run(t.Context(), parsed(t, yaml), Options{Out: out, Format: format, Seed: seed})
	if err != nil {
		t.Fatalf("%v\n%s", err, yaml)
	}
	return r, out
}

func seeded(n uint64) *uint64 { return &n }

// tree reads every file below dir.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// differing names the files that two trees do not share byte for byte, sorted.
func differing(a, b map[string]string) []string {
	var names []string
	for name, text := range a {
		if other, ok := b[name]; !ok || other != text {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// table is a CSV file that a test makes: a header and rows, which may be
// permuted.
type table struct {
	header string
	rows   []string
}

func (f table) write(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jobs.csv")
	if err := os.WriteFile(path, []byte(f.header+"\n"+strings.Join(f.rows, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func (f table) permuted(seed uint64) table {
	rows := append([]string(nil), f.rows...)
	rng.Shuffle(rng.Sim(seed).Stream(1, 0), rows)
	return table{f.header, rows}
}

// panelFile makes 60 employers over three years whose workers have identifiers.
// Identifiers have a shape that no other text has.
func panelFile() table {
	f := table{header: "firm,person,jaar,schooling,study,gender,years,pay,part,branch,arm"}
	for e := range 60 {
		s := rng.Sim(5).Stream(2, uint64(e))
		arm := []string{"treated", "untreated"}[e%2]
		staff := 1 + s.IntN(9) + 20*(e%7/6)
		for w := range staff {
			level, field, sex, age := s.IntN(4), s.IntN(3), s.IntN(2), 20+s.IntN(40)
			for year := 2018; year <= 2020; year++ {
				if s.IntN(8) == 0 {
					continue // not there this year
				}
				f.rows = append(f.rows, fmt.Sprintf("EMPLR-%05dQ,WRKR-%07dZ,%d,S%d,F%d,%s,%d,%d,%.2f,B%d,%s",
					70_000+37*e, 1_000_000+1000*e+w, year, level, field, "mf"[sex:sex+1], age+year-2018, 15_000+4000*level+100*s.IntN(200), 0.5+0.25*float64(s.IntN(3)), e%3, arm))
			}
		}
	}
	return f
}

const panelSchema = `data: {jobs: %q}
schema:
  firm:      {role: employer}
  person:    {role: worker}
  jaar:      {role: period, released: true}
  schooling: {role: ordinal, as: level, known: true, released: true}
  study:     {role: category, as: field, released: true}
  gender:    {role: category, as: sex, known: true}
  years:     {role: number, as: age, known: true, released: true}
  pay:       {role: number, as: wage, sensitive: true, released: true}
  part:      {role: number, as: fte, released: true}
  branch:    {role: category, as: sector, known: true, released: true}
  arm:       {role: category, as: group, known: true, released: true}
release: {records: 20}
`

// crossFile is like a structure-of-earnings survey: one period, no worker
// identifiers, age in classes, FTE in percent.
func crossFile() table {
	f := table{header: "IDunit,education,occupation,age,earnings,share,sector"}
	for e := range 60 {
		s := rng.Sim(6).Stream(3, uint64(e))
		for range 2 + s.IntN(12) {
			level := s.IntN(4)
			f.rows = append(f.rows, fmt.Sprintf(`%d,ISCED %d,%d,"(%d,%d]",%d,%d,N%d`, 900_100+7*e, level, 10+s.IntN(5), 19+10*(level%4), 29+10*(level%4), 12_000+5000*level+10*s.IntN(900), 50+10*s.IntN(6), e%4))
		}
	}
	return f
}

const crossSchema = `data: {jobs: %q, sampled_within: true}
schema:
  IDunit:     {role: employer}
  education:  {role: ordinal, as: level, known: true, released: true}
  occupation: {role: category, as: field, released: true}
  age:        {role: ordinal, as: age, known: true, released: true}
  earnings:   {role: number, as: wage, sensitive: true, released: true}
  share:      {role: number, as: fte, unit: percent, released: true}
  sector:     {role: category, as: sector, known: true, released: true}
release: {records: 20}
`

package swap

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/sharedtest"
)

// operations are the rows of the table in docs/scrambles.md.
var operations = []struct {
	name     string
	o        Options
	protects string
}{
	{"wage, within employers", Options{Bundle: []string{linked.Wage}, Scope: WithinEmployer}, "wage and cell inside an employer; no employer, no count"},
	{"level and field jointly, within employers", Options{Bundle: []string{linked.Level, linked.Field}, Joint: true, Scope: WithinEmployer}, "nothing of the released counts"},
	{"level alone, within employers", Options{Bundle: []string{linked.Level}, Scope: WithinEmployer}, "level against field"},
	{"wage, across employers", Options{Bundle: []string{linked.Wage}, Scope: AcrossEmployers}, "wages"},
	{"wage, across employers, same level and field", Options{Bundle: []string{linked.Wage}, Same: []string{linked.Level, linked.Field}, Scope: AcrossEmployers}, "the wage bill as a fingerprint"},
	{"level and field jointly, across employers", Options{Bundle: []string{linked.Level, linked.Field}, Joint: true, Scope: AcrossEmployers}, "the counts as a fingerprint; the wage bill stays exact"},
	{"whole workers, across employers", Options{Bundle: []string{linked.Employer}, Joint: true}, "everything but the head count"},
	{"whole workers, across employers, same level and field", Options{Bundle: []string{linked.Employer}, Joint: true, Same: []string{linked.Level, linked.Field}}, "ages, wages and working time"},
	{"level, field and wage independently, across employers", Options{Bundle: []string{linked.Level, linked.Field, linked.Wage}, Scope: AcrossEmployers}, "most; worst for analysis"},
	{"rank swap of wages, 5 %", Options{Method: RankSwap, Bundle: []string{linked.Wage}, Window: .05}, "exact wages; little of their class"},
	{"targeted swap of level and field", Options{Method: TargetedSwap, Bundle: []string{linked.Level, linked.Field}, Joint: true,
		Hierarchy: []string{linked.Employer}, Risk: []string{linked.Level, linked.Field}, K: 3, Profiles: [][]string{{linked.Sex}}}, "rare cells first; the wage bill stays exact"},
	{"nearest swap of level and field, by wage", Options{Method: NearestSwap, Bundle: []string{linked.Level, linked.Field}, Joint: true,
		Near: []string{linked.Wage}, Scope: AcrossEmployers}, "counts, at little cost for wages by level"},
	{"conditional shuffle of wages given working time", Options{Method: ConditionalShuffle, Bundle: []string{linked.Wage}, Given: []string{linked.FTE}}, "all of the wage that working time does not tell"},
	{"full shuffle of level and field", Options{Method: FullShuffle, Bundle: []string{linked.Level, linked.Field}, Joint: true}, "counts, completely; a baseline"},
}

// statistics are its columns: tables of counts, sums and a multiset.
var statistics = []struct {
	name string
	of   func(t *testing.T, f *frame.Frame) map[string]float64
}{
	{"heads by employer", countsBy(linked.Employer, linked.Year)},
	{"level × field by employer", countsBy(linked.Employer, linked.Year, linked.Level, linked.Field)},
	{"level by employer", countsBy(linked.Employer, linked.Year, linked.Level)},
	{"level × field, all", countsBy(linked.Year, linked.Level, linked.Field)},
	{"wage bill by employer", sumsBy(linked.Employer, linked.Year)},
	{"wages by level × field, all", sumsBy(linked.Year, linked.Level, linked.Field)},
	{"distribution of wages", countsBy(linked.Year, linked.Wage)},
}

func countsBy(cols ...string) func(*testing.T, *frame.Frame) map[string]float64 {
	return func(_ *testing.T, f *frame.Frame) map[string]float64 {
		m := map[string]float64{}
		for i := range f.Rows() {
			m[cell(f, cols, i)]++
		}
		return m
	}
}

func sumsBy(cols ...string) func(*testing.T, *frame.Frame) map[string]float64 {
	return func(_ *testing.T, f *frame.Frame) map[string]float64 {
		m := map[string]float64{}
		for i := range f.Rows() {
			m[cell(f, cols, i)] += f.Col(linked.Wage).Value(i)
		}
		return m
	}
}

// TestWhatIsKept measures the table of docs/scrambles.md: each operation at rate
// 1 on the same population, each statistic compared exactly before and after.
// UPDATE_DOCS=1 writes the table.
func TestWhatIsKept(t *testing.T) {
	f := population(21, 200, 2, 40)
	var b strings.Builder
	b.WriteString("| operation |")
	for _, s := range statistics {
		fmt.Fprintf(&b, " %s |", s.name)
	}
	b.WriteString(" protects |\n|" + strings.Repeat("---|", len(statistics)+2) + "\n")
	for _, op := range operations {
		op.o.Rate = 1
		op.o.Same = append([]string{linked.Year}, op.o.Same...)
		r := must(t, f, op.o)
		if r.Report.Pairings[0].TouchedShare() < 0.3 {
			t.Errorf("%s touched %.2f only: the table shows nothing", op.name, r.Report.Pairings[0].TouchedShare())
		}
		fmt.Fprintf(&b, "| %s |", op.name)
		for _, s := range statistics {
			mark := " |"
			if maps.Equal(s.of(t, f), s.of(t, r.Frame)) {
				mark = " ✔ |"
			}
			b.WriteString(mark)
		}
		fmt.Fprintf(&b, " %s |\n", op.protects)
	}
	sharedtest.Measured(t, filepath.Join("..", "..", "docs", "scrambles.md"), "measured", b.String())
}

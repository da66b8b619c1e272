package population

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/calibration"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// sample is one population that most tests look at, a small one in short runs.
var sample = sync.OnceValues(func() (*Population, error) {
	employers := 8000
	if testing.Short() {
		employers = 1000
	}
	return Generate(context.Background(), Options{Employers: employers, From: 2012, To: 2021, Seed: 1}, nil)
})

func need(t *testing.T) *Population {
	t.Helper()
	p, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOptionsValidate(t *testing.T) {
	cases := []struct {
		name, why string
		o         Options
		want      string // part of the error, "" for none
	}{
		{"zero value", "defaults are fine", Options{}, ""},
		{"smallest", "50 is allowed", Options{Employers: 50, From: 2010, To: 2010}, ""},
		{"too few", "classes would be empty", Options{Employers: 49}, "employers is 49"},
		{"negative", "a sign slipped in", Options{Employers: -1}, "employers is -1"},
		{"too many", "a zero too much", Options{Employers: 2_000_000}, "want at most"},
		{"early", "the index path starts in 2003", Options{From: 2002}, "from is 2002"},
		{"late", "and ends in 2021", Options{To: 2022}, "to is 2022"},
		{"reversed", "exchange them", Options{From: 2012, To: 2011}, "reversed"},
		{"world", "a misspelt world", Options{World: "productive"}, `"productive"`},
		{"full network", "all links", Options{Suppliers: "full"}, ""},
		{"network", "misspelt", Options{Suppliers: "mian"}, "want main, full or none"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := c.o.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: error %v, want one with %q", c.why, err, c.want)
			}
		})
	}
}

// The realised figures against the calibration. Tolerances allow for 8,000
// employers, whose few largest move means of staff; the seed is fixed.
func TestFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a large population")
	}
	p := need(t)
	f := measure(p)
	f.print(t, p)
	c := calibration.Belgium()
	near := func(what string, got, want, tolerance float64) {
		t.Helper()
		if !(math.Abs(got-want) <= tolerance) {
			t.Errorf("%s is %.4f, want %.4f within %.4f", what, got, want, tolerance)
		}
	}
	for k, want := range c.Size.Shares {
		near("share of size class "+linked.SizeDict.Label(int32(k)), f.sizeShare[k], want, 4.4*math.Sqrt(want*(1-want)/8000)+.002)
		near("first share of size class "+linked.SizeDict.Label(int32(k)), f.sizeFirst[k], want, 4.4*math.Sqrt(want*(1-want)/8000)+.002)
	}
	near("mean size", f.meanSize, 24, 4)
	near("CCDF slope 10-50", f.zipf[0], 1.016, .2)
	near("CCDF slope 50-250", f.zipf[1], 1.038, .2)
	mean := 0.0
	for _, n := range f.present {
		mean += float64(n) / float64(len(f.present))
	}
	near("employers present", mean, 8000, 1)
	near("hire rate", f.hireRate, .18, .02)
	near("exit rate", f.exitRate, .17, .02)
	near("closing rate", f.deathRate, .065, .01)
	near("median full-time wage 2021", f.median, 42400, 1500)
	near("log sd of wages", math.Log(f.d9/f.d1)/2.563, .368, .03)
	near("Cramer's V of level and field", f.cramersV, .39, .06)
	for l, x := range c.Levels {
		near("share of level "+x.Code, f.levels[l], x.Y21/100, .012+.15*x.Y21/100)
	}
	for k, want := range c.Age.Y21 {
		near("share of age band "+strconv.Itoa(k), f.ages[k], want, .04)
	}
	near("part-time share", f.partTime, .264, .05)
	// Facts 3e at 20 staff: .46 to .63 of the cells hold one person, .78 to .94 at most three.
	near("share of one-person cells at 18-22 staff", f.cells["18-22"][1], .55, .1)
	near("share of cells up to three at 18-22 staff", f.cells["18-22"][2], .86, .08)
}

func TestStructuralZeros(t *testing.T) {
	p, c := need(t), calibration.Belgium()
	allowed := newCellTables(c).allowed
	level, field := p.Jobs.Col("level").I, p.Jobs.Col("field").I
	for i := range level {
		if !allowed[level[i]][field[i]] {
			t.Fatalf("row %d: level %s with field %s, which does not exist", i, c.Levels[level[i]].Code, c.Fields[field[i]].Code)
		}
	}
}

func TestPanelIsConsistent(t *testing.T) {
	p := need(t)
	jobs := p.Jobs.Sorted("worker_id", "year", "employer_id")
	col := func(name string) []int32 { return jobs.Col(name).I }
	worker, employer, year, level, field := col("worker_id"), col("employer_id"), col("year"), col("level"), col("field")
	sex, age, hired, left, wage, fte := col("sex"), col("age"), col("hired"), col("left"), col("wage"), col("fte")
	day := func(y int32) int32 {
		return int32(time.Date(int(y), 1, 1, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	}
	interval := func(i int) (int32, int32) {
		lo, hi := day(year[i]), day(year[i]+1)-1
		if hired[i] != frame.NoInt {
			lo = hired[i]
		}
		if left[i] != frame.NoInt {
			hi = left[i]
		}
		return lo, hi
	}
	rises, moves, found, overlaps := 0, 0, 0, 0
	unknown := int32(0) // U, the first level
	for i := range worker {
		lo, hi := interval(i)
		if lo > hi || lo < day(year[i]) || hi >= day(year[i]+1) {
			t.Fatalf("row %d: job from day %d to %d in %d", i, lo, hi, year[i])
		}
		if age[i] < 16 || age[i] > 75 || wage[i] < 0 || fte[i] < 10 || fte[i] > 100 {
			t.Fatalf("row %d: age %d, wage %d, fte %d", i, age[i], wage[i], fte[i])
		}
		if i == 0 || worker[i] != worker[i-1] {
			continue
		}
		if level[i-1] == unknown && level[i] != unknown {
			found++
		} else if field[i] != field[i-1] || level[i] < level[i-1] {
			t.Fatalf("worker %d changed: level %d to %d, field %d to %d", worker[i], level[i-1], level[i], field[i-1], field[i])
		}
		if age[i]-age[i-1] != year[i]-year[i-1] || sex[i] != sex[i-1] {
			t.Fatalf("worker %d changed: age %d to %d from %d to %d, sex %d to %d", worker[i],
				age[i-1], age[i], year[i-1], year[i], sex[i-1], sex[i])
		}
		if level[i] > level[i-1] && level[i-1] != unknown {
			rises++
		}
		if employer[i] != employer[i-1] {
			moves++
		}
		if year[i] == year[i-1] {
			a, b := interval(i - 1)
			if employer[i] == employer[i-1] {
				t.Fatalf("worker %d stands twice with employer %d in %d", worker[i], employer[i], year[i])
			}
			if lo <= b && a <= hi {
				overlaps++
				if fte[i]+fte[i-1] > 100 {
					t.Fatalf("worker %d works %d and %d hundredths at a time in %d", worker[i], fte[i-1], fte[i], year[i])
				}
			}
		}
	}
	if rises == 0 || moves == 0 || found == 0 || overlaps == 0 {
		t.Errorf("%d rises of level, %d moves between employers, %d levels found later, %d second jobs, want some", rises, moves, found, overlaps)
	}
}

func TestAccountsAgreeWithJobs(t *testing.T) {
	p := need(t)
	type sums struct{ end, women, full, entries, exits, wages int64 }
	books := map[[2]int32]*sums{}
	col := func(name string) []int32 { return p.Jobs.Col(name).I }
	employer, year, hired, left, sex, wage, fte := col("employer_id"), col("year"), col("hired"), col("left"), col("sex"), col("wage"), col("fte")
	for i := range employer {
		k := [2]int32{employer[i], year[i]}
		if books[k] == nil {
			books[k] = &sums{}
		}
		b := books[k]
		b.wages += int64(wage[i])
		if hired[i] != frame.NoInt {
			b.entries++
		}
		if left[i] != frame.NoInt {
			b.exits++
			continue
		}
		b.end++
		b.women += int64(sex[i])
		if fte[i] == 100 {
			b.full++
		}
	}
	acc := func(row int, name string) int64 {
		c := p.Accounts.Col(name)
		if c.Kind == frame.Long {
			return c.L[row]
		}
		return int64(c.I[row])
	}
	differ := 0
	var equal, all, rows [9]float64
	var log2, flows, cost []float64
	for i := range p.Accounts.Rows() {
		b := books[[2]int32{int32(acc(i, "employer_id")), int32(acc(i, "year"))}]
		if b == nil {
			t.Fatalf("accounts row %d has no jobs", i)
		}
		end := acc(i, "staff_year_end")
		study := acc(i, "staff_primary") + acc(i, "staff_secondary") + acc(i, "staff_higher") + acc(i, "staff_university")
		if study != end || acc(i, "men")+acc(i, "women") != end || acc(i, "full_time")+acc(i, "part_time") != end ||
			acc(i, "managers")+acc(i, "employees")+acc(i, "workers") != end {
			t.Fatalf("accounts row %d: parts do not sum to the %d staff at the closing date", i, end)
		}
		class := linked.SizeCode(int32(b.end))
		all[class]++
		if end == b.end {
			equal[class]++
			if acc(i, "women") == b.women && acc(i, "full_time") == b.full {
				rows[class]++
			}
		}
		if b.end >= 50 && end > 0 {
			log2 = append(log2, math.Abs(math.Log(float64(end)/float64(b.end))))
			flows = append(flows, math.Abs(float64(acc(i, "entries")-b.entries))/float64(b.end))
			cost = append(cost, float64(acc(i, "personnel_cost"))/float64(b.wages))
		}
		if acc(i, "staff_average") != end*10 {
			differ++
		}
		full := acc(i, "schema") == schemaFull
		for _, name := range []string{"turnover", "machinery_investment"} {
			if missing := acc(i, name) == frame.NoLong; missing == full {
				t.Fatalf("accounts row %d: schema %d, %s missing %v", i, acc(i, "schema"), name, missing)
			}
		}
	}
	if share := float64(differ) / float64(p.Accounts.Rows()); share < .3 {
		t.Errorf("average and year-end staff differ in %.3f of the accounts, want at least .3", share)
	}
	for c := range all {
		equal[c] /= all[c]
		rows[c] /= all[c]
	}
	median := func(v []float64) float64 { slices.Sort(v); return v[len(v)/2] }
	t.Logf("head counts equal by size class %.3f, with women and full-time %.3f; at 50 staff and more median difference %.4f log, entries %.4f per head, cost %.3f times wages",
		equal, rows, median(log2), median(flows), median(cost))
	// The sd of differences grows with size and falls relative to it.
	if equal[0] < .8 || equal[0] > .97 || equal[3] < .35 || equal[3] > .75 || equal[5] > .4 || equal[7] > .25 {
		t.Errorf("shares of equal head counts by size class %.3f: want most of the small, few of the large", equal)
	}
	if m := median(log2); m < .003 || m > .03 {
		t.Errorf("median log difference of head counts from 50 staff on is %.4f, want .003 to .03", m)
	}
	if m := median(cost); m < 1.25 || m > 1.6 {
		t.Errorf("personnel cost is %.2f times wages, want 1.25 to 1.6", m)
	}
	if m := median(flows); m > .02 {
		t.Errorf("entries differ by %.3f of staff, want those who close in December to agree", m)
	}
}

// Consequences of size follow after two years in a row, those of a new rule at
// once; members of groups are never micro.
func TestSchemaWaitsForTwoYears(t *testing.T) {
	small, large := size{micro: true, rule: true}, size{large: true, rule: true}
	mid, old := size{rule: true}, size{}
	cases := []struct {
		name, why string
		years     []size
		want      []int
	}{
		{"first year", "nothing came before", []size{large, large}, []int{0, 0}},
		{"one year over", "one year has no consequence", []size{mid, large, mid}, []int{1, 1, 1}},
		{"two years over", "the second year has", []size{mid, large, large, mid, mid}, []int{1, 1, 0, 0, 1}},
		{"micro", "the same in the other direction", []size{small, mid, small, mid, mid}, []int{2, 2, 2, 2, 1}},
		{"new rule", "micro begins with the rule", []size{old, old, small}, []int{1, 1, 2}},
	}
	for _, c := range cases {
		var s schemas
		var got []int
		for _, y := range c.years {
			got = append(got, s.next(y))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", c.name, c.why, diff)
		}
	}
	s := firmsOnly(50, 1)
	for _, c := range []struct {
		name, why            string
		year                 int
		h                    habits
		fte, turnover, total float64
		want                 size
	}{
		{"always large", "more than 100 before 2016", 2010, habits{group: 1}, 101, 1e6, 1e6, size{large: true}},
		{"one threshold", "one may be exceeded", 2010, habits{group: 1}, 60, 1e6, 1e6, size{}},
		{"two thresholds", "not two", 2010, habits{group: 1}, 60, 8e6, 1e6, size{large: true}},
		{"group before 2016", "members are judged by the group", 2010, habits{affiliated: true, group: 10}, 6, 1e6, 1e6, size{large: true}},
		{"group since 2016", "parents alone are", 2016, habits{affiliated: true, group: 10}, 6, 1e6, 1e6, size{rule: true}},
		{"parent since 2016", "parents alone are", 2016, habits{affiliated: true, parent: true, group: 10}, 6, 1e6, 1e6, size{large: true, rule: true}},
		{"micro", "one threshold may be exceeded", 2018, habits{group: 1}, 6, 8e5, 3e5, size{micro: true, rule: true}},
		{"not micro", "a subsidiary", 2018, habits{affiliated: true, group: 1}, 6, 8e5, 3e5, size{rule: true}},
	} {
		if got := s.schema(c.year, &c.h, c.fte, c.fte, c.turnover, c.total); got != c.want {
			t.Errorf("%s: %s: %+v, want %+v", c.name, c.why, got, c.want)
		}
	}
}

// Full-format filers of 2012: about a tenth of the employers, and most of the
// staff (S: 8,862 with 1,095,616 staff, of about 84,000 with 1.96 million).
func TestFullFormatFilers(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a large population")
	}
	p := need(t)
	schema, year, staff := p.Accounts.Col("schema").I, p.Accounts.Col("year").I, p.Accounts.Col("staff_average").I
	var n, full, heads, fullHeads float64
	for i := range schema {
		if year[i] != 2012 {
			continue
		}
		n, heads = n+1, heads+float64(staff[i])/10
		if schema[i] == schemaFull {
			full, fullHeads = full+1, fullHeads+float64(staff[i])/10
		}
	}
	t.Logf("full format: %.4f of employers, %.3f of staff, mean %.1f", full/n, fullHeads/heads, fullHeads/full)
	if share := full / n; math.Abs(share-.105) > .02 {
		t.Errorf("%.4f of the employers file the full format, want .105", share)
	}
	if mean := fullHeads / full; math.Abs(mean-124) > 30 {
		t.Errorf("full-format filers have %.0f staff on average, want 124", mean)
	}
}

func TestNumbersHaveCheckDigits(t *testing.T) {
	p := need(t)
	for _, label := range p.Employers.Col("enterprise_number").Dict.Labels() {
		n, err := strconv.Atoi(label)
		if err != nil || len(label) != 10 || label[0] != '9' || n%100 != 97-n/100%97 {
			t.Fatalf("enterprise number %q: want ten digits that start with 9, the last two 97 minus the others modulo 97", label)
		}
	}
	for _, name := range []string{"enterprise_number", "registration_number"} {
		c := p.Employers.Col(name)
		if c.Dict.Len() != p.Employers.Rows() {
			t.Errorf("%d distinct values of %s for %d employers", c.Dict.Len(), name, p.Employers.Rows())
		}
	}
	for _, label := range p.Employers.Col("registration_number").Dict.Labels() {
		if len(label) != 9 {
			t.Fatalf("registration number %q, want nine digits", label)
		}
	}
}

// Planted events are found in at least 80 % of the employers with enough years,
// and at most 1 % of the others are flagged.
func TestDetectionRates(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a large population")
	}
	hit, wrong, falsely, events, others := hits(need(t))
	t.Logf("hit %.3f, wrong year %.3f of %d; false %.4f of %d", hit, wrong, events, falsely, others)
	if hit < .8 || wrong > .05 || falsely > .01 {
		t.Errorf("hit %.3f, wrong year %.3f, false %.4f: want at least .8, at most .05 and .01", hit, wrong, falsely)
	}
}

func TestSameSeedSamePopulation(t *testing.T) {
	draw := func(threads int, seed uint64) *Population {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		p, err := Generate(context.Background(), Options{Employers: 1200, From: 2010, To: 2015, Seed: seed}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	want := draw(1, 4)
	for _, threads := range []int{2, 8} {
		same(t, draw(threads, 4), want)
	}
	if other := draw(2, 5); cmp.Equal(other.Jobs.Col("wage").I, want.Jobs.Col("wage").I) {
		t.Error("another seed gave the same wages")
	}
}

// same compares populations by value.
func same(t *testing.T, got, want *Population) {
	t.Helper()
	for _, name := range tableNames {
		a, b := *want.table(name), *got.table(name)
		if diff := cmp.Diff(a.Names(), b.Names()); diff != "" {
			t.Fatalf("columns of %s differ (-want +got):\n%s", name, diff)
		}
		for _, c := range a.Columns() {
			d := b.Col(c.Name)
			if !slices.Equal(c.I, d.I) || !slices.Equal(c.L, d.L) || !slices.Equal(c.F, d.F) || c.Kind != d.Kind || c.Decimals != d.Decimals ||
				c.Coded() && !cmp.Equal(c.Dict.Labels(), d.Dict.Labels()) {
				t.Errorf("%s: column %s differs", name, c.Name)
			}
		}
	}
	if diff := cmp.Diff(want.Truth, got.Truth); diff != "" {
		t.Errorf("truth differs (-want +got):\n%s", diff)
	}
}

func TestFolderRoundTrip(t *testing.T) {
	ctx := context.Background()
	for _, o := range []Options{
		{Employers: 60, From: 2009, To: 2012, Seed: 3},
		{Employers: 50, From: 2012, To: 2012, Seed: 3, Suppliers: "none", World: "null"},
	} {
		p, err := Generate(ctx, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"parquet", "csv"} {
			dir := filepath.Join(t.TempDir(), "pop")
			if err := p.Write(ctx, dir, WriteOptions{Format: format}, nil); err != nil {
				t.Fatal(err)
			}
			got, err := Read(ctx, dir)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, p)
			if err := p.Write(ctx, dir, WriteOptions{Format: format}, nil); err == nil {
				t.Error("a folder that exists was replaced without Force")
			}
			for _, other := range []string{format, "csv", "parquet"} {
				if err := p.Write(ctx, dir, WriteOptions{Format: other, Force: true}, nil); err != nil {
					t.Errorf("force, %s: %v", other, err)
				}
			}
			thesis := filepath.Join(dir, "thesis.txt")
			if err := os.WriteFile(thesis, []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
			for name, err := range map[string]error{
				"Check": WriteOptions{Force: true}.Check(dir),
				"Write": p.Write(ctx, dir, WriteOptions{Format: format, Force: true}, nil),
			} {
				if err == nil || !strings.Contains(err.Error(), "holds thesis.txt") {
					t.Errorf("%s: error %v, want a refusal to delete thesis.txt", name, err)
				}
			}
			if _, err := os.Stat(thesis); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := Read(ctx, t.TempDir()); err == nil || !strings.Contains(err.Error(), "synth population") {
		t.Errorf("reading an empty folder: %v, want advice", err)
	}
}

func TestReadRefuses(t *testing.T) {
	ctx := context.Background()
	p, err := Generate(ctx, Options{Employers: 50, From: 2012, To: 2013, Seed: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, why, file, old, new, want string }{
		{"version", "a later layout", "truth.json", `"version": 3`, `"version": 9`, "version 9"},
		{"options", "years out of range", "truth.json", `"from": 2012`, `"from": 1912`, "from is 1912"},
		{"no json", "cut off", "truth.json", "}", "", "truth.json"},
		{"order", "rows are addressed by employer_id", "employers.csv", "\n2,", "\n7,", "row 2 of employers has employer_id 7"},
		{"unknown employer", "tables of two populations", "accounts.csv", "\n1,2012,", "\n9999,2012,", "which employers lacks"},
		{"unknown year", "tables of two windows", "accounts.csv", "\n1,2012,", "\n1,2003,", "year 2003, want 2012..2013"},
		{"unknown level", "another codebook", "jobs.csv", ",L08,", ",L99,", "L99"},
		{"missing column", "an export that lost it", "jobs.csv", ",wage,", ",pay,", "wage"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "pop")
			if err := p.Write(ctx, dir, WriteOptions{Format: "csv"}, nil); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, c.file)
			b, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(b), c.old) {
				t.Fatalf("%s lacks %q (%v)", c.file, c.old, err)
			}
			if err := os.WriteFile(path, []byte(strings.Replace(string(b), c.old, c.new, 1)), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(ctx, dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: error %v, want one with %q", c.why, err, c.want)
			}
		})
	}
	dir := filepath.Join(t.TempDir(), "pop")
	if err := p.Write(ctx, dir, WriteOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "jobs.parquet")); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(ctx, dir); err == nil || !strings.Contains(err.Error(), "has no jobs.parquet") {
		t.Errorf("a folder without jobs: error %v, want one that names the file", err)
	}
}

func TestLinked(t *testing.T) {
	p := need(t)
	d, err := p.Linked()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	if !d.Simulated || !d.Periods || d.SampledWithin {
		t.Errorf("simulated %v, periods %v, sampled within %v: want true, true, false", d.Simulated, d.Periods, d.SampledWithin)
	}
	years := p.Options.To - p.Options.From + 1
	if got, want := d.Firms.Rows(), d.Employers()*years; got != want {
		t.Errorf("%d rows of firms, want %d employers x %d years", got, d.Employers(), years)
	}
	if share := float64(d.Employers()) / float64(p.Employers.Rows()); share < .9 || share >= 1 {
		t.Errorf("%.3f of the employers are selected, want most but not all", share)
	}
	// Every job lies in a year that is present with staff or without accounts.
	present, label := d.Firms.Col(linked.Present).I, linked.PresentDict
	size := d.Firms.Col(linked.SizeClass).I
	employer, year := d.Jobs.Col(linked.Employer).I, d.Jobs.Col(linked.Year).I
	jobs := make([]int, len(present))
	for i := range employer {
		jobs[int(employer[i])*years+int(year[i])-p.Options.From]++
	}
	filed := make([]bool, len(present))
	for i, e := range d.Accounts.Col(linked.Employer).I {
		filed[int(e)*years+int(d.Accounts.Col(linked.Year).I[i])-p.Options.From] = true
	}
	seen := map[string]int{}
	for k, c := range present {
		seen[label.Label(c)]++
		switch l := label.Label(c); {
		case (l == "staff" || l == "no accounts") != (jobs[k] > 0):
			t.Fatalf("firm row %d is %q with %d jobs", k, l, jobs[k])
		case jobs[k] > 0 && filed[k] != (l == "staff"):
			t.Fatalf("firm row %d is %q, accounts filed %v", k, l, filed[k])
		case size[k] != frame.NoCode && jobs[k] == 0:
			t.Fatalf("firm row %d has size class %d without jobs", k, size[k])
		}
	}
	for _, l := range label.Labels() {
		if seen[l] == 0 {
			t.Errorf("no firm row is %q", l)
		}
	}
	groups := map[int32]int{}
	for _, g := range d.Firms.Col(linked.Group).I {
		groups[g]++
	}
	if len(groups) != 3 {
		t.Errorf("groups %v, want all three", groups)
	}
}

func TestGenerateStopsWhenAsked(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Generate(ctx, Options{Employers: 100}, nil); err == nil {
		t.Error("no error from a context that was cancelled")
	}
}

// Sides are those of a network small enough to derive by hand: employers 1 to 3
// sell; 4 automates, 5 and 6 do not.
func TestDeriveSides(t *testing.T) {
	accounts := func() *frame.Frame {
		var id, year []int32
		var tangible []int64
		for e := int32(1); e <= 6; e++ {
			for y := int32(2010); y < 2015; y++ {
				id, year = append(id, e), append(year, y)
				x := int64(100)
				if e == 4 && y == 2012 {
					x = 1000
				}
				tangible = append(tangible, x)
			}
		}
		return frame.Must(frame.Ints("employer_id", id), frame.Ints("year", year), frame.Longs("tangible_investment", tangible))
	}()
	suppliers := frame.Must(
		frame.Ints("supplier_id", []int32{1, 2, 2, 3, 3}),
		frame.Ints("customer_id", []int32{4, 4, 5, 4, 6}),
		frame.Ints("year", []int32{2010, 2010, 2010, 2010, 2010}),
		frame.Longs("amount", []int64{50, 10, 90, 9, 91}),
	)
	d := deriveSides(6, accounts, suppliers, .1)
	var got []string
	for i := range 6 {
		got = append(got, linked.GroupDict.Label(d.group[i])+" "+RoleDict.Label(d.role[i]))
	}
	want := []string{
		"intervention supplier",   // sells to the automating employer alone
		"both supplier",           // a tenth of its sales go there, the rest elsewhere
		"control other",           // less than a tenth does
		"intervention automating", // whatever it sells
		"control other",
		"control other",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if d.event[3] != 2012 || d.share[2] != .09 {
		t.Errorf("event %d, share %v: want 2012 and .09", d.event[3], d.share[2])
	}
}

func BenchmarkGenerate(b *testing.B) {
	for _, n := range []int{1000, 5000, 20000} {
		b.Run("employers="+strconv.Itoa(n)+"/years=10", func(b *testing.B) {
			rows := 0
			for b.Loop() {
				p, err := Generate(context.Background(), Options{Employers: n, From: 2012, To: 2021, Seed: 1}, nil)
				if err != nil {
					b.Fatal(err)
				}
				rows = p.Jobs.Rows()
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(rows), "rows")
		})
	}
}

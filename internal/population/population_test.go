package population

import (
	"context"
	"math"
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

package population

import (
	"context"
	"math"
	"testing"

	"scramblelab/internal/calibration"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// planted draws the employers of a world without their staff.
func planted(world string, seed uint64) *skeleton {
	s := newSkeleton(Options{Employers: 20000, From: 2004, To: 2018, World: world, Seed: seed}.Normal())
	s.drawEmployers()
	s.drawEvents()
	s.plantHeads()
	return s
}

// did is the mean over automating employers of the change of log head count
// from the year before the event to k years after it, less that of employers
// without an event of the same size class in the base year, and its standard
// error.
func (s *skeleton) did(k int) (effect, se float64, n int) {
	type key struct{ base, class int }
	sum, count := map[key]float64{}, map[key]float64{}
	change := func(e *employer, base int) (float64, key, bool) {
		a, b := e.count(base), e.count(base+1+k)
		if a == 0 || b == 0 {
			return 0, key{}, false
		}
		return math.Log(float64(b) / float64(a)), key{base, int(linked.SizeCode(int32(a)))}, true
	}
	for i := range s.employers {
		e := &s.employers[i]
		if e.event != 0 {
			continue
		}
		for base := s.o.From; base <= s.o.To; base++ {
			if d, at, ok := change(e, base); ok {
				sum[at] += d
				count[at]++
			}
		}
	}
	var xs []float64
	for i := range s.employers {
		e := &s.employers[i]
		if e.event == 0 {
			continue
		}
		if d, at, ok := change(e, int(e.event)-1); ok && count[at] > 0 {
			xs = append(xs, d-sum[at]/count[at])
			effect += d - sum[at]/count[at]
		}
	}
	effect /= float64(len(xs))
	for _, x := range xs {
		se += (x - effect) * (x - effect)
	}
	return effect, math.Sqrt(se) / float64(len(xs)), len(xs)
}

func TestDifferenceInDifferences(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a large population")
	}
	cases := []struct {
		world, why string
		k          int
		want       float64
	}{
		{"productivity", "the planted growth shows four years on", 4, .09},
		{"displacement", "so does the planted decline", 4, -.05},
		{"null", "nothing was planted", 4, 0},
		{"productivity", "nothing is planted before the event", -4, 0},
		{"pretrend", "three years of .005 lie between k = -4 and the base year", -4, -.015},
	}
	for _, c := range cases {
		t.Run(c.world, func(t *testing.T) {
			e, se, n := planted(c.world, 3).did(c.k)
			t.Logf("k=%d: %.4f (%.4f), planted %.3f, %d employers", c.k, e, se, c.want, n)
			// 3.29 standard errors: one false alarm in a thousand, per case.
			if math.Abs(e-c.want) > 3.29*se {
				t.Errorf("%s: %s: effect at k=%d is %.4f (se %.4f), want %.3f", c.world, c.why, c.k, e, se, c.want)
			}
			if c.world == "productivity" && c.k == 4 && e < 3.29*se {
				t.Errorf("%s: effect %.4f (se %.4f) is not told from nothing", c.world, e, se)
			}
		})
	}
}

// The computed effect without spillovers is the planted one, up to rounding and
// the floor of one head; with spillovers it is more than that.
func TestHeadCountEffectIsTheOnePlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a large population")
	}
	for _, world := range []string{"productivity", "displacement", "null", "pretrend"} {
		h, err := DrawHeadCounts(context.Background(), Options{Employers: 20000, From: 2004, To: 2018, World: world, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		planted := worldOf(calibration.Belgium(), world).HeadCount
		apart := false
		for _, c := range h.Truth.Effects {
			if c.Group != groupAutomating || c.Form != "ratio" || c.Through > lastComputed {
				continue
			}
			want := 0.0
			if c.From >= 0 {
				want = math.Expm1(planted[min(c.From, 4)])
			}
			if c.Spillovers == "with" {
				apart = apart || math.Abs(c.Value-want) > .003
			} else if math.Abs(c.Value-want) > .003 {
				t.Errorf("%s: ratio of head counts at event time %d less 1 is %.4f, want %.4f within .003", world, c.From, c.Value, want)
			}
		}
		if apart != (world != "null") {
			t.Errorf("%s: spillovers move the effects: %v, want %v", world, apart, world != "null")
		}
	}
}

// The same skeleton emitted in two worlds differs in wages alone, and there by
// what was planted.
func TestWageEffectIsTheOnePlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a large population")
	}
	ctx := context.Background()
	s := newSkeleton(Options{Employers: 3000, From: 2008, To: 2018, World: "null", Suppliers: "none", Seed: 2}.Normal())
	s.drawEmployers()
	s.drawEvents()
	s.plantHeads()
	if err := s.drawStaff(ctx, nil); err != nil {
		t.Fatal(err)
	}
	var null, got Population
	if err := s.emit(ctx, &null, nil); err != nil {
		t.Fatal(err)
	}
	s.world = worldOf(s.c, "productivity")
	if err := s.emit(ctx, &got, nil); err != nil {
		t.Fatal(err)
	}
	a, b := null.Jobs.Col("wage").I, got.Jobs.Col("wage").I
	fteA, fteB := null.Jobs.Col("fte").I, got.Jobs.Col("fte").I
	employer, year, level := got.Jobs.Col("employer_id").I, got.Jobs.Col("year").I, got.Jobs.Col("level").I
	var sum, count [2][5]float64
	for i := range a {
		k, ok := at(int(year[i]), int(s.employers[employer[i]-1].event))
		if !ok {
			if a[i] != b[i] {
				t.Fatalf("row %d: wage changed from %d to %d without an event", i, a[i], b[i])
			}
			continue
		}
		if a[i] < 25000 || fteA[i] != fteB[i] { // rounding, and the minimum wage
			continue
		}
		m := 0
		switch s.c.Levels[level[i]].Group {
		case calibration.GroupMaster:
			m = 1
		case calibration.GroupBachelor, calibration.GroupUnknown: // may be masters the register does not know yet
			continue
		}
		sum[m][k] += math.Log(float64(b[i]) / float64(a[i]) * float64(fteA[i]) / float64(fteB[i]))
		count[m][k]++
	}
	for m := range sum {
		for k := range sum[m] {
			want := s.world.Wage[k] + float64(m)*s.world.MasterWage[k]
			if got := sum[m][k] / count[m][k]; math.Abs(got-want) > 5e-4 {
				t.Errorf("master %d: log wage effect at event time %d is %.5f, want %.4f", m, k, got, want)
			}
		}
	}
}

// Composition moves the way it was planted: the stock of an automating
// employer leans towards graduates, against the same employers in the null
// world. Hires, and so the workers, differ between the worlds, so the
// comparison is statistical. Turnover lets through .12 of the .16 planted (mean
// over eight seeds), with a standard deviation of .024 over seeds: the tolerance
// of .08 is one false alarm in a thousand.
func TestCompositionLeans(t *testing.T) {
	if testing.Short() {
		t.Skip("draws two populations")
	}
	graduates := func(world string) float64 {
		p, err := Generate(context.Background(), Options{Employers: 6000, From: 2007, To: 2018, World: world, Suppliers: "none", Seed: 11}, nil)
		if err != nil {
			t.Fatal(err)
		}
		event, level, left := p.Employers.Col("automation_year").I, p.Jobs.Col("level").I, p.Jobs.Col("left").I
		year, employer := p.Jobs.Col("year").I, p.Jobs.Col("employer_id").I
		groups := calibration.Belgium().Levels
		var count [5]float64
		for i := range year {
			if e := event[employer[i]-1]; e != frame.NoInt && year[i] >= e+4 && left[i] == frame.NoInt {
				count[groups[level[i]].Group]++
			}
		}
		return math.Log((count[calibration.GroupBachelor] + count[calibration.GroupMaster]) / count[calibration.GroupLow])
	}
	got := graduates("productivity") - graduates("null")
	want := .12 // planted .14 + .02: L10-L15 against L01-L05, weighted
	t.Logf("log odds of graduates against the least educated: %.3f, usual %.2f", got, want)
	if math.Abs(got-want) > .08 {
		t.Errorf("log odds of graduates moved by %.3f, want %.2f within .08", got, want)
	}
}

// What is computed for suppliers and competitors is what was planted on them per
// unit of exposure, and nothing before the first event of a buyer or rival.
func TestSpilloverEffectsAreThosePlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a large population")
	}
	for _, name := range []string{"productivity", "displacement", "null"} {
		s, err := drawSkeleton(context.Background(), Options{Employers: 20000, From: 2004, To: 2018, World: name, Seed: 6}.Normal())
		if err != nil {
			t.Fatal(err)
		}
		w := worldOf(calibration.Belgium(), name)
		// Expected by event time, from the planted rows and the shares alone.
		expected := map[int]float64{}
		for _, c := range s.cohort(groupSupplier) {
			for y := s.o.From; y <= int(s.employers[c.id].last); y++ {
				if shares := s.exposureOf(c.id, y); shares != nil && y >= int(s.employers[c.id].first) {
					for k, x := range shares {
						expected[y-c.event] += w.Supplier[k] * x
					}
				}
			}
		}
		groups := map[string]int{}
		effects, err := s.headCountEffects(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range effects {
			if c.Form != "log" || c.Weighting != "employer" || c.Through > lastComputed || c.Spillovers != "buyers" && c.Spillovers != "rivals" {
				continue
			}
			groups[c.Group]++
			want := float64(w.Rival * *c.Exposure)
			if c.Group == groupSupplier {
				if want = expected[c.From] / float64(c.EmployerYears); c.From < 0 {
					want = 0
				}
			}
			if before := c.From < 0; before && (c.Value != 0 || *c.Exposure != 0) {
				t.Errorf("%s: %s at event time %d: effect %g at exposure %g, want none before the event", name, c.Group, c.From, c.Value, *c.Exposure)
			}
			// Whole heads and the floor of one keep the mean head count, not its log.
			if math.Abs(c.Value-want) > .003 {
				t.Errorf("%s: %s at event time %d: %.4f at exposure %.3f, want %.4f within .003", name, c.Group, c.From, c.Value, *c.Exposure, want)
			}
		}
		if groups[groupSupplier] != lastComputed-firstComputed+1 || groups[groupCompetitor] != lastComputed-firstComputed+1 {
			t.Errorf("%s: effects by event time: %v, want %d for suppliers and competitors", name, groups, lastComputed-firstComputed+1)
		}
	}
}

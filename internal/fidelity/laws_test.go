package fidelity

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/estimate"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
	"scramblelab/internal/sharedtest"
	"scramblelab/internal/swap"
)

// TestOverlapCase: the cases of Karr et al. reach the metric unchanged.
func TestOverlapCase(t *testing.T) {
	var c struct {
		Cases []struct {
			O, S     [2]float64
			Expected float64
		}
	}
	sharedtest.Case(t, "utility_ci_overlap_small", &c)
	s := &setting{Input: Input{Level: 0.95, Draws: 2}}
	for _, tt := range c.Cases {
		x := &term{name: "x", fragment: interval(tt.O), release: interval(tt.S), clusters: 9}
		x.drawnF, x.drawnR = []float64{x.fragment.Estimate, x.fragment.Estimate}, []float64{x.release.Estimate, x.release.Estimate}
		m := s.judge(modelNames{overlap: "fidelity.x.overlap", bias: "fidelity.x.bias-se"}, []*term{x}, "", "")[0]
		if math.Abs(float64(m.Value)-tt.Expected) > 1e-9 {
			t.Errorf("overlap of %v and %v is %v, want %v", tt.O, tt.S, m.Value, tt.Expected)
		}
		if m.Baseline != 1 {
			t.Errorf("resamples that are the fragment itself give a floor of %v, want 1", m.Baseline)
		}
	}
}

func interval(iv [2]float64) estimate.Coefficient {
	half := (iv[1] - iv[0]) / 2
	return estimate.Coefficient{Estimate: iv[0] + half, StdErr: half / 2, Low: iv[0], High: iv[1], P: 0.5}
}

// staff says how many workers of each level an employer has in each year.
type staff struct {
	event int32     // frame.NoInt: control
	years [][]int32 // by year from 2010, then level
}

// constructed is a panel of such employers, one wage and one field for all.
func constructed(tb testing.TB, levels int, employers []staff) *linked.Data {
	tb.Helper()
	names, labels := make([]string, len(employers)), make([]string, levels)
	for e := range names {
		names[e] = fmt.Sprintf("E%05d", e)
	}
	for l := range labels {
		labels[l] = fmt.Sprintf("L%d", l)
	}
	dict := frame.MustDict(names...)
	var employer, year, worker, level, wage, firm, firmYear, group, event []int32
	for e, s := range employers {
		for y, counts := range s.years {
			at := int32(2010 + y)
			for l, n := range counts {
				for range n {
					employer, year, level = append(employer, int32(e)), append(year, at), append(level, int32(l))
					worker, wage = append(worker, int32(len(worker))), append(wage, 20000+10000*int32(l))
				}
			}
			firm, firmYear, event = append(firm, int32(e)), append(firmYear, at), append(event, s.event)
			group = append(group, int32(indicator(s.event != frame.NoInt)))
		}
	}
	d := &linked.Data{Periods: true,
		Jobs: frame.Must(frame.Codes(linked.Employer, dict, employer), frame.Ints(linked.Year, year), frame.Ints(linked.Worker, worker),
			frame.Ordered(linked.Level, frame.MustDict(labels...), level), frame.Ints(linked.Wage, wage)),
		Firms: frame.Must(frame.Codes(linked.Employer, dict, firm), frame.Ints(linked.Year, firmYear),
			frame.Codes(linked.Group, linked.GroupDict, group), frame.Ints(linked.EventYear, event)),
	}
	if err := d.Validate(); err != nil {
		tb.Fatal(err)
	}
	return d
}

func published(tb testing.TB, d *linked.Data) *publish.Tables {
	tb.Helper()
	t, err := publish.Publish(context.Background(), d, nil, publish.Options{
		FirmColumns: []string{linked.Group, linked.EventYear}, Wage: classes(tb, publish.Spec{Width: 10000, From: 5000, Top: 105000})})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func (r *Result) effect(tb testing.TB, outcome string) Effect {
	tb.Helper()
	for _, e := range r.Effects {
		if e.Outcome == outcome {
			return e
		}
	}
	tb.Fatalf("no effect on %s", outcome)
	return Effect{}
}

// TestHandComputedDiD: two treated employers and two controls over two years.
// Staff of the low level as a share of the employer's mean head count:
//
//	treated  8 -> 4 of 10 and 12: 8/11 -> 4/11, -4/11
//	treated  6 -> 6 of 10 and 10: 0
//	control  5 -> 6 of 10 and 10: +1/10
//	control  4 -> 4 of 8 and 8: 0
//
// so the effect on low is (-4/11)/2 - (1/10)/2, on the head count
// ((12-10)/11)/2 - 0, and mean wages of 20,000 and 30,000 by level give the
// log points below. A supplier of the intervention group takes no part.
func TestHandComputedDiD(t *testing.T) {
	none := frame.NoInt
	d := constructed(t, 2, []staff{
		{2011, [][]int32{{8, 2}, {4, 8}}},
		{2011, [][]int32{{6, 4}, {6, 4}}},
		{none, [][]int32{{5, 5}, {6, 4}}},
		{none, [][]int32{{4, 4}, {4, 4}}},
		{none, [][]int32{{1, 90}, {90, 1}}}, // a supplier
	})
	group := append([]int32(nil), d.Firms.Col(linked.Group).I...)
	group[8], group[9] = 1, 1
	d.Firms = d.Firms.With(frame.Codes(linked.Group, linked.GroupDict, group))
	tables := published(t, d)
	r := measured(t, Input{Release: tables, Fragment: tables, Population: tables, Periods: true, Key: 1,
		Bands: []Band{{"low", []int32{0}}, {"high", []int32{1}}}})
	wage := func(low, high float64) float64 { return math.Log((20000*low + 30000*high) / (low + high)) }
	for _, tt := range []struct {
		outcome string
		want    float64
	}{
		{"head-count", 1.0 / 11},
		{"head-count-low", -2.0/11 - 0.05},
		{"head-count-high", 3.0/11 + 0.05},
		{"mean-wage", (wage(4, 8)-wage(8, 2))/2 - (wage(6, 4)-wage(5, 5))/2},
	} {
		e := r.effect(t, tt.outcome)
		for _, c := range []estimate.Coefficient{e.Fragment, e.Release, *e.Population} {
			if math.Abs(c.Estimate-tt.want) > 1e-9 {
				t.Errorf("effect on %s is %v, want %v", tt.outcome, c.Estimate, tt.want)
			}
		}
	}
	if e := r.effect(t, "head-count-low"); math.Abs(e.Share-134.0/260) > 1e-9 {
		t.Errorf("low has a share of %v, want 134 of 260", e.Share)
	}
}

// TestSlopesEqualFullFits: the short cuts that resamples take give the
// coefficients of the full models.
func TestSlopesEqualFullFits(t *testing.T) {
	w := small()
	s, err := newSetting(Input{Release: w.swapped(t, 0.2, 1), Fragment: w.fragment, Periods: true, Level: 0.95, Draws: 2, Key: 5})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	m := s.newWageModel()
	rows := m.rowsOf(s.fragment)
	full, _, err := m.fit(ctx, rows, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	fast, err := m.slopes(ctx, rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k := range full {
		if math.Abs(full[k].Estimate-fast[k].Estimate) > 1e-8 {
			t.Errorf("level %d: %v on cells, %v on means", k, full[k].Estimate, fast[k].Estimate)
		}
	}
	p := s.newPanel(s.fragment)
	var values [][]float64
	for _, o := range s.outcomes() {
		values = append(values, s.outcome(p, o))
	}
	values[1][3] = math.NaN() // a row that one outcome lacks
	slopes, err := p.slopes(ctx, s.draws[0], values)
	if err != nil {
		t.Fatal(err)
	}
	for i, u := range p.unit {
		p.weight[i] *= s.draws[0][u]
	}
	for k, y := range values {
		c, _, err := p.fit(ctx, y, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(c.Estimate-slopes[k]) > 1e-8 {
			t.Errorf("outcome %d: %v fitted, %v by Frisch and Waugh", k, c.Estimate, slopes[k])
		}
	}
}

// TestStructuralFact6SignFlip: employers that automate lose 2 % of their low
// skilled while they grow by 9 %; after a quarter of the jobs changed places
// the release says that they gained some. The shift, 0.6 % of the staff, is
// four times its sampling error; the key is fixed.
func TestStructuralFact6SignFlip(t *testing.T) {
	var employers []staff
	for e := range 300 {
		noise := int32(e%3 - 1) // or standard errors would be zero
		s := staff{frame.NoInt, [][]int32{{450, 50}, {450 + noise, 50}}}
		if e < 99 {
			s = staff{2011, [][]int32{{450, 50}, {441 + noise, 104}}} // low -0.02, total +0.09
		}
		employers = append(employers, s)
	}
	d := constructed(t, 2, employers)
	const rate = 0.25
	whole := published(t, d)
	r := measured(t, Input{Release: published(t, swapLevels(t, d, rate, 11)), Fragment: whole, Periods: true, Key: 1,
		Bands: []Band{{"low", []int32{0}}, {"high", []int32{1}}}, Swap: &SwapLaw{Rate: rate, Strata: []string{linked.Year}}})
	low, all := r.effect(t, "head-count-low"), r.effect(t, "head-count")
	t.Logf("low: true %+.4f, released %+.4f (%.4f), predicted %+.4f; total %+.4f", low.Fragment.Estimate, low.Release.Estimate, low.Release.StdErr, low.Predicted.Estimate, all.Release.Estimate)
	if !(low.Fragment.Estimate < 0 && low.Release.Estimate > 0 && low.Predicted.Estimate > 0) {
		t.Errorf("effect on the low skilled is %+.4f in truth, %+.4f released, %+.4f predicted: want a change of sign", low.Fragment.Estimate, low.Release.Estimate, low.Predicted.Estimate)
	}
	if math.Abs(low.Release.Estimate-low.Predicted.Estimate) > 4*low.Release.StdErr {
		t.Errorf("released %v, predicted %v: more than 4 standard errors (%v) apart", low.Release.Estimate, low.Predicted.Estimate, low.Release.StdErr)
	}
	if math.Abs(all.Release.Estimate-all.Fragment.Estimate) > 1e-9 {
		t.Errorf("total head count moved from %v to %v", all.Fragment.Estimate, all.Release.Estimate)
	}
	if m := r.get(t, "fidelity.did.bias-se"); m.By[0].Group != "outcome head-count" || m.By[1].Group != "outcome head-count-low" {
		t.Errorf("rows are %q and %q", m.By[0].Group, m.By[1].Group)
	}
}

// TestStructuralFact7MarginsAreExact: in a pool that is swapped as a whole the
// table of level x field, and with it every margin, is exact, while the cells
// are damaged. So no headline rests on margins.
func TestStructuralFact7MarginsAreExact(t *testing.T) {
	w := *tiny()
	w.options.CountOn = publish.CountAny // every job that was swapped is counted
	w.options.Weight = nil
	whole := w.publish(t, w.data, nil)
	joint := swapLevels(t, w.data, 0.5, 4)
	r := measured(t, Input{Release: w.publish(t, joint, nil), Fragment: whole, Periods: true, Key: 1, Draws: 4})
	if m := r.get(t, "fidelity.margins.level-field-tv"); m.Value != 0 {
		t.Errorf("the table of the pool moved by %v", m.Value)
	}
	if m := r.get(t, "fidelity.cells.share-exact"); !(m.High < 0.5) {
		t.Errorf("%v of the cells are exact: the test shows nothing", m.Value)
	}
	// One by one, the one-way margins stay exact although their table does not.
	o := swap.Options{Bundle: []string{linked.Level, linked.Field}, Rate: 0.5, Same: []string{linked.Year}}
	res, err := swap.Run(t.Context(), w.data.Jobs, o, rng.SecretFromSeed(4), 1)
	if err != nil {
		t.Fatal(err)
	}
	apart := *w.data
	apart.Jobs = res.Frame
	release := w.publish(t, &apart, nil)
	r = measured(t, Input{Release: release, Fragment: whole, Periods: true, Key: 1, Draws: 4})
	if m := r.get(t, "fidelity.margins.level-field-tv"); !(m.Value > 0.05) {
		t.Errorf("independent swaps move the table of the pool by %v only", m.Value)
	}
	for _, column := range []string{linked.Level, linked.Field} {
		if diff := cmp.Diff(margin(whole, column), margin(release, column)); diff != "" {
			t.Errorf("margin of %s (-truth +release)\n%s", column, diff)
		}
	}
}

func margin(t *publish.Tables, column string) map[int32]int {
	out := map[int32]int{}
	for i, c := range t.Cells.Col(column).I {
		out[c] += int(t.Cells.Col(publish.Workers).I[i])
	}
	return out
}

// TestSwapLawPredictsTheMean: over 20 keys the mean of the released effect on
// each band is that of the swap law, within four standard errors of that mean
// (Student's t of 19 degrees: a false alarm in about 1 of 400 runs with three
// bands and free seeds; they are fixed).
func TestSwapLawPredictsTheMean(t *testing.T) {
	if testing.Short() {
		t.Skip("20 scrambles of a generated population")
	}
	w := small()
	const keys, rate = 20, 0.3
	values := map[string][]float64{}
	var last *Result
	for k := range uint64(keys) {
		in := w.input(w.swapped(t, rate, 100+k))
		in.Draws, in.Swap, in.Only = 2, &SwapLaw{Rate: rate, Strata: []string{linked.Year}}, []string{"difference-in-differences"}
		last = measured(t, in)
		for _, e := range last.Effects {
			if e.Predicted != nil {
				values[e.Outcome] = append(values[e.Outcome], e.Release.Estimate)
			}
		}
	}
	for _, band := range []string{"low", "mid", "high"} {
		e := last.effect(t, "head-count-"+band)
		x := values[e.Outcome]
		mean, sd := spread(len(x), func(i int) float64 { return x[i] })
		se := sd / math.Sqrt(keys)
		t.Logf("%s: fragment %+.4f, law %+.4f, mean of %d keys %+.4f (%.4f)", band, e.Fragment.Estimate, e.Predicted.Estimate, len(x), mean, se)
		if len(x) != keys || math.Abs(mean-e.Predicted.Estimate) > 4*se {
			t.Errorf("%s: mean of %d keys is %v, the law says %v, four standard errors are %v", band, len(x), mean, e.Predicted.Estimate, 4*se)
		}
	}
}

// TestFloorIsWhatAnotherFragmentShows: the distance between two fragments that
// share no employer is of the order of the floor. Theory says the root of two
// times, for both are drawn; a few large employers, whom resamples of one
// fragment cannot exchange for others, make it nearer to two.
func TestFloorIsWhatAnotherFragmentShows(t *testing.T) {
	if testing.Short() {
		t.Skip("twelve pairs of fragments of another population")
	}
	w := *newWorld(t, 1200, 2)
	w.options.Weight = nil
	const parts = 4
	type pair struct{ other, floor float64 }
	got := map[string]*pair{}
	for k := range 12 {
		of := make([][]int32, parts)
		draw := rng.Sim(k).Stream(99, 0)
		for e := range int32(w.data.Employers()) {
			p := draw.IntN(parts)
			of[p] = append(of[p], e)
		}
		a, b := w.publish(t, w.data, of[0]), w.publish(t, w.data, of[1])
		r := measured(t, Input{Release: a, Fragment: a, Population: b, Periods: true, Key: rng.Sim(k),
			Only: []string{"margins and wages", "wage regression", "difference-in-differences"}})
		for _, m := range r.Metrics {
			if m.M > 0 && m.Value.Valid() {
				if got[m.Name] == nil {
					got[m.Name] = &pair{}
				}
				got[m.Name].other += float64(m.Value) / 12
				got[m.Name].floor += float64(m.Baseline) / 12
			}
		}
	}
	for _, n := range []string{"fidelity.fragment.level-field-tv", "fidelity.fragment.level-field-error", "fidelity.fragment.wage-bias-se", "fidelity.fragment.did-bias-se"} {
		p := got[n]
		t.Logf("%-36s another fragment %.3f, floor %.3f, ratio %.2f", n, p.other, p.floor, p.other/p.floor)
		if q := p.other / p.floor; !(q > 0.7 && q < 3) {
			t.Errorf("%s: another fragment shows %v, the floor says %v", n, p.other, p.floor)
		}
	}
}

// TestDeterminism: every bit is the same at any number of processors.
func TestDeterminism(t *testing.T) {
	w := small()
	in := w.input(w.swapped(t, 0.2, 1))
	in.Draws, in.Swap = 6, &SwapLaw{Rate: 0.2, Strata: []string{linked.Year}}
	type output struct {
		Metrics []metric.Metric
		Tables  []metric.Table
		Effects string
	}
	var want string
	for _, procs := range []int{1, 2, 8} {
		before := runtime.GOMAXPROCS(procs)
		r := measured(t, in)
		runtime.GOMAXPROCS(before)
		effects := ""
		for _, e := range r.Effects {
			effects += fmt.Sprintf("%s %v %v %v %v\n", e.Outcome, e.Fragment, e.Release, *e.Population, e.Share)
			if e.Predicted != nil {
				effects += fmt.Sprint(*e.Predicted, "\n")
			}
		}
		b, err := json.Marshal(output{r.Metrics, r.Tables, effects})
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(b)
		} else if diff := cmp.Diff(want, string(b)); diff != "" {
			t.Errorf("GOMAXPROCS %d (-1 +%d)\n%s", procs, procs, diff)
		}
	}
}

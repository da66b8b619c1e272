package swap

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
	"scramblelab/internal/sharedtest"
)

// flat is a frame of one period in which every row is a worker.
func flat(employers int, cols ...frame.Column) *frame.Frame {
	n := cols[0].Len()
	names := make([]string, employers)
	for i := range names {
		names[i] = fmt.Sprintf("E%05d", i)
	}
	employer, worker := make([]int32, n), make([]int32, n)
	for i := range n {
		employer[i], worker[i] = int32(i*employers/n), int32(i)
	}
	return frame.Must(append([]frame.Column{frame.Codes(linked.Employer, frame.MustDict(names...), employer),
		frame.Ints(linked.Year, make([]int32, n)), frame.Ints(linked.Worker, worker)}, cols...)...)
}

func uniform(stream uint64, n, below int) []int32 {
	s, v := rng.Sim(3).Stream(1, stream), make([]int32, n)
	for i := range v {
		v[i] = int32(s.IntN(below))
	}
	return v
}

func TestRankSwapReach(t *testing.T) {
	n := 1000
	f := flat(10, frame.Ints(linked.Wage, rng.Sample(rng.Sim(1).Stream(1, 1), Identity(n), n))) // distinct: the value is the rank
	tests := []struct {
		name, why     string
		o             Options
		reach         int // 0: none
		least         float64
		within, below float64 // of the mean absolute displacement
	}{
		{"uniform", "no rank moves further than the window", Options{Window: 0.05}, 50, 0.98, 20, 30},
		{"nobody near", "a window of less than a rank holds nobody", Options{Window: 0.0009}, 0, 0, 0, 0.001},
		{"across", "colleagues are no partners", Options{Window: 0.05, Scope: AcrossEmployers}, 50, 0.9, 15, 30},
		{"distribution", "|N(w/2, w/2)| has mean 1.17 times w/2 and no bound", Options{Window: 0.05, Law: Distribution}, 0, 0.98, 20, 40},
		{"buckets", "20 buckets of 50 ranks, mostly the own one or the next", Options{Window: 0.05, Law: Buckets}, 0, 0.98, 20, 90},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Method, tt.o.Bundle, tt.o.Rate = RankSwap, []string{linked.Wage}, 1
			r := must(t, f, tt.o)
			was, now := f.Col(linked.Wage).I, r.Frame.Col(linked.Wage).I
			most, sum := 0, 0.0
			for i := range was {
				d := int(math.Abs(float64(was[i] - now[i])))
				most, sum = max(most, d), sum+float64(d)
			}
			if tt.reach > 0 && most > tt.reach {
				t.Errorf("a rank moved by %d, want at most %d: %s", most, tt.reach, tt.why)
			}
			if got := r.Report.Pairings[0].TouchedShare(); got < tt.least {
				t.Errorf("touched %.3f, want at least %.3f", got, tt.least)
			}
			if mean := sum / float64(n); mean < tt.within || mean > tt.below {
				t.Errorf("mean displacement %.1f, want %v to %v: %s", mean, tt.within, tt.below, tt.why)
			}
		})
	}
}

// For uniform ranks the correlation of original and swapped values is about
// 1-2p² (METHODS 1.3), a little less because near ranks are taken first.
func TestRankSwapCorrelation(t *testing.T) {
	n := 20000
	f := flat(10, frame.Ints(linked.Wage, rng.Sample(rng.Sim(1).Stream(1, 1), Identity(n), n)))
	for _, p := range []float64{0.02, 0.05, 0.1} {
		r := must(t, f, Options{Method: RankSwap, Bundle: []string{linked.Wage}, Rate: 1, Window: p})
		got, want := correlation(f.Col(linked.Wage), r.Frame.Col(linked.Wage)), 1-2*p*p
		if math.Abs((1-got)/(1-want)-1) > 0.25 {
			t.Errorf("window %v: correlation %.5f, want about %.5f", p, got, want)
		}
	}
}

func correlation(a, b frame.Column) float64 {
	var sa, sb, saa, sbb, sab float64
	n := float64(a.Len())
	for i := range a.Len() {
		x, y := a.Value(i), b.Value(i)
		sa, sb, saa, sbb, sab = sa+x, sb+y, saa+float64(x*x), sbb+float64(y*y), sab+float64(x*y)
	}
	return (sab - sa*sb/n) / math.Sqrt((saa-sa*sa/n)*(sbb-sb*sb/n))
}

// The example of the handbook is a rank swap by the checks that its text names.
func TestRankSwapHandbook(t *testing.T) {
	var c struct {
		Input    struct{ Original, Masked [][]any }
		Expected struct {
			Allowed int `json:"allowed"`
		}
	}
	sharedtest.Case(t, "swap_rank_handbook_example", &c)
	for col := 2; col < 4; col++ {
		var was, now []float64
		for i := range c.Input.Original {
			was, now = append(was, c.Input.Original[i][col].(float64)), append(now, c.Input.Masked[i][col].(float64))
		}
		if d := cmp.Diff(slices.Sorted(slices.Values(was)), slices.Sorted(slices.Values(now))); d != "" {
			t.Errorf("column %d lost its multiset (-want +got):\n%s", col, d)
		}
		sorted := slices.Sorted(slices.Values(was))
		for i := range was {
			// A tie may stand at any of its ranks.
			least := len(was)
			for a, x := range sorted {
				for b, y := range sorted {
					if x == was[i] && y == now[i] {
						least = min(least, max(a-b, b-a))
					}
				}
			}
			if least > c.Expected.Allowed {
				t.Errorf("column %d, row %d: moved by %d ranks, want at most %d", col, i, least, c.Expected.Allowed)
			}
		}
	}
}

func TestTargetedRiskLevels(t *testing.T) {
	var c struct {
		Input    struct{ Rows [][]int32 }
		Expected struct {
			Risk     [][]float64 `json:"risk_by_level_then_person"`
			LevelsK2 []int       `json:"levels_k2"`
			LevelsK3 []int       `json:"levels_k3"`
		}
	}
	sharedtest.Case(t, "swap_trs_risk_levels", &c)
	cols := make([][]int32, 6)
	for _, row := range c.Input.Rows {
		for k, v := range row {
			cols[k] = append(cols[k], v)
		}
	}
	n := len(c.Input.Rows)
	// Households are person-years of several jobs, whose employers differ.
	f := frame.Must(frame.Ints(linked.Employer, Identity(n)), frame.Ints(linked.Year, make([]int32, n)), frame.Ints(linked.Worker, cols[2]),
		frame.Ints("nuts1", cols[0]), frame.Ints("nuts2", cols[1]), frame.Ints("age", cols[4]), frame.Ints("nat", cols[5]))
	for k, want := range map[int][]int{2: c.Expected.LevelsK2, 3: c.Expected.LevelsK3} {
		o := Options{Method: TargetedSwap, Unit: PersonYear, Bundle: []string{"nuts1", "nuts2"}, Joint: true, Rate: 1,
			Hierarchy: []string{"nuts1", "nuts2"}, Risk: []string{"age", "nat"}, K: k}
		e, err := newEngine(t.Context(), f, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := prepareTargeted(t.Context(), e, nil); err != nil {
			t.Fatal(err)
		}
		tt := e.targeted
		got := make([]int, n)
		for u := range int32(e.units.n) {
			rows := e.units.of(u)
			g := &stratum{members: []int32{u}, first: rows[:1]}
			level := 0
			for level < 2 && tt.countOf(level, g, 0) >= int32(k) {
				level++
			}
			for _, r := range rows {
				got[r] = level
				for h := range o.Hierarchy {
					if risk := 1 / float64(tt.countOf(h, g, 0)); math.Abs(risk-c.Expected.Risk[r][h]) > 1e-9 {
						t.Errorf("k %d, person %d, level %d: risk %v, want %v", k, r, h, risk, c.Expected.Risk[r][h])
					}
				}
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("k %d: required levels (-want +got):\n%s", k, d)
		}
	}
}

// TestCountsWithoutTable: counts are the same where the table would be too
// large, and the risk left is the same where it is counted anew.
func TestCountsWithoutTable(t *testing.T) {
	n := 3000
	f := frame.Must(frame.Ints(linked.Employer, Identity(n)), frame.Ints(linked.Year, make([]int32, n)), frame.Ints(linked.Worker, Identity(n)),
		frame.Ints("a", uniform(1, n, 7)), frame.Ints("b", uniform(2, n, 40)), frame.Ints("age", uniform(3, n, 30)))
	o := Options{Method: TargetedSwap, Bundle: []string{"a", "b"}, Joint: true, Rate: 0.1, Hierarchy: []string{"a", "b"}, Risk: []string{"age"}, K: 3}
	for _, bundle := range [][]string{{"a", "b"}, {"age"}, {"b"}, {"a", "b", "age"}} {
		o.Bundle = bundle
		res, err := Run(t.Context(), f, o, seed, 1)
		if err != nil {
			t.Fatal(err)
		}
		a, err1 := encode(t.Context(), []*frame.Frame{res.Frame}, []string{"a", "b"})
		b, err2 := encode(t.Context(), []*frame.Frame{res.Frame}, []string{"age"})
		_, full, err3 := countsOf(t.Context(), a, b, 1<<30)
		dense := make([]int32, n)
		for i := range dense {
			dense[i] = full[a.codes[i]*uint32(b.k)+b.codes[i]]
		}
		sparse, table, err4 := countsOf(t.Context(), a, b, 0)
		if err := errors.Join(err1, err2, err3, err4); err != nil || table != nil {
			t.Fatal(err, table)
		}
		if d := cmp.Diff(dense, sparse); d != "" {
			t.Errorf("%q (-table +sorted):\n%s", bundle, d)
		}
		left := int64(0)
		for _, c := range dense {
			if c < 3 {
				left++
			}
		}
		if got := res.Report.Pairings[0].AtRiskLeft; got != left {
			t.Errorf("%q: %d at risk after the swap, counted %d", bundle, got, left)
		}
	}
}

func TestTargetedSwap(t *testing.T) {
	n := 6000
	region, sector := make([]int32, n), make([]int32, n)
	for i := range region {
		region[i], sector[i] = int32(i*8/n), int32(i*40/n)
	}
	f := flat(200, frame.Ints("place", region), frame.Ints("district", sector), frame.Ints(linked.Age, uniform(1, n, 30)),
		frame.Ints("trade", uniform(2, n, 4)), frame.Ints("size", uniform(3, n, 3)))
	base := Options{Method: TargetedSwap, Bundle: []string{"trade"}, Rate: 0.05, Hierarchy: []string{"place", "district"},
		Risk: []string{linked.Age, "trade"}, K: 2, Profiles: [][]string{{"size", linked.Age}, {"size"}}}
	k, rate, none, lone := base, base, base, base
	rate.Priority, none.K, none.Risk, lone.Profiles = RateWins, 2, []string{"size"}, [][]string{{linked.Worker}}
	tests := []struct {
		name, why   string
		o           Options
		least, most float64
	}{
		{"k wins", "everybody at risk is swapped, whatever the rate", k, 0.3, 1},
		{"rate wins", "the rate is kept, the riskiest first", rate, 0.0499, 0.0501},
		{"nobody at risk", "units are drawn up to the rate", none, 0.0499, 0.0501},
		{"no partner", "a profile that nobody shares leaves all in place, and does not hang", lone, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := must(t, f, tt.o)
			p := r.Report.Pairings[0]
			if got := p.TouchedShare(); got < tt.least || got > tt.most {
				t.Errorf("touched %.4f, want %v to %v: %s", got, tt.least, tt.most, tt.why)
			}
			for i, j := range r.Pairings[0].Perm {
				if int32(i) != j && f.Col("district").I[i] == f.Col("district").I[j] {
					t.Fatalf("rows %d and %d lie in one district", i, j)
				}
			}
			if tt.o.Priority == KWins && tt.name == "k wins" && (p.AtRisk == 0 || p.AtRiskLeft == 0) {
				t.Errorf("at risk %d before and %d after: it was not measured", p.AtRisk, p.AtRiskLeft)
			}
		})
	}
}

// Donors are drawn in proportion to risk: with two classes of units, of risk
// 1/2 and 1/4, the first kind is drawn about twice as often.
func TestSeedsFollowRisk(t *testing.T) {
	n := 12000
	risk := make([]int32, n)
	for i := range risk {
		if i%2 == 0 {
			risk[i] = int32(i / 4) // pairs
		} else {
			risk[i] = int32(100000 + i/8) // fours
		}
	}
	f := flat(2, frame.Ints("r", risk), frame.Ints("v", uniform(1, n, 1000)))
	r := must(t, f, Options{Method: TargetedSwap, Bundle: []string{"v"}, Rate: 0.02, Hierarchy: []string{linked.Employer}, Risk: []string{"r"}, K: 2, Same: []string{linked.Year}})
	touched := [2]int{}
	for i, j := range r.Pairings[0].Perm {
		if int32(i) != j {
			touched[i%2]++
		}
	}
	if ratio := float64(touched[0]) / float64(touched[1]); ratio < 1.4 || ratio > 2.8 { // 240 units: standard error .28
		t.Errorf("units at twice the risk are touched %.2f times as often (%v), want about 2", ratio, touched)
	}
}

func TestNearestSwap(t *testing.T) {
	n := 800
	f := flat(40, frame.Ints(linked.Wage, uniform(1, n, 50)), frame.Ints(linked.Age, uniform(2, n, 100)), frame.Codes(linked.Sex, sexDict, uniform(3, n, 2)))
	o := Options{Method: NearestSwap, Bundle: []string{linked.Wage}, Rate: 0.3, Near: []string{linked.Age, linked.Sex}, Caliper: 0.02, MinDifference: 10, Scope: AcrossEmployers}
	r := must(t, f, o)
	if r.Report.Pairings[0].Touched < 100 {
		t.Errorf("%d units touched, want most of 240", r.Report.Pairings[0].Touched)
	}
	for i, j := range r.Pairings[0].Perm {
		if int32(i) == j {
			continue
		}
		age := f.Col(linked.Age).I
		if d := math.Abs(float64(age[i]-age[j])) / 99 / 2; d > 0.02+1e-6 || f.Col(linked.Sex).I[i] != f.Col(linked.Sex).I[j] {
			t.Fatalf("rows %d and %d are no neighbours: distance %.3f", i, j, d)
		}
		if d := f.Col(linked.Wage).I[i] - f.Col(linked.Wage).I[j]; d > -10 && d < 10 {
			t.Fatalf("rows %d and %d differ by %d only", i, j, d)
		}
	}
}

// The tree finds what a search of all units finds.
func TestNearestIsNearest(t *testing.T) {
	n := 500
	at := [][]float32{make([]float32, n), make([]float32, n)}
	s := rng.Sim(1).Stream(1, 5)
	for i := range n {
		at[0][i], at[1][i] = float32(s.Float64()), float32(s.IntN(3))
	}
	g := &stratum{}
	g.reset(Identity(n), Identity(n))
	tree := newTree(g, at, rng.Sample(s, Identity(n), n))
	for u := range int32(n) {
		if tree.gone[u] {
			continue
		}
		tree.remove(u)
		fits := func(v int32) bool { return v%3 != u%3 }
		least := float32(math.Inf(1))
		for v := range int32(n) {
			if !tree.gone[v] && fits(v) {
				least = min(least, abs32(at[0][u]-at[0][v])+min(1, abs32(at[1][u]-at[1][v])))
			}
		}
		v := tree.nearest(u, float32(math.Inf(1)), fits)
		if v < 0 {
			if !math.IsInf(float64(least), 1) {
				t.Fatalf("unit %d: nobody found, nearest at %v", u, least)
			}
			continue
		}
		if got := abs32(at[0][u]-at[0][v]) + min(1, abs32(at[1][u]-at[1][v])); got != least {
			t.Fatalf("unit %d: found one at %v, nearest is at %v", u, got, least)
		}
		tree.remove(v)
	}
}

// A conditional shuffle keeps the rank correlation with the columns given and
// inside the bundle, and forgets everything else about a value.
func TestConditionalShuffleKeepsCorrelation(t *testing.T) {
	n := 20000
	s := rng.Sim(1).Stream(1, 9)
	age, wage, bonus, secret := make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range n {
		z := s.Normal()
		hidden := s.Normal()
		age[i] = int32(40 + 10*z)
		wage[i] = int32(1e5 * math.Exp(.3*z+.3*hidden))
		bonus[i] = int32(1e4 * math.Exp(.4*z+.2*hidden+.3*s.Normal()))
		secret[i] = int32(1e6 * hidden)
	}
	f := flat(10, frame.Ints(linked.Age, age), frame.Ints(linked.Wage, wage), frame.Ints("bonus", bonus), frame.Ints("secret", secret))
	r := must(t, f, Options{Method: ConditionalShuffle, Bundle: []string{linked.Wage, "bonus"}, Rate: 1, Given: []string{linked.Age}})
	rank := func(c frame.Column) frame.Column {
		v := order(c)
		out, at := make([]int32, n), sortedPositions(v)
		for k, i := range at {
			out[i] = int32(k)
		}
		return frame.Ints("rank", out)
	}
	spearman := func(g *frame.Frame, a, b string) float64 { return correlation(rank(g.Col(a)), rank(g.Col(b))) }
	for _, p := range [][2]string{{linked.Wage, linked.Age}, {"bonus", linked.Age}, {linked.Wage, "bonus"}} {
		if was, now := spearman(f, p[0], p[1]), spearman(r.Frame, p[0], p[1]); math.Abs(was-now) > 0.03 {
			t.Errorf("rank correlation of %v was %.3f, is %.3f", p, was, now)
		}
	}
	if now := spearman(r.Frame, linked.Wage, "secret"); math.Abs(now) > 0.03 {
		t.Errorf("the shuffled wage still knows what only the true one did: correlation %.3f", now)
	}
}

func TestFixMissing(t *testing.T) {
	f := flat(2, frame.Codes(linked.Level, levelDict, []int32{0, -1, 2, 3, -1, 1}))
	r := must(t, f, Options{Bundle: []string{linked.Level}, Rate: 1, FixMissing: true})
	for _, i := range []int{1, 4} {
		if r.Pairings[0].Perm[i] != int32(i) {
			t.Errorf("row %d has no value and moved", i)
		}
	}
	if got := r.Report.Pairings[0].Without(MissingValue); got != 2 {
		t.Errorf("%d units reported missing, want 2", got)
	}
}

// Spells take each other's place as a whole: in every year in which both are
// there, donor and receiver are the same.
func TestSpells(t *testing.T) {
	f := population(3, 60, 5, 20)
	r := must(t, f, Options{Unit: Spell, Bundle: []string{linked.Level, linked.Field}, Joint: true, Rate: 0.5, Same: []string{linked.Group}})
	p := r.Report.Pairings[0]
	if p.TouchedShare() < 0.4 || p.TouchedShare() > 0.6 {
		t.Errorf("touched %.2f of the spells, want about half", p.TouchedShare())
	}
}

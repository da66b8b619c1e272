package attack

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/infer"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// tail is the chance of at least h successes among n with chance p each.
func tail(h, n int, p float64) float64 {
	sum, term := 0.0, math.Pow(1-p, float64(n))
	for k := range h {
		sum += term
		term *= float64(n-k) / float64(k+1) * p / (1 - p)
	}
	return max(0, 1-sum)
}

// The null release of METHODS 2: a fragment of an independent population behind
// the same public file. Every serial then names its own employer with chance
// 1/M, so that the p-value of a release's hits is stochastically at least
// uniform: among 200 populations no more than a share a of p-values is at most a.
// False alarm about 1e-4 for each of the five presets, two ways of claiming and
// four levels.
func TestNullRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("200 populations")
	}
	const worlds, m, n = 200, 60, 20
	low := map[string][]float64{}
	for seed := range rng.Sim(worlds) {
		d := world(1000+seed, m, 3)
		p, err := Derive(d, append(slices.Clone(derived), linked.Sector), 0.05, 5)
		if err != nil {
			t.Fatal(err)
		}
		r := released(t, world(5000+seed, m, 3), n, publish.Options{FirmColumns: []string{linked.SizeClass}})
		found, err := FingerprintAll(t.Context(), r, p, Adversaries(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			assigned, err := f.Assignment()
			if err != nil {
				t.Fatal(err)
			}
			for way, claims := range map[string][]Claim{Nearest: f.Nearest(), Assignment: assigned} {
				k := f.Adversary.Name + " " + way
				low[k] = append(low[k], tail(hits(claims), n, 1.0/m))
			}
		}
	}
	for _, a := range Adversaries() {
		for _, way := range []string{Nearest, Assignment} {
			for _, level := range []float64{0.01, 0.05, 0.2, 0.5} {
				got := 0
				for _, p := range low[a.Name+" "+way] {
					if p <= level {
						got++
					}
				}
				if _, most := infer.BinomialBand(worlds, level, 2e-4); got > most {
					t.Errorf("%s, %s: %d of %d p-values are at most %v, want no more than %d", a.Name, way, got, worlds, level, most)
				}
			}
		}
	}
}

// On an unscrambled release and exact accounts the path of head counts names a
// share of serials that the paths themselves give: a serial whose path k
// employers share is named with chance 1/k.
func TestHeadCountPathsNameWhatTheoryGives(t *testing.T) {
	d := world(11, 1500, 4)
	p := publicFile(t, d, 0)
	const n = 600
	f := fingerprint(t, released(t, d, n, publish.Options{}), p, "head-count-only", Options{})
	path := make([]string, d.Employers())
	for i, e := range p.Employer {
		path[e] += fmt.Sprint(p.Head[i], " ")
	}
	shared := map[string]float64{}
	for _, s := range path {
		shared[s]++
	}
	want, variance, unique := 0.0, 0.0, 0
	for _, s := range path[:n] {
		q := 1 / shared[s]
		want += q
		variance += q * (1 - q)
		if q == 1 {
			unique++
		}
	}
	got := float64(hits(f.Nearest()))
	t.Logf("%v named, %.1f expected, %d paths of their own", got, want, unique)
	if math.Abs(got-want) > 4*math.Sqrt(variance)+1 { // false alarm below 1e-4
		t.Errorf("%v serials are named, theory says %.1f", got, want)
	}
	for i, u := range f.Units {
		if own := shared[path[owner(u.Serial, n)]]; float64(u.Ties) != own {
			t.Fatalf("unit %d: %d employers tie, %v share its path", i, u.Ties, own)
		}
	}
}

// owner undoes serialFor among the first n employers.
func owner(serial int32, n int) int32 {
	for e := range int32(n) {
		if serialFor(e) == serial {
			return e
		}
	}
	return -1
}

// Group and event year narrow the employers who adopt down (METHODS 2.5: with
// the head count known 816 candidates, 68 with the group, 5 with the event
// year, at 90,000 employers).
func TestGroupAndEventNarrowAdopters(t *testing.T) {
	d := smallPopulation(t, 3000)
	p, err := FromAccounts(d)
	if err != nil {
		t.Fatal(err)
	}
	r := released(t, d, 1500, publish.Options{FirmColumns: []string{linked.Group, linked.EventYear}})
	event := r.Tables.Employers.Col(linked.EventYear)
	serial := r.Tables.Employers.Col(publish.Serial).I
	adopts := map[int32]bool{}
	for i := range r.Tables.Employers.Rows() {
		adopts[serial[i]] = adopts[serial[i]] || !event.Missing(i)
	}
	var last float64 = math.Inf(1)
	for _, traits := range [][]string{nil, {linked.Group}, {linked.Group, linked.EventYear}} {
		a := Adversary{Name: "narrow", Columns: []Known{{Column: ColumnHead}}, Traits: traits}
		f, err := Fingerprint(t.Context(), r, p, a, Options{Years: []int32{2019}})
		if err != nil {
			t.Fatal(err)
		}
		var sets []float64
		for _, u := range f.Units {
			if adopts[u.Serial] && len(u.Candidates) > 0 {
				sets = append(sets, u.AnonymitySet)
			}
		}
		got := median(sets)
		t.Logf("%d adopters, traits %v: a median of %.1f candidates", len(sets), traits, got)
		if !(got < last/2) {
			t.Errorf("traits %v leave a median of %.1f candidates, %.1f without the last: want less than half", traits, got, last)
		}
		last = got
	}
}

// For a plain random swap the optimal transparent intruder names fewer, the more
// are swapped. Three worlds; rates far enough apart that the fall exceeds chance
// at the margin granted: 12 of 900, a false alarm below 1e-3.
func TestMoreSwappingNamesFewer(t *testing.T) {
	if testing.Short() {
		t.Skip("twelve attacks")
	}
	rates := []float64{0, 0.1, 0.3, 0.6, 1}
	named := make([]int, len(rates))
	for seed := range rng.Sim(3) {
		d := world(40+seed, 600, 4)
		p, err := Derive(d, []string{"head_count", "level"}, 0.1, 5)
		if err != nil {
			t.Fatal(err)
		}
		for i, rate := range rates {
			r := released(t, swapped(d, 9, rate, linked.Level, linked.Field), 300, publish.Options{})
			r.Method = Method{Swaps: []Swap{{Rate: rate, Bundle: []string{linked.Level, linked.Field}}}}
			named[i] += hits(fingerprint(t, r, p, "outsider", Options{}).Nearest())
		}
	}
	t.Logf("named at rates %v: %v of 900", rates, named)
	for i := 1; i < len(named); i++ {
		if named[i] > named[i-1]+12 {
			t.Errorf("rate %v: %d named, %d at rate %v", rates[i], named[i], named[i-1], rates[i-1])
		}
	}
	if named[0] < named[len(named)-1]+60 {
		t.Errorf("swapping everybody names %d, swapping nobody %d: want a clear fall", named[len(named)-1], named[0])
	}
}

// What is found does not depend on the order of rows, and adversaries who are
// searched for together find what each finds alone.
func TestOrderAndCompany(t *testing.T) {
	d := world(12, 300, 4)
	p := publicFile(t, d, 0.05)
	r := released(t, d, 100, publish.Options{FirmColumns: []string{linked.SizeClass}})
	want, err := FingerprintAll(t.Context(), r, p, Adversaries(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := rng.Sim(7).Stream(stageWorld, 9)
	shuffled := func(n int) []int32 {
		rows := make([]int32, n)
		for i := range rows {
			rows[i] = int32(i)
		}
		return rng.Sample(s, rows, n)
	}
	mixed := r
	emp, cells := r.Tables.Employers, r.Tables.Cells
	mixed.Tables = &publish.Tables{Employers: emp.Take(shuffled(emp.Rows())), Cells: cells.Take(shuffled(cells.Rows()))}
	exactly := cmp.AllowUnexported(Unit{})
	for i, a := range Adversaries() {
		for name, release := range map[string]Release{"alone": r, "rows shuffled": mixed} {
			got, err := Fingerprint(t.Context(), release, p, a, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want[i].Nearest(), got.Nearest()); diff != "" {
				t.Errorf("%s, %s: claims differ (-want +got):\n%s", a.Name, name, diff)
			}
			if name == "rows shuffled" {
				if diff := cmp.Diff(want[i].Units, got.Units, exactly); diff != "" {
					t.Errorf("%s, %s: units differ (-want +got):\n%s", a.Name, name, diff)
				}
			}
		}
	}
}

// A preset says what it knows: every column has a name that the likelihood
// reads, and who knows more names more.
func TestPresets(t *testing.T) {
	for _, a := range Adversaries() {
		if a.Knows == "" || a.About == "" || len(a.Columns) == 0 {
			t.Errorf("%s does not declare what it knows and of whom", a.Name)
		}
		if err := a.Validate(); err != nil {
			t.Error(err)
		}
	}
	d := smallPopulation(t, 600)
	p, err := FromAccounts(d)
	if err != nil {
		t.Fatal(err)
	}
	firm := []string{linked.Group, linked.EventYear, linked.SupplierShare, linked.SizeClass}
	r := released(t, swapped(d, 9, 0.3, linked.Level, linked.Field), 300, publish.Options{FirmColumns: firm})
	r.Method = Method{Swaps: []Swap{{Rate: 0.3, Bundle: []string{linked.Level, linked.Field}}}}
	found, err := FingerprintAll(t.Context(), r, p, Adversaries(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]int{}
	for _, f := range found {
		named[f.Adversary.Name] = hits(f.Nearest())
	}
	t.Logf("named of 300: %v", named)
	for _, pair := range [][2]string{{"competitor", "outsider"}, {"research-team", "outsider"}, {"source-holder", "research-team"}, {"outsider", "head-count-only"}} {
		if named[pair[0]] < named[pair[1]]-6 { // two standard errors of the paired difference
			t.Errorf("%s names %d, %s %d: want more from who knows more", pair[0], named[pair[0]], pair[1], named[pair[1]])
		}
	}
}

// A competitor who knows a tenth of the employers, and of the last year only,
// learns less than one who knows all of all.
func TestCoverageAndVintage(t *testing.T) {
	d := smallPopulation(t, 300)
	p, err := FromAccounts(d)
	if err != nil {
		t.Fatal(err)
	}
	known := func(v []float64) (n int) {
		for _, x := range v {
			if !math.IsNaN(x) {
				n++
			}
		}
		return n
	}
	a := Adversary{Name: "a", Columns: []Known{{Column: ColumnWageBill, Noise: 0.5, Coverage: 0.1}, {Column: ColumnFTE, Years: 1}}}
	q := p.as(a, 1)
	if got, all := known(q.WageBill), known(p.WageBill); got > all/5 || got == 0 {
		t.Errorf("a tenth of %d wage bills is %d", all, got)
	}
	last := 0
	for _, y := range p.Year {
		if y == 2021 {
			last++
		}
	}
	if got := known(q.FTE); got > last || got == 0 {
		t.Errorf("FTE of the last year is known %d times among %d", got, last)
	}
	if known(p.WageBill) < known(q.WageBill) {
		t.Error("the file itself was changed")
	}
}

// Giving pairs up early must not change a posterior on accounts either, where
// entries and exits tie years together, mean profiles are compared first and
// adversaries are searched for together; on years alone and on all of them.
func TestPruningIsExactOnAccounts(t *testing.T) {
	d := smallPopulation(t, 400)
	p, err := FromAccounts(d)
	if err != nil {
		t.Fatal(err)
	}
	r := released(t, swapped(d, 9, 0.3, linked.Level, linked.Field), 150, publish.Options{FirmColumns: []string{linked.Group, linked.EventYear, linked.SupplierShare}})
	r.Method = Method{Swaps: []Swap{{Rate: 0.3, Bundle: []string{linked.Level, linked.Field}}}}
	company := []Adversary{preset(t, "outsider"), preset(t, "research-team"), preset(t, "source-holder")}
	for _, years := range [][]int32{nil, {2018, 2019}, {2019}} {
		units, err := observe(r, years)
		if err != nil {
			t.Fatal(err)
		}
		c, err := newCandidates(p)
		if err != nil {
			t.Fatal(err)
		}
		build := func(slack float64) *search {
			var ts []*traits
			for _, a := range company {
				ts = append(ts, newTraits(p, a, r, "method+parameters", c, units))
			}
			s := newSearch(newModeller(c, p, company[0], r, "method+parameters", units), ts, units, 1000)
			s.slack = slack
			return s
		}
		fast, full := build(math.Log(float64(len(c.employer))/lostMass)), build(math.Inf(1))
		given := 0
		for _, u := range units {
			x, y := fast.unit(u), full.unit(u)
			for a := range company {
				want := map[int32]float64{}
				for _, k := range y[a].Candidates {
					want[k.Employer] = k.Posterior
				}
				lost := 1.0
				for _, k := range x[a].Candidates {
					lost -= want[k.Employer]
					if math.Abs(k.Posterior-want[k.Employer]) > 2*lostMass {
						t.Fatalf("%s, years %v, serial %d: posterior of %d is %v, brute force says %v", company[a].Name, years, u.serial, k.Employer, k.Posterior, want[k.Employer])
					}
				}
				if len(y[a].Candidates) > 0 && lost > 2*lostMass {
					t.Fatalf("%s, years %v, serial %d: %v of the posterior mass was given up", company[a].Name, years, u.serial, lost)
				}
				given += y[a].Kept - x[a].Kept
			}
		}
		if given == 0 {
			t.Errorf("years %v: no pair was given up early, so nothing was tested", years)
		}
	}
}

package attack

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/sharedtest"
)

func near(tolerance float64) cmp.Option { return cmpopts.EquateApprox(0, tolerance) }

type toyEmployer struct{ Head, FTE, Wagebill, Low, Mid, High float64 }

func (t toyEmployer) levels() []float64 { return []float64{t.Low, t.Mid, t.High} }

// distance is the one that the case states.
func (t toyEmployer) distance(o toyEmployer) float64 {
	tv := 0.0
	for k := range t.levels() {
		tv += math.Abs(t.levels()[k]/sum(t.levels())-o.levels()[k]/sum(o.levels())) / 2
	}
	return math.Abs(math.Log(t.Head/o.Head)) + math.Abs(math.Log(t.FTE/o.FTE)) + math.Abs(math.Log(t.Wagebill/o.Wagebill)) + tv
}

func TestFingerprintToy(t *testing.T) {
	var c struct {
		Input struct {
			Public, Released map[string]toyEmployer
			Truth            map[string]string
		}
		Expected struct {
			Cost                [][]float64
			Nearest, Assignment map[string]string
			NearestCorrect      int         `json:"nearest_correct"`
			AssignmentCorrect   int         `json:"assignment_correct"`
			Sinkhorn            [][]float64 `json:"sinkhorn_tau_0_05"`
		}
	}
	sharedtest.Case(t, "attack_employer_fingerprint_toy", &c)
	public, serials := []string{"A", "B", "Cc", "D"}, []string{"p1", "p2", "p3", "p4"}
	cost := make([][]float64, 4)
	f := &Fingerprints{M: 4, Units: make([]Unit, 4)}
	for i, s := range serials {
		cost[i] = make([]float64, 4)
		f.Units[i].Serial = int32(i)
		var list []ranked
		for j, e := range public {
			cost[i][j] = c.Input.Released[s].distance(c.Input.Public[e])
			list = append(list, ranked{ll: -cost[i][j] / 0.05, employer: int32(j)})
		}
		for range list { // best first
			best := 0
			for k := range list {
				if byRank(list[k], list[best]) < 0 {
					best = k
				}
			}
			f.Units[i].Candidates = append(f.Units[i].Candidates, Candidate{Employer: list[best].employer, LogLikelihood: list[best].ll})
			list = append(list[:best:best], list[best+1:]...)
		}
	}
	if diff := cmp.Diff(c.Expected.Cost, cost, near(1e-9)); diff != "" {
		t.Errorf("distances (-want +got):\n%s", diff)
	}
	assigned, err := f.Assignment()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		claims []Claim
		want   map[string]string
		right  int
	}{
		{"nearest", f.Nearest(), c.Expected.Nearest, c.Expected.NearestCorrect},
		{"assignment", assigned, c.Expected.Assignment, c.Expected.AssignmentCorrect},
	} {
		got, right := map[string]string{}, 0
		for _, claim := range test.claims {
			s := serials[claim.Serial]
			got[s] = public[claim.Employer]
			if got[s] == c.Input.Truth[s] {
				right++
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" || right != test.right {
			t.Errorf("%s: %d right, want %d (-want +got):\n%s", test.name, right, test.right, diff)
		}
	}
	g := f.groups()[0]
	posterior := f.scale(g)
	for i := range serials {
		for j, col := range g.cols[i] {
			e := g.employers[col]
			if got, want := posterior[i][j], c.Expected.Sinkhorn[i][e]; math.Abs(got-want) > 1e-6 {
				t.Errorf("posterior of %s as %s is %v, want %v", serials[i], public[e], got, want)
			}
		}
	}
}

func TestWageBillFromClasses(t *testing.T) {
	var c struct {
		Input struct {
			Cells []struct {
				N     int32
				Class [2]float64 `json:"mean_wage_class"`
			}
		}
		Expected struct{ Lower, Upper float64 }
	}
	sharedtest.Case(t, "attack_interval_wagebill", &c)
	dict := publish.IntervalDict([]string{"[25000,30000)", "[30000,35000)", "[35000,40000)", "[40000,50000)"})
	cells := frame.Must(frame.Ints(publish.Serial, []int32{7, 7, 7}), frame.Ordered(linked.Level, frame.MustDict("a", "b", "c"), []int32{0, 1, 2}),
		frame.Ints(publish.Workers, []int32{c.Input.Cells[0].N, c.Input.Cells[1].N, c.Input.Cells[2].N}), frame.Ordered(publish.WageClass, dict, []int32{0, 3, 1}))
	employers := frame.Must(frame.Ints(publish.Serial, []int32{7}))
	units, err := observe(Release{Tables: &publish.Tables{Employers: employers, Cells: cells}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := units[0].years[0]
	if want := (c.Expected.Lower + c.Expected.Upper) / 2; math.Abs(o.wage-want) > 1e-9 {
		t.Errorf("wage bill at midpoints is %v, want the middle %v of the interval", o.wage, want)
	}
	// Uniform and independent inside each class: Σ n²·width²/12.
	if want := (16*25e6 + 4*100e6 + 25e6) / 12; math.Abs(o.wageVar-want) > 1e-3 {
		t.Errorf("variance of the wage bill is %v, want %v", o.wageVar, want)
	}
	bills, err := publish.WageBill(cells)
	if err != nil {
		t.Fatal(err)
	}
	if bills[0].Lower != c.Expected.Lower || bills[0].Upper != c.Expected.Upper {
		t.Errorf("bounds are [%v, %v), want [%v, %v)", bills[0].Lower, bills[0].Upper, c.Expected.Lower, c.Expected.Upper)
	}
}

func TestSwapPosterior(t *testing.T) {
	var c struct {
		Cases []struct {
			S        float64
			Q        []float64
			Observed int
			Expected []float64
		}
	}
	sharedtest.Case(t, "attack_swap_posterior", &c)
	for _, test := range c.Cases {
		got, err := SwapPosterior(test.S, test.Q, test.Q, test.Observed)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.Expected, got, near(1e-9)); diff != "" {
			t.Errorf("s=%v, observed %d (-want +got):\n%s", test.S, test.Observed, diff)
		}
	}
	// With a prior of one's own, by METHODS 1.2: p=(.2,.8), q=(.5,.5), s=.4.
	got, err := SwapPosterior(0.4, []float64{0.2, 0.8}, []float64{0.5, 0.5}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{0.5, 0.5}, got, near(1e-12)); diff != "" {
		t.Errorf("with a prior (-want +got):\n%s", diff)
	}
	for _, s := range []float64{-0.1, 1.1, math.NaN()} {
		if _, err := SwapPosterior(s, []float64{1}, []float64{1}, 0); err == nil {
			t.Errorf("a swap rate of %v is accepted", s)
		}
	}
}

func TestStudyLevel(t *testing.T) {
	for label, want := range map[string]int8{
		"L01": 0, "L02": 0, "L05": 1, "L09": 1, "L10": 2, "L11": 2, "L12": 3, "L15": 3, "U": -1, "unknown": -1,
		"ISCED 0 and 1": 0, "ISCED 2": 1, "ISCED 3 and 4": 1, "ISCED 5A": 3, "ISCED 5B": 2,
		"Primary (1)": 0, "Upper sec. ASO (3)": 1, "Professional bachelor / A1 (6)": 2, "Doctorate (8)": 3, "Post-sec. non-tertiary, 7th yr (4)": 1,
	} {
		if got := StudyLevel(label); got != want {
			t.Errorf("StudyLevel(%q) = %d, want %d", label, got, want)
		}
	}
}

func TestClassBounds(t *testing.T) {
	c := classesOf(publish.IntervalDict([]string{"(,10000)", "[10000,15000)", "[15000,)"}), false)
	if diff := cmp.Diff([]float64{5000, 10000, 15000}, c.lo); diff != "" {
		t.Errorf("lower bounds (-want +got):\n%s", diff)
	}
	for _, test := range []struct {
		wage float64
		want int32
	}{{0, 0}, {9999, 0}, {10000, 1}, {14999.5, 1}, {15000, 2}, {1e6, 2}} {
		if got := c.of(test.wage); got != test.want {
			t.Errorf("a wage of %v is in class %d, want %d", test.wage, got, test.want)
		}
	}
	n := classesOf(publish.CountDict([]string{"[1,3)", "[3,5)"}), true)
	if math.Abs(n.mid[0]-5.0/4) > 1e-12 { // 1 with weight 1/2, 2 with weight 1/6
		t.Errorf("a count in [1,3) is %v on average, want 1.25", n.mid[0])
	}
}

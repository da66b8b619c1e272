package attack

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// steady is a selection in which nobody comes, goes or learns: employers of ten
// over five years.
func steady(seed rng.Sim, employers int) *linked.Data {
	const staff, years = 10, 5
	s := seed.Stream(stageWorld, 2)
	names := make([]string, employers)
	for e := range names {
		names[e] = string(rune('a'+e/676%26)) + string(rune('a'+e/26%26)) + string(rune('a'+e%26))
	}
	dict := frame.MustDict(names...)
	var employer, year, worker, level, wage, fe, fy []int32
	for e := range employers {
		var levels, wages [staff]int32
		for i := range staff {
			levels[i] = int32(s.IntN(8))
			wages[i] = int32(20000 * math.Exp(0.15*float64(levels[i])+0.2*s.Normal()))
		}
		for t := range years {
			for i := range staff {
				employer, year, worker = append(employer, int32(e)), append(year, int32(2010+t)), append(worker, int32(e*staff+i))
				level, wage = append(level, levels[i]), append(wage, wages[i])
			}
			fe, fy = append(fe, int32(e)), append(fy, int32(2010+t))
		}
	}
	return &linked.Data{
		Jobs: frame.Must(frame.Codes(linked.Employer, dict, employer), frame.Ints(linked.Year, year), frame.Ints(linked.Worker, worker),
			frame.Ordered(linked.Level, frame.MustDict("L0", "L1", "L2", "L3", "L4", "L5", "L6", "L7"), level), frame.Ints(linked.Wage, wage)),
		Firms:   frame.Must(frame.Codes(linked.Employer, dict, fe), frame.Ints(linked.Year, fy)),
		Periods: true, Simulated: true,
	}
}

// misplaced is the share of staff that a table lists in a wrong cell: as
// released, and as restored.
func misplaced(d *linked.Data, employers int, cells []StackedCell) (released, restored float64) {
	type key struct{ serial, year, level, field int32 }
	truth, staff := map[key]float64{}, 0.0
	level, field := codes(d.Jobs, linked.Level), codes(d.Jobs, linked.Field)
	for i, e := range d.Jobs.Col(linked.Employer).I {
		if int(e) < employers {
			truth[key{serialFor(e), d.Jobs.Col(linked.Year).I[i], level(i), field(i)}]++
			staff++
		}
	}
	right, back := 0.0, 0.0
	for _, c := range cells {
		n := truth[key{c.Serial, c.Year, c.Level, c.Field}]
		right += min(n, c.Released)
		back += min(n, c.Restored)
	}
	return 1 - right/staff, 1 - back/staff
}

// METHODS 2.7: at s = .1 and ten staff the median of five years cuts misplaced
// staff from .099 to .029. The chain must do as well: the bound leaves two
// standard errors of 15,000 worker-years. (A pair of the same level changes
// nothing, so that fewer than a tenth are misplaced as released.)
func TestStackUndoesYearlySwaps(t *testing.T) {
	d := steady(4, 300)
	r := released(t, swapped(d, 5, 0.1, linked.Level), 300, publish.Options{})
	r.Method = Method{Swaps: []Swap{{Rate: 0.1, Bundle: []string{linked.Level}}}}
	p, err := NewStaffPaths(r, "method+parameters", nil)
	if err != nil {
		t.Fatal(err)
	}
	before, after := misplaced(d, 300, p.Stack())
	t.Logf("misplaced: %.4f as released, %.4f as restored, people stay with %.2f", before, after, p.persist)
	if before < 0.06 || after > 0.029 {
		t.Errorf("misplaced %.4f as released and %.4f as restored, want at most .029", before, after)
	}
	r.Method.Swaps[0].Lasting = true
	if p, err = NewStaffPaths(r, "method+parameters", nil); err != nil {
		t.Fatal(err)
	}
	if _, after = misplaced(d, 300, p.Stack()); after != before {
		t.Errorf("a lasting swap is restored to %.4f: nothing tells the years apart, want %.4f as released", after, before)
	}
}

// Trust in a cell is honest: of the cells of one that are said to be genuine
// with a chance, that share is.
func TestStackTrust(t *testing.T) {
	d := world(8, 400, 5)
	s := 0.3
	r := released(t, swapped(d, 5, s, linked.Level, linked.Field), 400, publish.Options{})
	r.Method = Method{Swaps: []Swap{{Rate: s, Bundle: []string{linked.Level, linked.Field}}}}
	p, err := NewStaffPaths(r, "method+parameters", nil)
	if err != nil {
		t.Fatal(err)
	}
	type key struct{ serial, year, level, field int32 }
	truth := map[key]bool{}
	level, field := codes(d.Jobs, linked.Level), codes(d.Jobs, linked.Field)
	for i, e := range d.Jobs.Col(linked.Employer).I {
		truth[key{serialFor(e), d.Jobs.Col(linked.Year).I[i], level(i), field(i)}] = true
	}
	var n, right, said [4]float64
	for _, c := range p.Stack() {
		if c.Released == 1 {
			k := min(3, int(4*c.Genuine))
			n[k]++
			said[k] += c.Genuine
			if truth[key{c.Serial, c.Year, c.Level, c.Field}] {
				right[k]++
			}
		}
	}
	for k := range n {
		if n[k] > 100 && math.Abs(right[k]/n[k]-said[k]/n[k]) > 0.12 {
			t.Errorf("of %v cells said to be genuine with %.2f, %.2f are", n[k], said[k]/n[k], right[k]/n[k])
		}
		t.Logf("%v cells: said %.3f, are %.3f", n[k], said[k]/n[k], right[k]/n[k])
	}
}

func TestAscend(t *testing.T) {
	even := []float64{0.25, 0.25, 0.25, 0.25}
	tests := []struct {
		name, why string
		released  []int32
		rate      float64
		want      []int32
	}{
		{"fall", "a level that falls is somebody else's", []int32{2, 2, 0, 2, 2}, 0.2, []int32{2, 2, 2, 2, 2}},
		{"once above", "a diploma seen for one year is as well", []int32{1, 1, 3, 1, 1}, 0.2, []int32{1, 1, 1, 1, 1}},
		{"earned", "people rise and stay", []int32{1, 1, 2, 2, 2}, 0.2, []int32{1, 1, 2, 2, 2}},
		{"no swap", "what is seen is true", []int32{0, 1, 3}, 0, []int32{0, 1, 3}},
		{"missing", "a year without a level is filled in", []int32{1, -1, 1}, 0.1, []int32{1, 1, 1}},
		{"nothing", "no years", nil, 0.1, nil},
	}
	for _, tt := range tests {
		got, err := Ascend(tt.released, tt.rate, 0.05, even, even)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", tt.name, tt.why, diff)
		}
	}
	if _, err := Ascend([]int32{2, 1}, 0, 0.05, even, even); err == nil {
		t.Error("levels fall without a swap: want an error")
	}
}

// Persons whose levels never fall: Viterbi undoes most of what a yearly swap did.
func TestAscendBeatsTheFace(t *testing.T) {
	s := rng.Sim(3).Stream(stageWorld, 9)
	even := []float64{0.25, 0.25, 0.25, 0.25}
	face, restored, n := 0, 0, 0
	for range 2000 {
		level := int32(s.IntN(4))
		var truth, seen []int32
		for range 6 {
			if level < 3 && s.Bool(0.03) {
				level++
			}
			truth = append(truth, level)
			if seen = append(seen, level); s.Bool(0.25) {
				seen[len(seen)-1] = int32(s.IntN(4))
			}
		}
		got, err := Ascend(seen, 0.25, 0.03, even, even)
		if err != nil {
			t.Fatal(err)
		}
		for i := range truth {
			n++
			if seen[i] != truth[i] {
				face++
			}
			if got[i] != truth[i] {
				restored++
			}
		}
	}
	t.Logf("wrong: %.3f as released, %.3f as restored", float64(face)/float64(n), float64(restored)/float64(n))
	if 4*restored > face {
		t.Errorf("%d of %d are wrong as restored, want under a quarter of the %d as released", restored, n, face)
	}
}

// A high diploma at a wage that such people hardly earn is suspect.
func TestSuspect(t *testing.T) {
	d := world(12, 400, 4)
	s := 0.3
	r := released(t, swapped(d, 5, s, linked.Level, linked.Field), 100, publish.Options{})
	r.Method = Method{Swaps: []Swap{{Rate: s, Bundle: []string{linked.Level, linked.Field}}}}
	prior, err := NewPrior(d, r.Tables.Cells.Col(publish.WageClass).Dict, func(e int32) bool { return e >= 100 })
	if err != nil {
		t.Fatal(err)
	}
	got, err := Suspect(r, "method+parameters", prior, nil)
	if err != nil {
		t.Fatal(err)
	}
	var low, high, nLow, nHigh float64
	wages := classesOf(r.Tables.Cells.Col(publish.WageClass).Dict, false)
	cells, _ := indexCells(r)
	for _, x := range got {
		if x.ByWage < 0 || x.ByWage > 1 {
			t.Fatalf("%+v: want a probability", x)
		}
		if x.Level != 4 {
			continue
		}
		if wages.mid[cells[cellKey{x.Serial, x.Year, x.Level, x.Field}].wage] < 30000 {
			low += x.ByWage
			nLow++
		} else {
			high += x.ByWage
			nHigh++
		}
	}
	if nLow == 0 || low/nLow < high/nHigh+0.1 {
		t.Errorf("the highest level at low wages is suspect with %.2f (%v), at others with %.2f", low/nLow, nLow, high/nHigh)
	}
}

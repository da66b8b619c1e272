package population

import (
	"context"
	"math"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// panel is the head count of employers at 31-12, in all and by class of cells.
type panel struct {
	from, years int
	event       []int32
	heads       [][]float64        // employer x year
	byClass     [][][tilts]float64 // employer x year x class
	logWage     [][]float64        // sum of log full-time wages of stayers
	stayers     [][]float64        // their number
}

func panelOf(p *Population) panel {
	c := belgium()
	n, years := p.Employers.Rows(), p.Options.To-p.Options.From+1
	out := panel{from: p.Options.From, years: years, event: p.Employers.Col("automation_year").I}
	for range n {
		out.heads = append(out.heads, make([]float64, years))
		out.byClass = append(out.byClass, make([][tilts]float64, years))
		out.logWage = append(out.logWage, make([]float64, years))
		out.stayers = append(out.stayers, make([]float64, years))
	}
	level, field, left, hired := p.Jobs.Col("level").I, p.Jobs.Col("field").I, p.Jobs.Col("left").I, p.Jobs.Col("hired").I
	year, employer, wage, fte := p.Jobs.Col("year").I, p.Jobs.Col("employer_id").I, p.Jobs.Col("wage").I, p.Jobs.Col("fte").I
	for i := range year {
		if left[i] != frame.NoInt {
			continue
		}
		e, y := employer[i]-1, int(year[i])-out.from
		out.heads[e][y]++
		out.byClass[e][y][c.tiltClassOf(int(level[i]), int(field[i]))]++
		if hired[i] == frame.NoInt {
			out.logWage[e][y] += math.Log(float64(wage[i]) * 100 / float64(fte[i]))
			out.stayers[e][y]++
		}
	}
	return out
}

// did is the mean over treated employers of the change of log head count from
// the year before the event to k years after, less that of employers without
// an event, of the same size class in the base year; with its standard error.
func (p panel) did(k int) (effect, se float64, n int) {
	type key struct{ base, class int }
	sum, count := map[key]float64{}, map[key]float64{}
	change := func(e, base int) (float64, key, bool) {
		if base < 0 || base+1+k < 0 || base+1+k >= p.years || p.heads[e][base] == 0 || p.heads[e][base+1+k] == 0 {
			return 0, key{}, false
		}
		return math.Log(p.heads[e][base+1+k] / p.heads[e][base]), key{base, int(linked.SizeCode(int32(p.heads[e][base])))}, true
	}
	for e := range p.heads {
		if p.event[e] != frame.NoInt {
			continue
		}
		for base := range p.years {
			if d, at, ok := change(e, base); ok {
				sum[at] += d
				count[at]++
			}
		}
	}
	var xs []float64
	for e := range p.heads {
		if p.event[e] == frame.NoInt {
			continue
		}
		if d, at, ok := change(e, int(p.event[e])-1-p.from); ok && count[at] > 0 {
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

// TestPlantedEffects compares worlds drawn from the same streams, in which
// employers have the same latent path, and asks a plain estimator.
func TestPlantedEffects(t *testing.T) {
	if testing.Short() {
		t.Skip("draws three populations")
	}
	draw := func(world string) panel {
		p, err := Generate(context.Background(), Options{Employers: 6000, From: 2008, To: 2018, World: world, Suppliers: "none", Seed: 11}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return panelOf(p)
	}
	null := draw("null")
	for _, world := range []string{"productivity", "displacement"} {
		w, got := worldOf(world), draw(world)
		// Ratio of staff of treated employers four years or more after the event.
		var num, den float64
		var classNum, classDen [tilts]float64
		var wage, stay, wage0, stay0 float64
		for e, event := range got.event {
			if event == frame.NoInt {
				continue
			}
			for y := max(0, int(event)+4-got.from); y < got.years; y++ {
				num, den = num+got.heads[e][y], den+null.heads[e][y]
				for c := range classNum {
					classNum[c] += got.byClass[e][y][c]
					classDen[c] += null.byClass[e][y][c]
				}
				wage, stay = wage+got.logWage[e][y], stay+got.stayers[e][y]
				wage0, stay0 = wage0+null.logWage[e][y], stay0+null.stayers[e][y]
			}
		}
		t.Logf("%s: head count log ratio %.4f, planted %.4f (%.0f staff)", world, math.Log(num/den), w.headCount[4], den)
		for c := range classNum {
			t.Logf("  %-28s log ratio %.3f planted %.3f (%.0f)", tiltNames[c], math.Log(classNum[c]/classDen[c]), w.tilt[c][4], classDen[c])
		}
		t.Logf("  log wage %.4f planted %.4f", wage/stay-wage0/stay0, w.wage[4])
		for _, k := range []int{-4, -3, 0, 2, 4} {
			e, se, n := got.did(k)
			t.Logf("  did k=%d %.3f (%.3f) n=%d", k, e, se, n)
		}
	}
	for _, k := range []int{0, 2, 4} {
		e, se, n := null.did(k)
		t.Logf("null did k=%d %.3f (%.3f) n=%d", k, e, se, n)
	}
}

package attack

import (
	"fmt"
	"math"

	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// Coworkers returns, for some rows of the jobs, the wages of at most k others of
// the same employer, year, level and field, drawn by hash: those that a
// colleague knows. The release may list them elsewhere.
func Coworkers(d *linked.Data, rows []int32, k int, key rng.Sim) [][]float64 {
	employer, year := d.Jobs.Col(linked.Employer).I, d.Jobs.Col(linked.Year).I
	level, field := codes(d.Jobs, linked.Level), codes(d.Jobs, linked.Field)
	wage, ok := d.Jobs.Lookup(linked.Wage)
	out := make([][]float64, len(rows))
	if !ok {
		return out
	}
	left, dated := d.Jobs.Lookup(linked.Left)
	same := func(a, b int) bool {
		return employer[a] == employer[b] && year[a] == year[b]
	}
	for i, r := range rows {
		row := int(r)
		lo, hi := row, row+1
		for lo > 0 && same(lo-1, row) {
			lo--
		}
		for hi < len(employer) && same(hi, row) {
			hi++
		}
		var known []float64
		for j := lo; j < hi; j++ {
			if j != row && level(j) == level(row) && field(j) == field(row) && !wage.Missing(j) && (!dated || left.Missing(j)) {
				known = append(known, wage.Value(j))
			}
		}
		out[i] = rng.Sample(key.Stream(stageStaff, uint64(row)), known, min(k, len(known)))
	}
	return out
}

// CoworkerDisclosure is [CellDisclosure] by a colleague who knows the wages of
// some others of the cell and takes them out of its mean: with all others known
// the width of the class is all that hides the last one. known runs along the
// targets.
func CoworkerDisclosure(r Release, knowledge string, serialOf func(employer, year int32) (serial int32, ok bool), targets []Target, known [][]float64, prior *Prior) ([]WorkerClaim, error) {
	if len(known) != len(targets) {
		return nil, fmt.Errorf("attack: known wages of %d targets, want those of %d", len(known), len(targets))
	}
	out, err := CellDisclosure(r, knowledge, serialOf, targets, prior)
	if err != nil {
		return nil, err
	}
	cells, pool := indexCells(r)
	wages := classesOf(r.Tables.Cells.Col(publish.WageClass).Dict, false)
	stay := r.Method.share() * (1 - r.Method.displaced(knowledge))
	for i, t := range targets {
		k := float64(len(known[i]))
		if !out[i].Found || k == 0 || out[i].CellSize < 1.5 {
			continue
		}
		year := t.Year
		if !r.Periods {
			year = 0
		}
		c, found := cells[cellKey{out[i].Serial, year, t.Level, t.Field}]
		c.n = max(min(c.n, 1), c.n-float64(r.Method.CountReach))
		if !found || c.n < k+1 {
			continue // somebody whom he knows is listed elsewhere
		}
		p := prior.WageClass(t.Level, t.Field, t.Sector)
		post := inCell(p, pool, wages, c, stay)
		informed := withKnown(p, wages, c, known[i])
		if informed == nil {
			continue
		}
		// That all of them are listed here is the event on which he builds.
		all := math.Pow(stay, k)
		for b := range post {
			post[b] = float64((1-all)*post[b]) + float64(all*informed[b])
		}
		out[i].WageClass = mode(post)
		out[i].Confidence = post[out[i].WageClass]
	}
	return out, nil
}

// withKnown is the posterior of a person's wage class in a cell in which he and
// the known are listed; nil where that is impossible.
func withKnown(prior []float64, wages classes, c cellAt, known []float64) []float64 {
	mean, square := 0.0, 0.0
	for b, p := range prior {
		mean += float64(p * wages.mid[b])
		square += float64(p * wages.mid[b] * wages.mid[b])
	}
	others := c.n - 1 - float64(len(known))
	spread := max(square-float64(mean*mean), wages.variance(c.wage))
	lo, hi := wages.lo[c.wage], wages.hi[c.wage]
	post, total := make([]float64, len(prior)), 0.0
	for b, p := range prior {
		at := (wages.mid[b] + sum(known) + float64(others*mean)) / c.n
		sd := math.Sqrt(float64(others*spread)+wages.variance(int32(b))) / c.n
		seen := (math.Erf((hi-at)/(sd*math.Sqrt2)) - math.Erf((lo-at)/(sd*math.Sqrt2))) / 2
		post[b] = p * seen
		total += post[b]
	}
	if !(total > 1e-9) {
		return nil
	}
	for b := range post {
		post[b] /= total
	}
	return post
}

package estimate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"scramblelab/internal/infer"
	"scramblelab/internal/par"
)

// event is a coefficient at work.
type event struct {
	k     int32
	cells []*cellState
	tally *tally
	psi   []float64
	used  []Use
	coef  EventCoefficient
}

// estimate runs all stacks of all coefficients.
func (d *layout) estimate(ctx context.Context) (StaggeredFit, error) {
	events, cells := d.plan()
	if len(cells) == 0 {
		return StaggeredFit{}, fmt.Errorf("estimate: no unit is treated after the first period of the panel: %w", ErrNoComparison)
	}
	err := par.Do(ctx, len(events), func(i int) error { return d.run(ctx, events[i]) })
	if err != nil {
		return StaggeredFit{}, err
	}
	f := StaggeredFit{Units: len(d.units), Level: d.o.Level, Warnings: d.warnings}
	for _, c := range cells {
		f.Cells = append(f.Cells, c.CohortTime)
	}
	slices.SortFunc(f.Cells, func(a, b CohortTime) int {
		return cmp.Or(cmp.Compare(a.Cohort, b.Cohort), cmp.Compare(a.Time, b.Time))
	})
	lost, lostUnits := 0, 0
	for _, c := range f.Cells {
		if c.Reason != "" && c.Treated > 0 {
			lost, lostUnits = lost+1, lostUnits+c.Treated
		}
	}
	if lost > 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("%d cohorts and periods with %d treated unit-periods are left out for lack of controls", lost, lostUnits))
	}
	psi := make([][]float64, len(events))
	for i, e := range events {
		psi[i] = e.psi
		f.Coef = append(f.Coef, e.coef)
		if d.o.Keep {
			f.Used = append(f.Used, e.used...)
		}
		if l := e.coef.LeftOut.Unmatched; l > 0 {
			f.Warnings = append(f.Warnings, fmt.Sprintf("%s: %d treated unit-periods are left out: no controls like them", e.coef.Name, l))
		}
	}
	slices.SortFunc(f.Used, func(a, b Use) int {
		return cmp.Or(cmp.Compare(a.Cohort, b.Cohort), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Unit, b.Unit))
	})
	if f.Covariance, err = d.covariance(ctx, psi); err != nil {
		return f, err
	}
	d.average(events, &f)
	d.preTrend(events, &f)
	return f, nil
}

// plan lists the coefficients and the cells behind each.
func (d *layout) plan() ([]*event, []*cellState) {
	var events []*event
	for k := d.o.First; k <= d.o.Last; k++ {
		if k != -1 || d.o.Base == Varying {
			events = append(events, &event{k: k})
		}
	}
	var all []*cellState
	for _, g := range d.cohorts {
		for t := range int32(d.periods) {
			k := d.first + t - g
			base := int(g - 1 - d.first)
			if d.o.Base == Varying && k < 0 {
				base = int(t) - 1
			}
			if base < 0 || base == int(t) {
				continue
			}
			at := k
			if at < d.o.First && d.o.PoolFirst {
				at = d.o.First
			}
			if at > d.o.Last && d.o.PoolLast {
				at = d.o.Last
			}
			i := slices.IndexFunc(events, func(e *event) bool { return e.k == at })
			if i < 0 {
				continue
			}
			c := &cellState{CohortTime: CohortTime{Cohort: g, Time: d.first + t, Effect: math.NaN()}, at: i, base: base}
			events[i].cells = append(events[i].cells, c)
			all = append(all, c)
		}
	}
	return events, all
}

// run estimates a coefficient.
func (d *layout) run(ctx context.Context, e *event) error {
	e.tally = newTally(len(d.units))
	for _, cells := range d.stacks(e.cells) {
		if err := ctx.Err(); err != nil {
			return err
		}
		d.census(e, cells)
		s := d.build(cells)
		for _, c := range cells {
			c.Treated, c.Controls = 0, 0
		}
		for _, k := range s.treated.cell {
			cells[k].Treated++
		}
		for _, k := range s.control.cell {
			cells[k].Controls++
		}
		if err := s.solve(ctx); err != nil {
			return err
		}
		for _, c := range cells {
			e.coef.LeftOut.Unmatched += c.unmatched
		}
		if s.reason != "" || len(s.treated.unit) == 0 {
			for _, c := range cells {
				c.Reason = cmp.Or(s.reason, "no treated unit has controls like it")
				if c.Treated == 0 {
					c.Reason = "no treated unit is observed in both periods"
				} else {
					e.coef.LeftOut.Cell += c.Treated - c.unmatched
				}
			}
			continue
		}
		s.means()
		e.tally.add(s)
		if d.o.Keep {
			for i, u := range s.treated.unit {
				c := cells[s.treated.cell[i]]
				e.used = append(e.used, Use{d.units[u], c.Cohort, c.Time, s.treated.w[i]})
			}
		}
	}
	d.conclude(e)
	return nil
}

// stacks groups the cells of a coefficient by regression.
func (d *layout) stacks(cells []*cellState) [][]*cellState {
	var out [][]*cellState
	last := map[int32]int{}
	for _, c := range cells {
		k := c.Time - c.Cohort
		if i, ok := last[k]; ok && d.o.Adjust == Pooled {
			out[i] = append(out[i], c)
			continue
		}
		last[k] = len(out)
		out = append(out, []*cellState{c})
	}
	return out
}

// census counts the treated that cells cannot use.
func (d *layout) census(e *event, cells []*cellState) {
	for _, c := range cells {
		t := int(c.Time - d.first)
		for u, g := range d.cohort {
			switch {
			case g != c.Cohort:
			case !d.base[c.base][u]:
				e.coef.LeftOut.Base++
			case math.IsNaN(d.y[t][u]):
				e.coef.LeftOut.Outcome++
			}
		}
	}
}

// means fills in the effect by cell.
func (s *stack) means() {
	sum := make([][3]float64, len(s.cells))
	n := make([]int, len(s.cells))
	for i, k := range s.treated.cell {
		w := s.treated.w[i]
		sum[k][0] += float64(w * s.treated.y[i])
		sum[k][1] += float64(w * s.treated.fit[i])
		sum[k][2] += w
		n[k]++
	}
	for k, c := range s.cells {
		if c.Treated = n[k]; n[k] == 0 {
			c.Reason = "no treated unit is observed in both periods, with controls like it"
			continue
		}
		c.Effect, c.Weight = s.d.effect(sum[k][0], sum[k][1], sum[k][2]), sum[k][2]
	}
}

// conclude turns sums into a coefficient.
func (d *layout) conclude(e *event) {
	nan := math.NaN()
	t := e.tally
	name := fmt.Sprintf("k%d", e.k)
	if e.k == d.o.Last && d.o.PoolLast || e.k == d.o.First && d.o.PoolFirst && e.k < 0 {
		name += map[bool]string{true: "-", false: "+"}[e.k < 0]
	}
	e.coef.Coefficient = Coefficient{Name: name, Estimate: nan, StdErr: nan, T: nan, P: nan, Low: nan, High: nan}
	e.coef.Event, e.coef.DF, e.coef.Effective = e.k, nan, 0
	for u := range d.units {
		if t.treated[u] {
			e.coef.Treated++
		}
		if t.control[u] {
			e.coef.Controls++
		}
	}
	if t.rows == 0 {
		e.coef.Dropped, e.coef.Reason = true, "dropped: no treated unit with controls at this event time"
		return
	}
	var sum, squares float64
	for _, w := range t.dw {
		sum += w
		squares += w * w
	}
	e.coef.Effective = sum * sum / squares
	e.coef.Estimate = d.effect(t.s, t.m, t.w)
	if math.IsInf(e.coef.Estimate, 0) || math.IsNaN(e.coef.Estimate) {
		e.coef.Estimate, e.coef.Dropped, e.coef.Reason = nan, true, "dropped: the outcome of the treated, or what is expected of it, is zero"
		return
	}
	e.psi, e.coef.Reason = t.influence(d)
	if e.psi == nil {
		return
	}
	d.infer(&e.coef.Coefficient, &e.coef.DF, e.psi, t.share)
}

// infer adds standard error and interval to an estimate.
func (d *layout) infer(c *Coefficient, df *float64, psi, share []float64) {
	n := float64(len(d.units))
	v := float64((n - 1) / n * dot(psi, psi))
	c.StdErr = math.Sqrt(v)
	*df = max(1, min(freedom(share), kurtosisFreedom(psi)))
	q := infer.TQuantile(*df, (1+d.o.Level)/2)
	c.T = c.Estimate / c.StdErr
	c.P = infer.TTail(*df, c.T)
	c.Low, c.High = c.Estimate-float64(q*c.StdErr), c.Estimate+float64(q*c.StdErr)
}

// covariance crosses the influences of all coefficients that have them.
func (d *layout) covariance(ctx context.Context, psi [][]float64) ([][]float64, error) {
	var have [][]float64
	at := make([]int, len(psi))
	for i, p := range psi {
		if at[i] = -1; p != nil {
			at[i] = len(have)
			have = append(have, p)
		}
	}
	g, err := gram(ctx, have, nil)
	if err != nil {
		return nil, err
	}
	n := float64(len(d.units))
	out := make([][]float64, len(psi))
	for i := range out {
		out[i] = make([]float64, len(psi))
		for j := range out[i] {
			if out[i][j] = math.NaN(); at[i] >= 0 && at[j] >= 0 {
				out[i][j] = (n - 1) / n * g[at[i]][at[j]]
			}
		}
	}
	return out, nil
}

// average takes the mean of the effects.
func (d *layout) average(events []*event, f *StaggeredFit) {
	nan := math.NaN()
	a := Coefficient{Name: "average", Estimate: nan, StdErr: nan, T: nan, P: nan, Low: nan, High: nan}
	psi, share := make([]float64, len(d.units)), make([]float64, len(d.units))
	var sum float64
	n := 0
	for _, e := range events {
		if e.k < 0 {
			continue
		}
		if e.coef.Reason != "" && a.Reason == "" {
			a.Reason = fmt.Sprintf("%s: %s", e.coef.Name, e.coef.Reason)
		}
		sum += e.coef.Estimate
		n++
		for u := range psi {
			if e.psi != nil {
				psi[u] += e.psi[u]
				share[u] += e.tally.share[u] / e.tally.scale(d)
			}
		}
	}
	a.Estimate = sum / float64(n)
	a.Dropped = math.IsNaN(a.Estimate)
	if a.Reason == "" {
		for u := range psi {
			psi[u] /= float64(n)
		}
		var df float64
		d.infer(&a, &df, psi, share)
	}
	f.Average = a
}

// scale is what shares are fractions of.
func (t *tally) scale(d *layout) float64 {
	if d.o.Form == Ratio {
		return t.m
	}
	return t.w
}

// preTrend tests the placebos jointly.
func (d *layout) preTrend(events []*event, f *StaggeredFit) {
	nan := math.NaN()
	var at []int
	df := math.Inf(1)
	for i, e := range events {
		if e.k < 0 && e.psi != nil {
			at = append(at, i)
			df = min(df, e.coef.DF)
		}
	}
	w := Wald{Statistic: nan, P: nan, FP: nan}
	if len(at) == 0 {
		w.Reason = "no placebo has a standard error"
		f.PreTrend = w
		return
	}
	fac := &factor{}
	var kept []int
	for _, i := range at {
		cross := make([]float64, 0, len(kept)+1)
		for _, k := range kept {
			cross = append(cross, f.Covariance[k][i])
		}
		if fac.take(append(cross, f.Covariance[i][i])) {
			kept = append(kept, i)
		}
	}
	b := make([]float64, len(kept))
	for a, i := range kept {
		b[a] = f.Coef[i].Estimate
	}
	w.DF = len(kept)
	w.Statistic = dot(b, fac.solve(b))
	q := float64(w.DF)
	w.P = distuv.ChiSquared{K: q}.Survival(w.Statistic)
	if left := df - q + 1; left > 0 {
		w.FP = distuv.F{D1: q, D2: left}.Survival(w.Statistic * left / (df * q))
	} else {
		w.Reason = fmt.Sprintf("no F test: %.1f degrees of freedom for %d placebos", df, w.DF)
	}
	f.PreTrend = w
}

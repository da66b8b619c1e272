package population

import (
	"context"
	"math"
	"slices"

	"scramblelab/internal/par"
)

// Computed is a finite-population effect: a comparison of potential outcomes of
// the very employers of this population, no parameter and no estimate.
type Computed struct {
	Outcome string `json:"outcome"`
	Of      string `json:"of,omitempty"` // class of workers, empty for all
	// Group is "automating", "supplier" or "competitor" (by event time), or "all"
	// (every employer in every year of the window). Suppliers and competitors have
	// no event of their own; one employer may be both.
	Group string `json:"group"`
	// From and Through are the event times that are averaged, both included:
	// equal for one, 4 and 99 for four or later. Event time 0 is the year of the
	// event; for a supplier the first year in which a main buyer has automated, for
	// a competitor that in which another employer of its class has. Both are 0 for
	// "all".
	From    int `json:"from"`
	Through int `json:"through"`
	// Weighting is "employer" (every employer-year counts once) or "worker" (by
	// the head count at the year-end before the event, for "all" by that of the
	// year).
	Weighting string `json:"weighting"`
	// Form is "log" (mean of log Y(1) - log Y(0)), "level" (mean of Y(1)-Y(0)) or
	// "ratio" (sum of Y(1) over sum of Y(0), less 1: what PPML estimates).
	Form string `json:"form"`
	// Spillovers says which events act in Y(1); in Y(0) none does. It is "with"
	// where Y(1) is this population, "own" where events act on the employer that
	// automates alone, "buyers" where they act on its suppliers alone, and
	// "rivals" where they act on its competitors alone.
	Spillovers string `json:"spillovers"`
	// Value is the effect in the year.
	Value float64 `json:"value"`
	// SinceBase is the value less that of the same employers at the year-end
	// before the event (for a ratio: one ratio over the other, less 1). It is what
	// a comparison with event time -1 estimates; missing for "all".
	SinceBase *float64 `json:"since_base,omitempty"`
	// Exposure is the mean share, under the same weights, of a supplier's sales
	// that go to main buyers which have automated, or of the sales of a
	// competitor's class that others make which have, in [0, 1]; missing for other
	// groups. Value over Exposure is the effect per unit of share.
	Exposure *float64 `json:"exposure,omitempty"`
	// Employers and EmployerYears are behind the value.
	Employers     int `json:"employers"`
	EmployerYears int `json:"employer_years"`
}

// Event times for which effects are computed one by one.
const (
	firstComputed = -5
	lastComputed  = 5
	andLater      = 99
)

// Groups of employers whose effects are computed.
const (
	groupAutomating = "automating"
	groupSupplier   = "supplier"
	groupCompetitor = "competitor"
	groupAll        = "all"
)

// spillovers names the potential outcomes that are compared with the one in
// which no event acts.
func (o outcome) spillovers() string {
	switch o {
	case ownOnly:
		return "own"
	case actsOnSuppliers:
		return "buyers"
	case actsOnRivals:
		return "rivals"
	}
	return "with"
}

// potential is an outcome of an employer at a year-end: with what events do to
// it, and without; ok false where there is none.
type potential func(id int32, year int) (y1, y0 float64, ok bool)

// compared is an employer whose outcomes are compared by event time.
type compared struct {
	id    int32
	event int
	dose  func(year int) float64 // exposure, nil where it has no meaning
}

// cohort lists the employers of a group that are there at the year-end before
// their event, by number.
func (s *skeleton) cohort(group string) []compared {
	var out []compared
	for id := range s.employers {
		e := &s.employers[id]
		c := compared{id: int32(id), event: int(e.event)}
		if group != groupAutomating {
			if e.event != 0 {
				continue
			}
			c.dose = func(year int) float64 { return s.rivalShare(c.id, year) }
			if group == groupSupplier {
				c.dose = func(year int) float64 { return s.supplied(c.id, year) }
			}
			for y := max(int(e.first), s.o.From); y <= int(e.last); y++ {
				if c.dose(y) > 0 {
					c.event = y
					break
				}
			}
		}
		if c.event > s.o.From && e.present(c.event-1) {
			out = append(out, c)
		}
	}
	return out
}

// supplied is the share of an employer's sales to the frame that goes to main
// buyers which have automated by a year, in [0, 1].
func (s *skeleton) supplied(id int32, year int) float64 {
	total := 0.0
	if shares := s.exposureOf(id, year); shares != nil {
		for _, x := range shares {
			total += x
		}
	}
	return total
}

// sums collects one comparison.
type sums struct {
	weight, log, level, logBase, levelBase, dose float64
	y1, y0, base1, base0                         float64
	years, employers                             int
	last                                         int32 // employer counted last, plus one
	noLog                                        bool
}

func (a *sums) add(id int32, w, y1, y0, b1, b0, dose float64) {
	a.weight += w
	a.level += float64(w * (y1 - y0))
	a.levelBase += float64(w * (b1 - b0))
	a.dose += float64(w * dose)
	if !(y1 > 0 && y0 > 0 && b1 > 0 && b0 > 0) {
		a.noLog = true
	} else {
		if y1 != y0 {
			a.log += float64(w * math.Log(y1/y0))
		}
		if b1 != b0 {
			a.logBase += float64(w * math.Log(b1/b0))
		}
	}
	a.y1, a.y0, a.base1, a.base0 = a.y1+y1, a.y0+y0, a.base1+b1, a.base0+b0
	a.years++
	if a.last != id+1 {
		a.last = id + 1
		a.employers++
	}
}

// entries turns the sums of both weightings into effects; totals says that the
// outcome adds up over employers, so that logs and ratios mean something.
func entries(like Computed, employer, worker *sums, totals bool) []Computed {
	if employer.years == 0 {
		return nil
	}
	var out []Computed
	add := func(weighting, form string, value, base, exposure float64) {
		c := like
		c.Weighting, c.Form, c.Value = weighting, form, value
		c.Employers, c.EmployerYears = employer.employers, employer.years
		if like.Group != groupAll {
			since := value - base
			if form == "ratio" {
				since = (1+value)/(1+base) - 1
			}
			c.SinceBase = &since
		}
		if like.Group == groupSupplier || like.Group == groupCompetitor {
			c.Exposure = &exposure
		}
		out = append(out, c)
	}
	for k, a := range [2]*sums{employer, worker} {
		if a.weight == 0 {
			continue
		}
		weighting := [2]string{"employer", "worker"}[k]
		add(weighting, "level", a.level/a.weight, a.levelBase/a.weight, a.dose/a.weight)
		if totals && !a.noLog {
			add(weighting, "log", a.log/a.weight, a.logBase/a.weight, a.dose/a.weight)
		}
	}
	if totals && employer.y0 > 0 && employer.base0 > 0 && employer.base1 > 0 {
		add("worker", "ratio", employer.y1/employer.y0-1, employer.base1/employer.base0-1, worker.dose/worker.weight)
	}
	return out
}

// effectsByTime compares potential outcomes of employers by event time.
func (s *skeleton) effectsByTime(like Computed, on []compared, totals bool, of potential) []Computed {
	type window struct{ from, through int }
	var windows []window
	for k := firstComputed; k <= lastComputed; k++ {
		windows = append(windows, window{k, k})
	}
	windows = append(windows, window{0, andLater}, window{4, andLater})
	all := make([][2]sums, len(windows))
	for _, c := range on {
		b1, b0, ok := of(c.id, c.event-1)
		if !ok {
			continue
		}
		e := &s.employers[c.id]
		w := float64(e.count(c.event - 1))
		for y := max(int(e.first), s.o.From, c.event+firstComputed); y <= int(e.last); y++ {
			y1, y0, ok := of(c.id, y)
			if !ok {
				continue
			}
			dose := 0.0
			if c.dose != nil {
				dose = c.dose(y)
			}
			for k, x := range windows {
				if y-c.event >= x.from && y-c.event <= x.through {
					all[k][0].add(c.id, 1, y1, y0, b1, b0, dose)
					all[k][1].add(c.id, w, y1, y0, b1, b0, dose)
				}
			}
		}
	}
	var out []Computed
	for k, x := range windows {
		like.From, like.Through = x.from, x.through
		out = append(out, entries(like, &all[k][0], &all[k][1], totals)...)
	}
	return out
}

// effectsOnAll compares potential outcomes of every employer in every year of the
// window.
func (s *skeleton) effectsOnAll(like Computed, totals bool, of potential) []Computed {
	var everybody [2]sums
	for id := range s.employers {
		e := &s.employers[id]
		for y := max(int(e.first), s.o.From); y <= int(e.last); y++ {
			if y1, y0, ok := of(int32(id), y); ok {
				everybody[0].add(int32(id), 1, y1, y0, y0, y0, 0)
				everybody[1].add(int32(id), float64(e.count(y)), y1, y0, y0, y0, 0)
			}
		}
	}
	return entries(like, &everybody[0], &everybody[1], totals)
}

// headCountEffects are the computed effects on head counts at year-ends. They
// need no worker.
func (s *skeleton) headCountEffects(ctx context.Context) ([]Computed, error) {
	under := func(o outcome) potential {
		return func(id int32, year int) (float64, float64, bool) {
			e := &s.employers[id]
			if e.event == 0 && (s.exposedFrom[id] == 0 || year < int(s.exposedFrom[id])) {
				heads := float64(e.count(year))
				return heads, heads, true
			}
			return float64(s.headsUnder(id, year, o)), float64(s.headsUnder(id, year, untreated)), true
		}
	}
	comparisons := []struct {
		group string
		under outcome
	}{
		{groupAutomating, factual}, {groupAutomating, ownOnly},
		{groupSupplier, factual}, {groupSupplier, actsOnSuppliers},
		{groupCompetitor, factual}, {groupCompetitor, actsOnRivals},
		{groupAll, factual},
	}
	parts, err := par.Map(ctx, len(comparisons), func(i int) ([]Computed, error) {
		c := comparisons[i]
		like := Computed{Outcome: "head count", Group: c.group, Spillovers: c.under.spillovers()}
		if c.group == groupAll {
			return s.effectsOnAll(like, true, under(c.under)), nil
		}
		return s.effectsByTime(like, s.cohort(c.group), true, under(c.under)), nil
	})
	if err != nil {
		return nil, err
	}
	return slices.Concat(parts...), nil
}

package population

import "math"

// Computed is a finite-population effect: a comparison of potential outcomes of
// the very employers of this population, no parameter and no estimate.
type Computed struct {
	Outcome string `json:"outcome"`
	Of      string `json:"of,omitempty"` // class of workers, empty for all
	// Group is "automating" (by event time), "exposed" (employers without an
	// event of their own, in the years in which a buyer's or competitor's event
	// acts on them) or "all" (every employer in every year of the window).
	Group string `json:"group"`
	// From and Through are the event times that are averaged, both included:
	// equal for one, 4 and 99 for four or later. Both are 0 outside "automating".
	From    int `json:"from"`
	Through int `json:"through"`
	// Weighting is "employer" (every employer-year counts once) or "worker" (by
	// the head count at the year-end before the event, for the other groups by
	// that of the year).
	Weighting string `json:"weighting"`
	// Form is "log" (mean of log Y(1) - log Y(0)), "level" (mean of Y(1)-Y(0)) or
	// "ratio" (sum of Y(1) over sum of Y(0), less 1: what PPML estimates).
	Form string `json:"form"`
	// Spillovers is "with" where Y(1) is this population, and "own" where events
	// act on the employer that automates alone.
	Spillovers string `json:"spillovers"`
	// Value is the effect in the year.
	Value float64 `json:"value"`
	// SinceBase is the value less that of the same employers at the year-end
	// before the event (for a ratio: one ratio over the other, less 1). It is what
	// a comparison with event time -1 estimates; missing outside "automating".
	SinceBase *float64 `json:"since_base,omitempty"`
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

// potential is an outcome of an employer at a year-end: with what events do to
// it, and without; ok false where there is none.
type potential func(id int32, year int) (y1, y0 float64, ok bool)

// sums collects one comparison.
type sums struct {
	weight, log, level, logBase, levelBase float64
	y1, y0, base1, base0                   float64
	years, employers                       int
	last                                   int32 // employer counted last, plus one
	noLog                                  bool
}

func (a *sums) add(id int32, w, y1, y0, b1, b0 float64) {
	a.weight += w
	a.level += float64(w * (y1 - y0))
	a.levelBase += float64(w * (b1 - b0))
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

// Groups of employers whose effects are computed.
const (
	groupAutomating = "automating"
	groupExposed    = "exposed"
	groupAll        = "all"
)

// entries turns the sums of both weightings into effects; totals says that the
// outcome adds up over employers, so that logs and ratios mean something.
func entries(like Computed, employer, worker *sums, totals bool) []Computed {
	if employer.years == 0 {
		return nil
	}
	var out []Computed
	add := func(weighting, form string, value, base float64) {
		c := like
		c.Weighting, c.Form, c.Value = weighting, form, value
		c.Employers, c.EmployerYears = employer.employers, employer.years
		if like.Group == groupAutomating {
			since := value - base
			if form == "ratio" {
				since = (1+value)/(1+base) - 1
			}
			c.SinceBase = &since
		}
		out = append(out, c)
	}
	for k, a := range [2]*sums{employer, worker} {
		if a.weight == 0 {
			continue
		}
		weighting := [2]string{"employer", "worker"}[k]
		add(weighting, "level", a.level/a.weight, a.levelBase/a.weight)
		if totals && !a.noLog {
			add(weighting, "log", a.log/a.weight, a.logBase/a.weight)
		}
	}
	if totals && employer.y0 > 0 && employer.base0 > 0 && employer.base1 > 0 {
		add("worker", "ratio", employer.y1/employer.y0-1, employer.base1/employer.base0-1)
	}
	return out
}

// automatingEffects compares potential outcomes of employers that automate,
// present at the year-end before the event and in the year, by event time.
func (s *skeleton) automatingEffects(like Computed, totals bool, of potential) []Computed {
	type window struct{ from, through int }
	var windows []window
	for k := firstComputed; k <= lastComputed; k++ {
		windows = append(windows, window{k, k})
	}
	windows = append(windows, window{0, andLater}, window{4, andLater})
	all := make([][2]sums, len(windows))
	for id := range s.employers {
		e := &s.employers[id]
		g := int(e.event)
		if g == 0 || !e.present(g-1) {
			continue
		}
		b1, b0, ok := of(int32(id), g-1)
		if !ok {
			continue
		}
		w := float64(e.count(g - 1))
		for y := max(int(e.first), s.o.From, g+firstComputed); y <= int(e.last); y++ {
			y1, y0, ok := of(int32(id), y)
			if !ok {
				continue
			}
			for k, x := range windows {
				if y-g >= x.from && y-g <= x.through {
					all[k][0].add(int32(id), 1, y1, y0, b1, b0)
					all[k][1].add(int32(id), w, y1, y0, b1, b0)
				}
			}
		}
	}
	var out []Computed
	like.Group = groupAutomating
	for k, x := range windows {
		like.From, like.Through = x.from, x.through
		out = append(out, entries(like, &all[k][0], &all[k][1], totals)...)
	}
	return out
}

// otherEffects compares potential outcomes of employers on which the events of
// others act, and of all.
func (s *skeleton) otherEffects(like Computed, totals bool, of potential) []Computed {
	var exposed, everybody [2]sums
	for id := range s.employers {
		e := &s.employers[id]
		for y := max(int(e.first), s.o.From); y <= int(e.last); y++ {
			y1, y0, ok := of(int32(id), y)
			if !ok {
				continue
			}
			w := float64(e.count(y))
			everybody[0].add(int32(id), 1, y1, y0, y0, y0)
			everybody[1].add(int32(id), w, y1, y0, y0, y0)
			if x := int(s.exposedFrom[id]); e.event == 0 && x != 0 && y >= x && s.exposed(int32(id), y) {
				exposed[0].add(int32(id), 1, y1, y0, y0, y0)
				exposed[1].add(int32(id), w, y1, y0, y0, y0)
			}
		}
	}
	like.Group = groupExposed
	out := entries(like, &exposed[0], &exposed[1], totals)
	like.Group = groupAll
	return append(out, entries(like, &everybody[0], &everybody[1], totals)...)
}

// headCountEffects are the computed effects on head counts at year-ends. They
// need no worker.
func (s *skeleton) headCountEffects() []Computed {
	with := func(id int32, year int) (float64, float64, bool) {
		e := &s.employers[id]
		heads := float64(e.count(year))
		if e.event == 0 && (s.exposedFrom[id] == 0 || year < int(s.exposedFrom[id])) {
			return heads, heads, true
		}
		return heads, float64(s.headsUnder(id, year, untreated)), true
	}
	own := func(id int32, year int) (float64, float64, bool) {
		return float64(s.headsUnder(id, year, ownOnly)), float64(s.headsUnder(id, year, untreated)), true
	}
	like := Computed{Outcome: "head count", Spillovers: "with"}
	out := s.automatingEffects(like, true, with)
	out = append(out, s.otherEffects(like, true, with)...)
	like.Spillovers = "own"
	return append(out, s.automatingEffects(like, true, own)...)
}

package realism

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"scramblelab/internal/infer"
	"scramblelab/internal/metric"
	"scramblelab/internal/par"
	"scramblelab/internal/population"
	"scramblelab/internal/progress"
)

// Version is that of the scorecard's JSON.
const Version = 1

// Verdicts.
const (
	Met       = "met"
	Missed    = "missed"
	Shown     = "context"
	NotJudged = "not judged"
)

// Scorecard is the outcome of a check.
type Scorecard struct {
	Version    int                `json:"version"`
	Population population.Options `json:"population"`
	Rows       Rows               `json:"rows"`
	Summary    Summary            `json:"summary"`
	Sections   []Part             `json:"sections"`

	pictures pictures
}

// Rows are the numbers of rows of the tables.
type Rows struct {
	Employers int `json:"employers"`
	Accounts  int `json:"accounts"`
	Suppliers int `json:"suppliers"`
	Jobs      int `json:"jobs"`
}

// Summary counts verdicts.
type Summary struct {
	Targets   int `json:"targets"`
	Met       int `json:"met"`
	Missed    int `json:"missed"`
	Failed    int `json:"failed"`              // missed and sourced
	Conflicts int `json:"conflicts,omitempty"` // missed and sourced, but excluded by other figures
	NotJudged int `json:"not_judged"`
	Context   int `json:"context"`
}

// Part is a section of the scorecard.
type Part struct {
	Title string   `json:"title"`
	Lines []Result `json:"targets"`
}

// Result is one target and what the population shows.
type Result struct {
	Name      string        `json:"name"`
	Measure   string        `json:"measure"`
	Year      int           `json:"year,omitempty"`
	Group     string        `json:"group,omitempty"`
	Status    string        `json:"status"`
	Source    string        `json:"source"`
	Frame     string        `json:"frame"`
	Unit      string        `json:"unit,omitempty"`
	Low       float64       `json:"low"`
	High      float64       `json:"high"`
	Tolerance float64       `json:"tolerance"`
	Noise     metric.Number `json:"noise"` // half-width of the band of sampling error
	Value     metric.Number `json:"value"`
	Verdict   string        `json:"verdict"`
	Fails     bool          `json:"fails"`
	Conflict  bool          `json:"conflict,omitempty"` // missed and sourced, but another figure excludes it
	Reason    string        `json:"reason,omitempty"`
}

// level is the two-sided confidence of the band of sampling error around a
// realised value: where the process behind the population lies at the very edge
// of the tolerance, one population of two hundred is called a miss, and where
// it lies inside, fewer.
const level = 0.99

// tooNoisy is how much wider than the tolerance the band may be before a
// target that is not clearly missed is left unjudged.
const tooNoisy = 2

// clearly is how many bands beyond the tolerance a figure must lie to be missed
// where the band is as wide as that: with few employers its width is itself a guess.
const clearly = 2

// Below so many employers a few large ones are most of the staff, and the groups of
// the jackknife tell little of what another draw would give: a miss must lie so
// many bands beyond the tolerance.
const few, fewBands = 300, 3

func tooFew(noisy bool) string {
	if noisy {
		return "too few employers: the sampling error is more than twice the tolerance"
	}
	return "too few employers: a few large ones decide, and how far is not known"
}

// unseen is the half-width of the band where nobody, or everybody, is what a
// target counts, so that no group of employers differs from another: that of a
// binomial share of the target's own size among the employers of a year.
func unseen(p float64, employers int) float64 {
	return infer.TQuantile(groups-1, (1+level)/2) * math.Sqrt(p*(1-p)/float64(employers))
}

// Check compares a population with targets. tell may be nil.
//
// Sampling errors come from a delete-a-group jackknife: employers, with all
// their workers and years, are dealt out to 32 groups, and every figure is
// computed again without each of them. So they hold for clustered, skewed and
// non-linear figures alike, and shrink as the population grows.
func Check(ctx context.Context, p *population.Population, targets *Targets, tell progress.Func) (*Scorecard, error) {
	v, err := newView(ctx, p, tell)
	if err != nil {
		return nil, err
	}
	parts, err := gather(ctx, v, tell)
	if err != nil {
		return nil, err
	}
	whole := newSums(v)
	for _, s := range parts {
		whole.add(s)
	}
	c := &Scorecard{Version: Version, Population: p.Options,
		Rows: Rows{p.Employers.Rows(), p.Accounts.Rows(), p.Suppliers.Rows(), p.Jobs.Rows()}}
	var flat []Target
	for _, s := range targets.Sections {
		flat = append(flat, s.Targets...)
	}
	month := targets.Month.Payments * (1 - targets.Month.Contributions)
	results := make([]Result, len(flat))
	replicates := make([][]float64, len(flat)) // of each target, without each group
	for i, t := range flat {
		results[i] = measured(v, whole, t, month)
		replicates[i] = make([]float64, groups)
	}
	// Two groups at a time: a set of counts is some megabytes.
	err = par.Do(ctx, groups, func(g int) error {
		rest := newSums(v)
		rest.without(whole, parts[g])
		for i, t := range flat {
			replicates[i][g] = math.NaN()
			if m, _ := measureNamed(t.Measure); results[i].Value.Valid() && !m.census {
				replicates[i][g], _ = m.run(evidence{v, rest, t.Year - v.from, month}, t)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	at := 0
	for _, s := range targets.Sections {
		part := Part{Title: s.Title}
		for _, t := range s.Targets {
			m, _ := measureNamed(t.Measure)
			r := judge(results[at], t, noise(float64(results[at].Value), replicates[at], m.census), p.Options.Employers)
			part.Lines = append(part.Lines, r)
			c.Summary.count(r)
			at++
		}
		c.Sections = append(c.Sections, part)
	}
	c.pictures = newPictures(v, whole, targets, month)
	return c, nil
}

// measured computes the figure of a target, or says why there is none.
func measured(v *view, s *sums, t Target, month float64) Result {
	r := Result{Name: t.Name, Measure: t.Measure, Year: t.Year, Group: t.Group, Status: t.Status, Source: t.Source, Frame: t.Frame,
		Unit: t.Unit, Tolerance: t.tolerance(), Value: metric.None, Noise: metric.None}
	r.Low, r.High = t.bounds()
	m, _ := measureNamed(t.Measure)
	if !m.pooled && (t.Year-m.before < v.from || t.Year > v.to) {
		r.Reason = fmt.Sprintf("needs the years %d to %d, the folder has %d to %d", t.Year-m.before, t.Year, v.from, v.to)
		if m.before == 0 {
			r.Reason = fmt.Sprintf("needs the year %d, the folder has %d to %d", t.Year, v.from, v.to)
		}
		return r
	}
	x, reason := m.run(evidence{v, s, t.Year - v.from, month}, t)
	switch {
	case reason != "":
		r.Reason = reason
	case math.IsNaN(x) || math.IsInf(x, 0):
		r.Reason = "the figure is not defined on this population"
	default:
		r.Value = metric.Number(x)
	}
	return r
}

// noise is the half-width of the band of sampling error: Student's quantile
// with one degree of freedom less than groups times the jackknife's standard
// error. NaN where a replicate is not defined.
func noise(value float64, replicates []float64, census bool) float64 {
	if census {
		return 0
	}
	n := float64(len(replicates))
	mean, squares := 0.0, 0.0
	for _, x := range replicates {
		mean += x / n
	}
	for _, x := range replicates {
		squares += (x - mean) * (x - mean)
	}
	return infer.TQuantile(n-1, (1+level)/2) * math.Sqrt(squares*(n-1)/n)
}

// judge gives the verdict.
func judge(r Result, t Target, noise float64, employers int) Result {
	if !r.Value.Valid() {
		r.Verdict = NotJudged
		return r
	}
	low, high := t.bounds()
	x, tolerance := float64(r.Value), t.tolerance()
	if noise == 0 && t.Unit == "%" && (x == 0 || x == 1) {
		noise = unseen((low+high)/2, employers)
	}
	r.Noise = metric.Number(noise)
	distance := math.Max(0, math.Max(low-x, x-high))
	width := tolerance + (high-low)/2
	switch {
	case t.Frame == Context:
		r.Verdict, r.Reason = Shown, t.Reason
	case employers < t.Least:
		r.Verdict, r.Reason = NotJudged, fmt.Sprintf("wants at least %d employers a year, the folder has %d", t.Least, employers)
	case math.IsNaN(noise):
		r.Noise = metric.None
		r.Verdict, r.Reason = NotJudged, "too few employers to know the sampling error"
	case noise > tooNoisy*width && distance <= tolerance+clearly*noise,
		employers < few && noise > 0 && distance > tolerance+noise && distance <= tolerance+fewBands*noise:
		r.Verdict, r.Reason = NotJudged, tooFew(noise > tooNoisy*width)
	case distance > tolerance+noise+1e-12:
		r.Verdict, r.Fails, r.Conflict, r.Reason = Missed, t.sourced(), t.Conflict != "", cmp.Or(t.Conflict, t.Reason)
	default:
		r.Verdict = Met
	}
	return r
}

func (s *Summary) count(r Result) {
	s.Targets++
	switch r.Verdict {
	case Met:
		s.Met++
	case Missed:
		s.Missed++
	case Shown:
		s.Context++
	default:
		s.NotJudged++
	}
	if r.Fails {
		s.Failed++
	}
	if r.Conflict {
		s.Conflicts++
	}
}

package attack

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"scramblelab/internal/metric"
	"scramblelab/internal/par"
	"scramblelab/internal/publish"
)

// Options says how an intruder goes to work. The zero value knows method and
// parameters and meets the public file as it is.
type Options struct {
	// NoiseScale multiplies the errors of the public file and the intruder's
	// belief about them: 0.5 asks what if accounts were twice as good. 0 means
	// 1. A file made by hand has no exact values to be scaled around; then only
	// the belief changes.
	NoiseScale float64
	// Exact asks for a public file without errors: a noise scale of zero.
	Exact bool
	// Knowledge of the method: one of the constants of package metric; empty
	// means method and parameters.
	Knowledge string
	// MaxCandidates is how many candidates of a serial are kept for the
	// one-to-one claims and the top five; 0 means 64. Posterior mass and
	// anonymity set always count all of them.
	MaxCandidates int
	// Years restricts the attack to some years; empty means all.
	Years []int32
}

// Validate names the field that is out of range.
func (o Options) Validate() error {
	if !(o.NoiseScale >= 0 && o.NoiseScale <= 10) {
		return fmt.Errorf("attack: noise scale is %v, want a factor in (0, 10], or 0 for 1", o.NoiseScale)
	}
	if o.MaxCandidates < 0 {
		return fmt.Errorf("attack: max candidates is %d, want a positive number, or 0 for 64", o.MaxCandidates)
	}
	if o.Knowledge != "" && !slices.Contains(Knowledge, o.Knowledge) {
		return fmt.Errorf("attack: knowledge is %q, want one of %q", o.Knowledge, Knowledge)
	}
	return nil
}

func (o Options) filled() Options {
	if o.NoiseScale == 0 {
		o.NoiseScale = 1
	}
	if o.Exact {
		o.NoiseScale = 0
	}
	if o.Knowledge == "" {
		o.Knowledge = metric.KnowsParameters
	}
	if o.MaxCandidates == 0 {
		o.MaxCandidates = 64
	}
	return o
}

// Candidate is an employer that a serial may be.
type Candidate struct {
	Employer      int32
	LogLikelihood float64
	Posterior     float64 // among all employers of the file, each serial by itself
}

// Unit is one serial (with a fresh serial per year: one serial-year) and the
// employers it may be.
type Unit struct {
	Serial int32
	Year   int32   // 0 where the serial stands for all years
	Staff  float64 // mean released head count over the years with staff
	// Candidates are the best ones, best first. Equally likely ones stand in an
	// order drawn from serial and employer, which says nothing.
	Candidates   []Candidate
	Ties         int     // candidates as likely as the best
	Kept         int     // candidates that were not given up as too unlikely
	AnonymitySet float64 // 2^entropy of the posterior over all candidates
	elsewhere    float64 // likelihood of kept candidates beyond Candidates, relative to the best
}

// Fingerprints is what an intruder found out about every serial of a release.
type Fingerprints struct {
	Adversary  Adversary
	Knowledge  string
	NoiseScale float64
	M          int // employers of the public file
	Units      []Unit
	Notes      []string
	perYear    bool
	known      oneToOne
}

// lostMass bounds the posterior mass of the pairs that are given up early.
const lostMass = 1e-6

// Fingerprint matches every serial of a release to the employers of a public
// file. The likelihood of a pair is the product over years and over the
// features that the adversary knows (METHODS 2.5):
//
//   - head count: equal with a chance that depends on size, else log-normal;
//     where it is a sum of classes or a sample of workers, log-normal with the
//     variance that this adds;
//   - FTE and wage bill: the released sum at class midpoints, uniform inside
//     each class, against a log-normal public amount;
//   - staff by study level, blurred by misreporting and, for an intruder who
//     knows of it, by the swap;
//   - the years with an account, and the firm columns.
//
// Years whose errors persist count for less. What an employer left out of its
// accounts is replaced by the law of all employers.
//
// All employers of the file are candidates, released or not. A pair is given up
// as soon as even a perfect rest would leave it so far behind the best that all
// such pairs together have posterior mass below 1e-6. A gross change, such as a
// takeover or a merger of small units, makes the true pair unlikely: the
// intruder has no model for it.
func Fingerprint(ctx context.Context, r Release, p *Public, a Adversary, o Options) (*Fingerprints, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if p == nil || len(p.Employer) == 0 {
		return nil, fmt.Errorf("attack: the public file is empty; give accounts or derive it from the original")
	}
	if a, b := cmp.Or(r.Method.CountOn, publish.CountYearEnd), cmp.Or(p.CountOn, publish.CountYearEnd); a != b {
		return nil, fmt.Errorf("attack: the release counts heads on %s, the public file is calibrated for %s; call Public.Recount", a, b)
	}
	o = o.filled()
	units, err := observe(r, o.Years)
	if err != nil {
		return nil, err
	}
	file := p.atNoise(o.NoiseScale)
	if file == p && o.NoiseScale != 1 {
		q := *p
		q.Noise = p.Noise.scaled(o.NoiseScale)
		file = &q
	}
	c, err := newCandidates(file)
	if err != nil {
		return nil, err
	}
	s := newSearch(newModeller(c, file, a, r, o.Knowledge, units), newTraits(file, a, r, o.Knowledge, c, units), units, o.MaxCandidates)
	f := &Fingerprints{Adversary: a, Knowledge: o.Knowledge, NoiseScale: o.NoiseScale, M: p.Employers, Notes: p.Notes, perYear: r.SerialPerYear, Units: make([]Unit, len(units))}
	err = par.Chunks(ctx, len(units), 64, func(_, lo, hi int) error {
		sc := scan{search: s}
		for i := lo; i < hi; i++ {
			f.Units[i] = sc.unit(units[i])
			if f.perYear && len(units[i].years) > 0 {
				f.Units[i].Year = units[i].years[0].year
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (m NoiseModel) scaled(by float64) NoiseModel {
	for _, e := range []*ErrorModel{&m.Head, &m.HeadAverage, &m.FTE, &m.WageBill, &m.Age} {
		e.Base, e.Root = max(leastBase, e.Base*by), max(leastRoot, e.Root*by)
	}
	m.Misreported = min(1, m.Misreported*by)
	return m
}

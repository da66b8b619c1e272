package attack

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/par"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
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
	// means what the adversary declares, method and parameters if nothing.
	Knowledge string
	// MaxCandidates is how many candidates of a serial are kept for the
	// one-to-one claims and the top five; 0 means 64. Posterior mass and
	// anonymity set always count all of them.
	MaxCandidates int
	// Years restricts the attack to some years; empty means all.
	Years []int32
	// Sample attacks so many serials only, drawn at random; 0 means all. Their
	// one-to-one claims then compete with each other only.
	Sample int
}

// Validate names the field that is out of range.
func (o Options) Validate() error {
	if !(o.NoiseScale >= 0 && o.NoiseScale <= 10) {
		return fmt.Errorf("attack: noise scale is %v, want a factor in (0, 10], or 0 for 1", o.NoiseScale)
	}
	if o.MaxCandidates < 0 || o.Sample < 0 {
		return fmt.Errorf("attack: max candidates is %d and sample %d, want positive numbers, or 0 for 64 and for all", o.MaxCandidates, o.Sample)
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
	M          int           // employers of the public file
	Filed      map[int32]int // of them, with a row in a year
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
// as soon as even a perfect rest would leave it so far behind those counted that
// all such pairs together have posterior mass below 1e-6. A gross change, such as a
// takeover or a merger of small units, makes the true pair unlikely: the
// intruder has no model for it.
func Fingerprint(ctx context.Context, r Release, p *Public, a Adversary, o Options) (*Fingerprints, error) {
	f, err := FingerprintAll(ctx, r, p, []Adversary{a}, o)
	if err != nil {
		return nil, err
	}
	return f[0], nil
}

// FingerprintAll is [Fingerprint] for several adversaries, in their order.
// Those who read the same columns of the file are searched for together, in
// little more time than one of them takes.
func FingerprintAll(ctx context.Context, r Release, p *Public, as []Adversary, o Options) ([]*Fingerprints, error) {
	return NewCabinet(p).FingerprintAll(ctx, r, as, o)
}

// Cabinet keeps a public file as adversaries have it, sorted for searching, so
// that several attacks with the same file prepare it once. The file must not
// change.
type Cabinet struct {
	p     *Public
	files map[string]drawer
}

type drawer struct {
	file *Public
	c    *candidates
}

// NewCabinet starts empty.
func NewCabinet(p *Public) *Cabinet { return &Cabinet{p: p, files: map[string]drawer{}} }

// open returns the file of an adversary. Only that at noise 1 is kept: the others
// are asked for once.
func (b *Cabinet) open(a Adversary, scale float64) (drawer, error) {
	key := "" // as filed, whichever columns are read
	if slices.ContainsFunc(a.Columns, func(k Known) bool { return !k.plain() }) {
		key = fmt.Sprint(a.Columns)
	}
	if d, ok := b.files[key]; ok && scale == 1 {
		return d, nil
	}
	file := b.p.as(a, scale)
	c, err := newCandidates(file)
	d := drawer{file, c}
	if err == nil && scale == 1 {
		b.files[key] = d
	}
	return d, err
}

// FingerprintAll is the function of that name. It is not for concurrent use.
func (b *Cabinet) FingerprintAll(ctx context.Context, r Release, as []Adversary, o Options) ([]*Fingerprints, error) {
	p := b.p
	if err := o.Validate(); err != nil {
		return nil, err
	}
	for _, a := range as {
		if err := a.Validate(); err != nil {
			return nil, err
		}
	}
	if p == nil || len(p.Employer) == 0 {
		return nil, fmt.Errorf("attack: the public file is empty; give accounts or derive it from the original")
	}
	if a, b := cmp.Or(r.Method.CountOn, publish.CountYearEnd), cmp.Or(p.CountOn, publish.CountYearEnd); a != b {
		return nil, fmt.Errorf("attack: the release counts heads on %s, the public file is calibrated for %s; call Public.Recount", a, b)
	}
	o = o.filled()
	r.Tables = inOrder(r.Tables)
	units, err := observe(r, o.Years)
	if err != nil {
		return nil, err
	}
	if o.Sample > 0 && o.Sample < len(units) {
		units = sampled(units, o.Sample)
	}
	filed := map[int32]int{}
	for i, e := range p.Employer {
		if e >= 0 {
			filed[p.Year[i]]++
		}
	}
	out := make([]*Fingerprints, len(as))
	for i, a := range as {
		if out[i] != nil {
			continue
		}
		together := []int{i}
		for j := i + 1; j < len(as); j++ {
			if a.same(as[j]) && a.method(o.Knowledge) == as[j].method(o.Knowledge) {
				together = append(together, j)
			}
		}
		d, err := b.open(a, o.NoiseScale)
		if err != nil {
			return nil, err
		}
		found, err := d.search(ctx, r, as, together, units, o)
		if err != nil {
			return nil, err
		}
		for k, j := range together {
			out[j] = found[k]
			out[j].M, out[j].Filed, out[j].Notes = p.Employers, filed, p.Notes
		}
	}
	return out, nil
}

// search lets some adversaries loose on one file.
func (d drawer) search(ctx context.Context, r Release, as []Adversary, which []int, units []unit, o Options) ([]*Fingerprints, error) {
	file, c := d.file, d.c
	knowledge := as[which[0]].method(o.Knowledge)
	out, ts := make([]*Fingerprints, len(which)), make([]*traits, len(which))
	for k, j := range which {
		ts[k] = newTraits(file, as[j], r, knowledge, c, units)
		out[k] = &Fingerprints{Adversary: as[j], Knowledge: knowledge, NoiseScale: o.NoiseScale, perYear: r.SerialPerYear, Units: make([]Unit, len(units))}
	}
	s := newSearch(newModeller(c, file, as[which[0]], r, knowledge, units), ts, units, o.MaxCandidates)
	order := neighbourly(units)
	err := par.Chunks(ctx, len(units), 4*abreast, func(_, lo, hi int) error {
		some := make([]unit, hi-lo)
		for i := range some {
			some[i] = units[order[lo+i]]
		}
		for i, found := range s.units(some, make([]scan, abreast)) {
			for k, u := range found {
				if r.SerialPerYear && len(some[i].years) > 0 {
					u.Year = some[i].years[0].year
				}
				out[k].Units[order[lo+i]] = u
			}
		}
		return nil
	})
	return out, err
}

// neighbourly orders units so that those with the same years and as much staff stand
// together.
func neighbourly(units []unit) []int {
	order, years, staff := make([]int, len(units)), make([]uint64, len(units)), make([]float64, len(units))
	for i, u := range units {
		order[i], staff[i] = i, u.staff()
		for _, o := range u.years {
			years[i] <<= 1
			if o.n > 0 {
				years[i]++
			}
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(years[a], years[b]), cmp.Compare(staff[a], staff[b]))
	})
	return order
}

// inOrder sorts released tables, so that nothing depends on the order of rows.
func inOrder(t *publish.Tables) *publish.Tables {
	if t == nil || t.Employers == nil || t.Cells == nil {
		return t
	}
	sorted := func(f *frame.Frame) *frame.Frame {
		var by []string
		for _, name := range []string{publish.Serial, linked.Year, linked.Level, linked.Field} {
			if f.Has(name) {
				by = append(by, name)
			}
		}
		return f.Sorted(by...)
	}
	return &publish.Tables{Employers: sorted(t.Employers), Cells: sorted(t.Cells)}
}

// sampled takes n units, those whose serials come first in an order that says
// nothing of them, and keeps their order.
func sampled(units []unit, n int) []unit {
	order := make([]int, len(units))
	for i := range order {
		order[i] = i
	}
	key := func(i int) uint64 {
		u := units[i]
		return rng.Sim(ageSeed).Uint64(stageSample, uint64(uint32(u.serial))<<32|uint64(uint32(u.years[0].year)))
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(key(a), key(b)) })
	order = order[:n]
	slices.Sort(order)
	out := make([]unit, n)
	for k, i := range order {
		out[k] = units[i]
	}
	return out
}

const stageSample rng.Stage = 0xa77ac7

func (m NoiseModel) scaled(by float64, a Adversary) NoiseModel {
	for e, column := range map[*ErrorModel]string{
		&m.Head: ColumnHead, &m.HeadAverage: ColumnHead, &m.FTE: ColumnFTE, &m.WageBill: ColumnWageBill, &m.Age: ColumnAge,
		&m.PartTime: ColumnPartTime, &m.Status: ColumnStatus, &m.EducationFTE: ColumnEducationFTE,
	} {
		f := by * a.noise(column)
		e.Base, e.Root = max(leastBase, e.Base*f), max(leastRoot, e.Root*f)
	}
	m.Misreported = min(1, m.Misreported*by*a.noise(ColumnEducation))
	return m
}

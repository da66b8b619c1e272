package attack

import (
	"context"
	"math"
	"slices"

	"scramblelab/internal/par"
)

// Features that an intruder compares beside those named after a column.
const (
	FeatureYears       = "years"        // in which the employer filed, against those in which the serial has staff
	FeatureFields      = "fields"       // of education, which colour a sector
	FeatureFirmColumns = "firm-columns" // all of them together
)

// Bits is a mean over serials in bits, with its standard error.
type Bits struct{ Mean, Error float64 }

// FeatureInformation is what one feature tells.
type FeatureInformation struct {
	Feature string // a constant Column… or Feature…
	Gain    Bits   // beyond the features before it
	Alone   Bits   // if nothing else were known
	Without Bits   // what all others tell together
}

// Information is what the knowledge of an adversary tells of who stands behind
// a serial, feature by feature, those that add most first: gains add up to the
// total.
type Information struct {
	Adversary Adversary
	Knowledge string
	M, N      int // candidates, and serials looked at
	Total     Bits
	Features  []FeatureInformation
}

// Information measures how many bits each feature tells the adversary about the
// employer behind a serial.
//
// With all M candidates of the file equally likely before, and with the
// likelihood of [Fingerprint], which is a product over features, a set F of
// features leaves the intruder with a posterior p(e | F) for each serial.
// F tells log2 M - H(p), H the entropy in bits (Shannon 1948); the mean over
// serials is the mutual information of employer and features, as the intruder
// sees it. It needs no truth: an intruder who is wrong about his model may be too
// sure. Gains follow the chain rule in the order in which each next feature
// tells most, so a feature that says what an earlier one has said gains
// nothing: Without tells what taking a feature away leaves.
//
// Options.Sample limits the serials, since every candidate is compared in full.
// Without a serial that has staff, or with one candidate, there are no features.
func (b *Cabinet) Information(ctx context.Context, r Release, a Adversary, o Options) (*Information, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := a.Validate(); err != nil {
		return nil, err
	}
	o = o.filled()
	r.Tables = inOrder(r.Tables)
	units, err := observe(r, o.Years)
	if err != nil {
		return nil, err
	}
	units = slices.DeleteFunc(units, func(u unit) bool { return !slices.ContainsFunc(u.years, func(y observed) bool { return y.n > 0 }) })
	if o.Sample > 0 && o.Sample < len(units) {
		units = sampled(units, o.Sample)
	}
	d, err := b.open(a, o.NoiseScale)
	if err != nil {
		return nil, err
	}
	if len(units) == 0 || len(d.c.employer) < 2 {
		return &Information{Adversary: a, Knowledge: a.method(o.Knowledge), M: len(d.c.employer), N: len(units)}, nil
	}
	p := newParts(d, r, a, a.method(o.Knowledge), units)
	out := &Information{Adversary: a, Knowledge: p.knowledge, M: len(d.c.employer), N: len(units)}
	told := make([][]part, len(units))
	err = par.Chunks(ctx, len(units), 1, func(_, i, _ int) error {
		told[i] = p.of(units[i])
		return nil
	})
	if err != nil {
		return nil, err
	}
	names := p.features(told)
	sums := make([][]float64, len(units)) // log likelihoods of the features chosen so far
	for i := range sums {
		sums[i] = make([]float64, out.M)
	}
	bits := func(sums [][]float64, sign float64, feature string) ([]float64, error) {
		v := make([]float64, len(told))
		err := par.Chunks(ctx, len(told), 1, func(_, i, _ int) error {
			v[i] = tells(sums[i], sign, partOf(told[i], feature), out.M)
			return nil
		})
		return v, err
	}
	before := make([]float64, len(units))
	for rest := slices.Clone(names); len(rest) > 0; {
		var most []float64
		next := -1
		for k, name := range rest {
			v, err := bits(sums, 1, name)
			if err != nil {
				return nil, err
			}
			if next < 0 || meanBits(v).Mean > meanBits(most).Mean {
				next, most = k, v
			}
		}
		for i := range sums {
			for k, v := range partOf(told[i], rest[next]) {
				sums[i][k] += float64(v)
			}
		}
		gain := make([]float64, len(most))
		for i := range most {
			gain[i] = most[i] - before[i]
		}
		before = most
		out.Features = append(out.Features, FeatureInformation{Feature: rest[next], Gain: meanBits(gain)})
		rest = slices.Delete(rest, next, next+1)
	}
	out.Total = meanBits(before)
	nothing := make([][]float64, len(units))
	for i := range out.Features {
		f := &out.Features[i]
		alone, err := bits(nothing, 1, f.Feature)
		if err != nil {
			return nil, err
		}
		without, err := bits(sums, -1, f.Feature)
		if err != nil {
			return nil, err
		}
		f.Alone, f.Without = meanBits(alone), meanBits(without)
	}
	return out, nil
}

// part is the log likelihood of one feature by candidate.
type part struct {
	feature string
	log     []float32
}

// parts takes the likelihood of a serial apart.
type parts struct {
	*modeller
	firm, mix *traits
	columns   map[uint8]string // by bit of what is known of a row
}

func newParts(d drawer, r Release, a Adversary, knowledge string, units []unit) *parts {
	firm, mix := a, a
	firm.Columns = slices.DeleteFunc(slices.Clone(a.Columns), func(k Known) bool { return k.Column == ColumnSector })
	mix.Traits = nil
	return &parts{
		modeller: newModeller(d.c, d.file, a, r, knowledge, units),
		firm:     newTraits(d.file, firm, r, knowledge, d.c, units), mix: newTraits(d.file, mix, r, knowledge, d.c, units),
		columns: map[uint8]string{
			knowsFTE: ColumnFTE, knowsWage: ColumnWageBill, knowsAge: ColumnAge, knowsShares: ColumnEducation,
			knowsPart: ColumnPartTime, knowsStatus: ColumnStatus, knowsExcess: ColumnEducationFTE,
		},
	}
}

// of returns the parts whose sum is the log likelihood of every candidate.
func (p *parts) of(u unit) []part {
	var out []part
	at := map[string]int{}
	place := func(feature string) []float32 {
		k, ok := at[feature]
		if !ok {
			k = len(out)
			at[feature] = k
			out = append(out, part{feature, make([]float32, len(p.c.employer))})
		}
		return out[k].log
	}
	for _, y := range p.prepare(u) {
		p.presence(&y, place(FeatureYears))
		if !y.staff {
			continue
		}
		p.heads(&y, place(ColumnHead))
		for _, f := range y.terms {
			p.term(&y, &f, place(p.columns[f.bit]))
		}
	}
	for _, x := range []struct {
		feature string
		traits  *traits
	}{{FeatureFirmColumns, p.firm}, {FeatureFields, p.mix}} {
		if len(x.traits.codes) == 0 {
			continue
		}
		chance, _ := x.traits.of(u, p.modeller, nil)
		to := place(x.feature)
		for k := range to {
			to[k] = float32(chance[x.traits.kind[k]])
		}
	}
	return out
}

func (p *parts) presence(y *yearModel, to []float32) {
	filed, absent := float32(y.filed), float32(math.Log(-math.Expm1(y.filed)))
	for k := range to {
		if p.c.filed[k]>>y.slot&1 == 1 {
			to[k] += filed
		} else {
			to[k] += absent
		}
	}
}

func (p *parts) heads(y *yearModel, to []float32) {
	for k := range to {
		v := y.head.blank
		if i := k*len(p.c.years) + y.slot; p.c.filed[k]>>y.slot&1 == 1 {
			v = y.head.tied(p.c.logHead[i], &p.c.flows[i])
		}
		to[k] += float32(v - y.filed) // which every value of it holds: see rise
	}
}

func (p *parts) term(y *yearModel, f *feature, to []float32) {
	for k := range to {
		i := k*len(p.c.years) + y.slot
		if p.c.filed[k]>>y.slot&1 == 0 || p.c.patterns[p.c.pattern[i]]&f.bit == 0 {
			to[k] += float32(f.blank)
			continue
		}
		v, row := f.top, p.c.cell[i*p.c.stride:]
		for _, q := range f.quads {
			d := float64(row[q.col]) - q.at
			v -= float64(q.curve * d * d)
		}
		to[k] += float32(v)
	}
}

// features are the names of the parts that some serial has, in a fixed order.
func (p *parts) features(told [][]part) []string {
	var out []string
	for _, name := range []string{
		FeatureYears, ColumnHead, ColumnFTE, ColumnPartTime, ColumnWageBill, ColumnEducation, ColumnEducationFTE, ColumnStatus, ColumnAge, FeatureFields, FeatureFirmColumns,
	} {
		if slices.ContainsFunc(told, func(ps []part) bool { return slices.ContainsFunc(ps, func(x part) bool { return x.feature == name }) }) {
			out = append(out, name)
		}
	}
	return out
}

// partOf is the part of a feature, nil where the serial has none.
func partOf(ps []part, feature string) []float32 {
	for _, x := range ps {
		if x.feature == feature {
			return x.log
		}
	}
	return nil
}

// tells is log2 of the number of candidates less the entropy of the posterior
// that log likelihoods leave, with a part added or, by a negative sign, taken
// off. Either may be nil.
func tells(sums []float64, sign float64, log []float32, m int) float64 {
	if sums == nil && log == nil {
		return 0
	}
	at := make([]float64, m)
	copy(at, sums)
	for k, v := range log {
		at[k] += float64(sign * float64(v))
	}
	best := slices.Max(at)
	mass, moment := 0.0, 0.0
	for _, v := range at {
		if d := v - best; d > -40 { // the others add nothing that is seen
			e := math.Exp(d)
			mass += e
			moment += float64(e * d)
		}
	}
	return max(0, (math.Log(float64(m))-math.Log(mass)+moment/mass)/math.Ln2)
}

func meanBits(v []float64) Bits {
	mean, square := 0.0, 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		square += float64((x - mean) * (x - mean))
	}
	return Bits{mean, math.Sqrt(square/float64(max(1, len(v)-1))) / math.Sqrt(float64(len(v)))}
}

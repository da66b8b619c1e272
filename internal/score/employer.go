// Package score joins the claims of intruders with the truth: hits, false
// claims, baselines and intervals, as metrics of a report. It is the only
// package that sees both sides. Values are shares s/n with a Wilson interval;
// where workers or years of one employer are attacked together the interval has a
// design effect. The baseline of a linkage is the best guess of the same intruder
// without the release: the employer with the largest chance of being drawn, 1/M
// where all have the same, never one that uses the release (METHODS 2).
package score

import (
	"cmp"
	"fmt"
	"slices"

	"scramblelab/internal/attack"
	"scramblelab/internal/infer"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
)

// level is the coverage of all intervals.
const level = 0.95

// confident is the posterior from which an abstaining intruder makes a claim.
const confident = 0.9

// Key names a serial, and its year where serials are drawn per year (else 0).
type Key struct{ Serial, Year int32 }

// Truth says which employers a serial stands for: one, or the members of a
// merged unit.
type Truth map[Key][]int32

func (t Truth) right(c attack.Claim) bool {
	return c.Employer >= 0 && slices.Contains(t[Key{c.Serial, c.Year}], c.Employer)
}

// merged reports whether a serial stands for several employers.
func (t Truth) merged(u attack.Unit) bool { return len(t[Key{u.Serial, u.Year}]) > 1 }

// Fragment is what scoring knows of the employers behind a release.
type Fragment struct {
	Truth  Truth
	Sector []string  // by employer code, for the breakdown; nil for none
	Staff  []float64 // public mean head count by employer code, for the baseline of workers exposed; nil means alike
	// Favour is the largest chance of an employer to be drawn over the mean
	// chance: what an intruder who knows the design and not the release gains by
	// guessing well. 0 means 1.
	Favour float64
}

// Variant is one attack on employers: at the top of its metrics stands the
// variant with noise 1 and full knowledge of the method, the others are rows of
// By under their Group.
type Variant struct {
	Group        string // "", "noise=0.5", "knowledge=none", "years=3" …
	Fingerprints *attack.Fingerprints
	// Sampled says that some serials only were attacked: then what depends on the
	// competition between serials, the one-to-one claims and posteriors, has no
	// row.
	Sampled bool
}

// Employers is [Fragment.Employers] for a fragment of which only the truth is
// known.
func Employers(truth Truth, variants []Variant) ([]metric.Metric, error) {
	return Fragment{Truth: truth}.Employers(variants)
}

// Employers scores the attacks of one adversary on employers. The first variant
// is the top row; its rows by size class of the released head count follow
// (employers with one person apart as well, for there the age class is a
// person's age; units of several employers as merged), those by sector and by
// threshold of the measures that have them, then the other variants. The metrics
// are attack.employer.<method>.<adversary>.<measure>.
func (f Fragment) Employers(variants []Variant) ([]metric.Metric, error) {
	if len(variants) == 0 || variants[0].Group != "" || variants[0].Fingerprints == nil {
		return nil, fmt.Errorf("score: the first variant of an attack is the top row: want it present and its group empty")
	}
	name := variants[0].Fingerprints.Adversary.Name
	measures := employerMeasures(variants[0].Fingerprints.Adversary)
	f.Staff = slices.Clone(f.Staff)
	slices.SortFunc(f.Staff, func(a, b float64) int { return cmp.Compare(b, a) })
	out := make([]metric.Metric, len(measures))
	for i, m := range measures {
		out[i] = metric.Metric{
			Name: fmt.Sprintf("attack.employer.%s.%s.%s", m.method, name, m.name), Better: m.better, Unit: m.unit,
			Method: m.sentence, Knowledge: variants[0].Fingerprints.Knowledge,
		}
	}
	for v, variant := range variants {
		claims, err := f.claimsOf(variant.Fingerprints)
		if err != nil {
			return nil, fmt.Errorf("score: %s: %w", name, err)
		}
		for i, m := range measures {
			if variant.Sampled && m.method != attack.Nearest {
				continue
			}
			row := m.row(claims.outcomes(m.method, nil))
			row.Group = variant.Group
			if v > 0 {
				out[i].By = append(out[i].By, row)
				continue
			}
			out[i].Row = row
			out[i].By = append(out[i].By, f.breakdown(claims, m)...)
		}
	}
	return out, nil
}

// breakdown are the rows by size, sector and threshold of one measure.
func (f Fragment) breakdown(claims claimSet, m employerMeasure) []metric.Row {
	var out []metric.Row
	truth := f.Truth
	part := func(group string, keep func(attack.Unit) bool) {
		row := m.row(claims.outcomes(m.method, keep))
		row.Group = group
		out = append(out, row)
	}
	if m.at != nil {
		all := claims.outcomes(m.method, nil)
		for _, t := range thresholds {
			row := m.at(all, t)
			row.Group = fmt.Sprintf("threshold=%v", t)
			out = append(out, row)
		}
		return out
	}
	// A merged unit says nothing of employers of its size.
	for _, size := range sizes(claims, truth) {
		part("size "+linked.SizeDict.Label(size), func(u attack.Unit) bool { return !truth.merged(u) && sizeOf(u) == size })
	}
	alone := func(u attack.Unit) bool { return !truth.merged(u) && u.Staff == 1 }
	if slices.ContainsFunc(claims.f.Units, alone) {
		part("one-person employers", alone)
	}
	if slices.ContainsFunc(claims.f.Units, truth.merged) {
		part("merged", truth.merged)
	}
	if f.Sector != nil && m.method == attack.Assignment && m.name == "top1" {
		sector := func(u attack.Unit) string {
			if members := truth[Key{u.Serial, u.Year}]; len(members) > 0 {
				return f.Sector[members[0]]
			}
			return ""
		}
		var labels []string
		for _, u := range claims.f.Units {
			if l := sector(u); l != "" {
				labels = append(labels, l)
			}
		}
		slices.Sort(labels)
		for _, l := range slices.Compact(labels) {
			part("sector "+l, func(u attack.Unit) bool { return sector(u) == l })
		}
	}
	return out
}

// thresholds of the posterior below which the intruder abstains.
var thresholds = []float64{0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99}

// claimSet holds what came of one variant by method, along its units.
type claimSet struct {
	f        *attack.Fingerprints
	outcomed map[string][]outcome
	exposes  float64 // share of staff that the best guess of every serial exposes; see outcomeSet
}

func (f Fragment) claimsOf(found *attack.Fingerprints) (claimSet, error) {
	assigned, err := found.Assignment()
	if err != nil {
		return claimSet{}, err
	}
	c := claimSet{f: found, outcomed: map[string][]outcome{}}
	for method, claims := range map[string][]attack.Claim{attack.Nearest: found.Nearest(), attack.Assignment: assigned, attack.Posterior: found.Posterior()} {
		c.outcomed[method] = f.outcomes(found, claims)
	}
	c.exposes = f.exposes(len(found.Units))
	return c, nil
}

func sizeOf(u attack.Unit) int32 { return linked.SizeCode(int32(min(1e9, u.Staff+0.5))) }

func sizes(c claimSet, truth Truth) []int32 {
	var out []int32
	for _, u := range c.f.Units {
		if s := sizeOf(u); s >= 0 && !truth.merged(u) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// outcome is one serial, its claim and whether it was right.
type outcome struct {
	unit    attack.Unit
	claim   attack.Claim
	owner   int32 // an employer that it stands for; -1 unknown
	right   bool
	five    bool    // the truth is among the five likeliest
	members float64 // how many employers it stands for
	guess   float64 // chance of the best guess
}

type outcomeSet struct {
	m       int
	list    []outcome
	members float64 // of a unit on average
	guess   float64 // chance of the best guess, on average over units
	exposes float64 // share of staff that the best one-to-one guesses expose
}

func (f Fragment) outcomes(found *attack.Fingerprints, claims []attack.Claim) []outcome {
	out := make([]outcome, len(found.Units))
	for i, u := range found.Units {
		members := f.Truth[Key{u.Serial, u.Year}]
		o := outcome{unit: u, claim: claims[i], right: f.Truth.right(claims[i]), owner: -1, members: float64(len(members))}
		if len(members) > 0 {
			o.owner = members[0]
		}
		for _, cand := range u.Candidates[:min(5, len(u.Candidates))] {
			o.five = o.five || slices.Contains(members, cand.Employer)
		}
		m := found.M
		if filed, ok := found.Filed[u.Year]; ok && u.Year != 0 {
			m = filed
		}
		o.guess = min(1, max(1, f.Favour)/float64(max(1, m)))
		out[i] = o
	}
	return out
}

// outcomes are those of the units that keep names, nil for all.
func (c claimSet) outcomes(method string, keep func(attack.Unit) bool) outcomeSet {
	out := outcomeSet{m: c.f.M, list: c.outcomed[method]}
	if keep != nil {
		out.list = nil
		for i := range c.outcomed[method] {
			if o := &c.outcomed[method][i]; keep(o.unit) {
				out.list = append(out.list, *o)
			}
		}
	}
	for i := range out.list {
		out.guess += out.list[i].guess
		out.members += out.list[i].members
	}
	out.members /= float64(max(1, len(out.list)))
	out.guess /= float64(max(1, len(out.list)))
	out.exposes = max(c.exposes, out.prior(1))
	return out
}

// exposes is the share of the staff that a guess exposes of who takes the
// largest employers for the fragment of so many units and draws their serials;
// 0 where staff is unknown. Staff must be in descending order.
func (f Fragment) exposes(units int) float64 {
	if f.Staff == nil || units == 0 {
		return 0
	}
	top, all := 0.0, 0.0
	for i, n := range f.Staff {
		all += n
		if i < units {
			top += n
		}
	}
	if all == 0 {
		return 0
	}
	return top / all / float64(units)
}

type employerMeasure struct {
	method, name, unit string
	better             metric.Direction
	sentence           string
	row                func(outcomeSet) metric.Row
	at                 func(outcomeSet, float64) metric.Row // at a threshold of the posterior; nil for measures that are broken down by size
}

func employerMeasures(a attack.Adversary) []employerMeasure {
	about := "An intruder who knows " + a.Knows + " says which employer each serial number is; employer fingerprint, METHODS 2.5. "
	lower := " Lower is safer."
	return []employerMeasure{
		{attack.Nearest, "top1", "share", metric.Lower, about + "Share of serials whose likeliest employer is the right one; equally likely ones are drawn from." + lower, top1, nil},
		{attack.Nearest, "top5", "share", metric.Lower, about + "Share of serials whose right employer is among the five likeliest." + lower, top5, nil},
		{attack.Nearest, "anonymity-set", "employers", metric.Higher, about + "Median over serials of the effective number of employers among which the intruder hesitates, 2^entropy. Higher is safer.", anonymity, nil},
		{attack.Assignment, "top1", "share", metric.Lower, about + "Share of serials named rightly by the likeliest one-to-one assignment." + lower, top1, nil},
		{attack.Assignment, "workers-exposed", "share", metric.Lower, about + "Share of the fragment's staff who work for an employer that the one-to-one assignment names rightly." + lower, exposed, nil},
		{attack.Assignment, "claims", "share", metric.Neither, about + "Share of serials for which the one-to-one assignment names an employer at all.", claimed, nil},
		{attack.Assignment, "false-claims", "share", metric.Higher, about + "Share of wrong ones among the one-to-one claims. Higher is safer.", wrong, nil},
		{attack.Posterior, "precision50", "share", metric.Lower, about + "Share of right ones among the claims that the intruder holds for likelier than not; n is the number of such claims." + lower, precisionAt(0.5), nil},
		{attack.Posterior, "named50", "share", metric.Lower, about + "Share of serials that the intruder names more likely than not, and rightly." + lower, namedAt(0.5), nil},
		{attack.Posterior, "precision", "share", metric.Lower, about + "Precision of an intruder who abstains below a threshold of his posterior: the top row is no threshold, the others make the precision-recall curve with recall." + lower, precisionAt(0), precisionOf},
		{attack.Posterior, "recall", "share", metric.Lower, about + "Share of all serials that he names rightly, by the same thresholds." + lower, namedAt(0), namedOf},
		{attack.Posterior, "precision90", "share", metric.Lower, about + "Share of right ones among the claims that the intruder holds for at least 90 % sure; n is the number of such claims." + lower, precisionAt(confident), nil},
		{attack.Posterior, "claims90", "share", metric.Lower, about + "Share of serials for which the intruder is at least 90 % sure of an employer, right or wrong." + lower, claimsAt(confident), nil},
		{attack.Posterior, "named90", "share", metric.Lower, about + "Share of serials that the intruder names at least 90 % sure, and rightly." + lower, namedAt(confident), nil},
	}
}

// share is a row of successes among n independent attempts.
func share(successes, n, m int, baseline float64, none string) metric.Row {
	if n == 0 {
		r := metric.Missing("", none)
		r.M = int64(m)
		return r
	}
	iv, err := infer.Wilson(float64(successes), float64(n), level)
	if err != nil {
		return metric.Missing("", err.Error())
	}
	return metric.Row{
		Value: metric.Number(iv.Value), Low: metric.Number(iv.Low), High: metric.Number(iv.High), Level: level,
		N: int64(n), M: int64(m), Baseline: metric.Number(baseline),
	}
}

// prior is the chance that one of k guesses without the release names a member
// of the unit, on average over units.
func (s outcomeSet) prior(k int) float64 {
	return min(1, float64(k)*max(1, s.members)*s.guess)
}

const noSerials = "the release has no serial to attack"

// ratio is the share of the serials in of that are also in is. Serials of one
// employer, of several years, succeed together.
func (s outcomeSet) ratio(is, of func(outcome) bool, weight func(outcome) float64, baseline float64, none string) metric.Row {
	var found, all []float64
	at := map[int32]int{}
	for _, o := range s.list {
		if !of(o) || weight(o) <= 0 {
			continue
		}
		k, ok := at[o.owner]
		if !ok || o.owner < 0 {
			k = len(all)
			at[o.owner] = k
			found, all = append(found, 0), append(all, 0)
		}
		all[k] += weight(o)
		if is(o) {
			found[k] += weight(o)
		}
	}
	return clustered(found, all, s.m, baseline, none)
}

func anything(outcome) bool { return true }

func one(outcome) float64 { return 1 }

func right(o outcome) bool { return o.right }

func top1(s outcomeSet) metric.Row { return s.ratio(right, anything, one, s.prior(1), noSerials) }

func top5(s outcomeSet) metric.Row {
	return s.ratio(func(o outcome) bool { return o.five }, anything, one, s.prior(5), noSerials)
}

// sure reports whether a claim is made by an intruder who abstains below a
// posterior.
func (o outcome) sure(threshold float64) bool {
	return o.claim.Employer >= 0 && o.claim.Posterior >= threshold
}

func precisionOf(s outcomeSet, t float64) metric.Row {
	return s.ratio(right, func(o outcome) bool { return o.sure(t) }, one, s.prior(1), fmt.Sprintf("the intruder is never %v %% sure", 100*t))
}

func namedOf(s outcomeSet, t float64) metric.Row {
	return s.ratio(func(o outcome) bool { return o.sure(t) && o.right }, anything, one, s.prior(1), noSerials)
}

func precisionAt(t float64) func(outcomeSet) metric.Row {
	return func(s outcomeSet) metric.Row { return precisionOf(s, t) }
}

func namedAt(t float64) func(outcomeSet) metric.Row {
	return func(s outcomeSet) metric.Row { return namedOf(s, t) }
}

func claimsAt(t float64) func(outcomeSet) metric.Row {
	return func(s outcomeSet) metric.Row {
		return s.ratio(func(o outcome) bool { return o.sure(t) }, anything, one, 0, noSerials)
	}
}

func claimed(s outcomeSet) metric.Row {
	return s.ratio(func(o outcome) bool { return o.claim.Employer >= 0 }, anything, one, 1, noSerials)
}

func wrong(s outcomeSet) metric.Row {
	return s.ratio(func(o outcome) bool { return !o.right }, func(o outcome) bool { return o.claim.Employer >= 0 }, one, 1-s.prior(1), "the intruder makes no claim")
}

// exposed weighs serials by their staff: clusters of people who are found or
// hidden together.
func exposed(s outcomeSet) metric.Row {
	return s.ratio(right, anything, func(o outcome) float64 { return o.unit.Staff }, s.exposes, "no serial has staff")
}

func clustered(successes, trials []float64, m int, baseline float64, none string) metric.Row {
	total := 0.0
	for _, t := range trials {
		total += t
	}
	if total == 0 {
		r := metric.Missing("", none)
		r.M = int64(m)
		return r
	}
	iv, err := infer.ClusterWilson(successes, trials, level)
	if err != nil {
		return metric.Missing("", err.Error())
	}
	return metric.Row{
		Value: metric.Number(iv.Value), Low: metric.Number(iv.Low), High: metric.Number(iv.High), Level: level,
		N: int64(total + 0.5), M: int64(m), Baseline: metric.Number(baseline),
	}
}

// anonymity is a median with the distribution-free interval of order
// statistics.
func anonymity(s outcomeSet) metric.Row {
	var v []float64
	for _, o := range s.list {
		if len(o.unit.Candidates) > 0 {
			v = append(v, o.unit.AnonymitySet)
		}
	}
	if len(v) == 0 {
		r := metric.Missing("", "no serial can be compared with the public file")
		r.M = int64(s.m)
		return r
	}
	slices.Sort(v)
	lo, hi := infer.BinomialBand(len(v), 0.5, 1-level)
	n := len(v)
	return metric.Row{
		Value: metric.Number((v[(n-1)/2] + v[n/2]) / 2), Low: metric.Number(v[max(0, lo-1)]), High: metric.Number(v[min(n-1, hi)]), Level: level,
		N: int64(n), M: int64(s.m), Baseline: metric.Number(s.m),
	}
}

// FalseClaims looks from the other side: employers of the public file that are
// not in the fragment are decoys, and naming one is a false claim. It returns
// the metrics attack.employer.assignment.<adversary>.decoys, the share of
// one-to-one claims that name an employer outside the fragment, and
// attack.employer.posterior.<adversary>.decoy-claims, the share of such employers
// whom the intruder believes, more likely than not, to have found.
func FalseClaims(truth Truth, f *attack.Fingerprints) ([]metric.Metric, error) {
	claims, err := f.Assignment()
	if err != nil {
		return nil, err
	}
	inside, accused := map[int32]bool{}, map[int32]bool{}
	for _, u := range f.Units {
		for _, e := range truth[Key{u.Serial, u.Year}] {
			inside[e] = true
		}
	}
	made, decoys := 0, 0
	for _, c := range claims {
		if c.Employer >= 0 {
			made++
			if !inside[c.Employer] {
				decoys++
			}
		}
	}
	for _, c := range f.Posterior() {
		if c.Employer >= 0 && c.Posterior >= 0.5 && !inside[c.Employer] {
			accused[c.Employer] = true
		}
	}
	outside := max(0, f.M-len(inside))
	return []metric.Metric{
		{
			Name: "attack.employer.assignment." + f.Adversary.Name + ".decoys", Better: metric.Higher, Unit: "share", Knowledge: f.Knowledge,
			Row:    share(decoys, made, f.M, float64(outside)/float64(max(1, f.M)), "the intruder makes no claim"),
			Method: "Share of the one-to-one claims that name an employer which is not in the fragment at all; baseline is a claim drawn from the public file. Higher is safer.",
		},
		{
			Name: "attack.employer.posterior." + f.Adversary.Name + ".decoy-claims", Better: metric.Higher, Unit: "share", Knowledge: f.Knowledge,
			Row:    share(min(outside, len(accused)), outside, f.M, 0, "every employer of the public file is in the fragment"),
			Method: "Share of the employers outside the fragment whom the intruder believes, more likely than not, to have found in it. Higher is safer.",
		},
	}, nil
}

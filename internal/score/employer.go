// Package score joins the claims of intruders with the truth: hits, false
// claims, baselines and intervals, as metrics of a report. It is the only
// package that sees both sides. Values are shares s/n with a Wilson interval;
// where workers or years of one employer are attacked together the interval has a
// design effect. The baseline of a linkage is the intruder's chance without the
// release, 1/M, never one that uses the release (METHODS 2).
package score

import (
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

// Variant is one attack on employers: at the top of its metrics stands the
// variant with noise 1 and full knowledge of the method, the others are rows of
// By under their Group.
type Variant struct {
	Group        string // "", "noise=0.5", "knowledge=none" …
	Fingerprints *attack.Fingerprints
}

// Employers scores the attacks of one adversary on employers. The first variant
// is the top row; its rows by size class of the released head count follow
// (units of several employers apart, as merged), then the other variants. The
// metrics are attack.employer.<method>.<adversary>.<measure>.
func Employers(truth Truth, variants []Variant) ([]metric.Metric, error) {
	if len(variants) == 0 || variants[0].Group != "" || variants[0].Fingerprints == nil {
		return nil, fmt.Errorf("score: the first variant of an attack is the top row: want it present and its group empty")
	}
	name := variants[0].Fingerprints.Adversary.Name
	measures := employerMeasures(variants[0].Fingerprints.Adversary)
	out := make([]metric.Metric, len(measures))
	for i, m := range measures {
		out[i] = metric.Metric{
			Name: fmt.Sprintf("attack.employer.%s.%s.%s", m.method, name, m.name), Better: m.better, Unit: m.unit,
			Method: m.sentence, Knowledge: variants[0].Fingerprints.Knowledge,
		}
	}
	for v, variant := range variants {
		claims, err := claimsOf(variant.Fingerprints)
		if err != nil {
			return nil, fmt.Errorf("score: %s: %w", name, err)
		}
		for i, m := range measures {
			row := m.row(outcomes(truth, claims, m.method, nil))
			row.Group = variant.Group
			if v > 0 {
				out[i].By = append(out[i].By, row)
				continue
			}
			out[i].Row = row
			// A merged unit says nothing of employers of its size.
			for _, size := range sizes(claims, truth) {
				code := size
				part := m.row(outcomes(truth, claims, m.method, func(u attack.Unit) bool { return !truth.merged(u) && sizeOf(u) == code }))
				part.Group = "size " + linked.SizeDict.Label(size)
				out[i].By = append(out[i].By, part)
			}
			if slices.ContainsFunc(claims.f.Units, truth.merged) {
				part := m.row(outcomes(truth, claims, m.method, truth.merged))
				part.Group = "merged"
				out[i].By = append(out[i].By, part)
			}
		}
	}
	return out, nil
}

// claimSet holds the claims of one variant by method, along its units.
type claimSet struct {
	f      *attack.Fingerprints
	claims map[string][]attack.Claim
}

func claimsOf(f *attack.Fingerprints) (claimSet, error) {
	assigned, err := f.Assignment()
	if err != nil {
		return claimSet{}, err
	}
	return claimSet{f, map[string][]attack.Claim{attack.Nearest: f.Nearest(), attack.Assignment: assigned, attack.Posterior: f.Posterior()}}, nil
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
	unit  attack.Unit
	claim attack.Claim
	owner int32 // an employer that it stands for; -1 unknown
	right bool
	five  bool // the truth is among the five likeliest
}

type outcomeSet struct {
	m       int
	list    []outcome
	members float64 // of a unit on average
}

func outcomes(truth Truth, c claimSet, method string, keep func(attack.Unit) bool) outcomeSet {
	out := outcomeSet{m: c.f.M}
	for i, u := range c.f.Units {
		if keep != nil && !keep(u) {
			continue
		}
		claim := c.claims[method][i]
		o := outcome{unit: u, claim: claim, right: truth.right(claim), owner: -1}
		if members := truth[Key{u.Serial, u.Year}]; len(members) > 0 {
			o.owner = members[0]
		}
		for _, cand := range u.Candidates[:min(5, len(u.Candidates))] {
			o.five = o.five || slices.Contains(truth[Key{u.Serial, u.Year}], cand.Employer)
		}
		out.list = append(out.list, o)
		out.members += float64(len(truth[Key{u.Serial, u.Year}]))
	}
	out.members /= float64(max(1, len(out.list)))
	return out
}

type employerMeasure struct {
	method, name, unit string
	better             metric.Direction
	sentence           string
	row                func(outcomeSet) metric.Row
}

func employerMeasures(a attack.Adversary) []employerMeasure {
	about := "An intruder who knows " + a.Knows + " says which employer each serial number is; employer fingerprint, METHODS 2.5. "
	lower := " Lower is safer."
	return []employerMeasure{
		{attack.Nearest, "top1", "share", metric.Lower, about + "Share of serials whose likeliest employer is the right one; equally likely ones are drawn from." + lower, top1},
		{attack.Nearest, "top5", "share", metric.Lower, about + "Share of serials whose right employer is among the five likeliest." + lower, top5},
		{attack.Nearest, "anonymity-set", "employers", metric.Higher, about + "Median over serials of the effective number of employers among which the intruder hesitates, 2^entropy. Higher is safer.", anonymity},
		{attack.Assignment, "top1", "share", metric.Lower, about + "Share of serials named rightly by the likeliest one-to-one assignment." + lower, top1},
		{attack.Assignment, "workers-exposed", "share", metric.Lower, about + "Share of the fragment's staff who work for an employer that the one-to-one assignment names rightly." + lower, exposed},
		{attack.Posterior, "precision90", "share", metric.Lower, about + "Share of right ones among the claims that the intruder holds for at least 90 % sure; n is the number of such claims." + lower, precision},
		{attack.Posterior, "claims90", "share", metric.Lower, about + "Share of serials for which the intruder is at least 90 % sure of an employer, right or wrong." + lower, claims90},
		{attack.Posterior, "named90", "share", metric.Lower, about + "Share of serials that the intruder names at least 90 % sure, and rightly." + lower, named90},
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

// prior is the chance that one of k guesses among the employers of the public
// file names a member of the unit, on average over units.
func (s outcomeSet) prior(k int) float64 {
	return min(1, float64(k)*max(1, s.members)/float64(max(1, s.m)))
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

func sure(o outcome) bool { return o.claim.Employer >= 0 && o.claim.Posterior >= confident }

func precision(s outcomeSet) metric.Row {
	return s.ratio(right, sure, one, s.prior(1), "the intruder is never 90 % sure")
}

func claims90(s outcomeSet) metric.Row { return s.ratio(sure, anything, one, 0, noSerials) }

func named90(s outcomeSet) metric.Row {
	return s.ratio(func(o outcome) bool { return sure(o) && o.right }, anything, one, s.prior(1), noSerials)
}

// exposed weighs serials by their staff: clusters of people who are found or
// hidden together.
func exposed(s outcomeSet) metric.Row {
	return s.ratio(right, anything, func(o outcome) float64 { return o.unit.Staff }, s.prior(1), "no serial has staff")
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
// the metric attack.employer.assignment.<adversary>.decoys: the share of claims
// that name an employer outside the fragment.
func FalseClaims(truth Truth, f *attack.Fingerprints) (metric.Metric, error) {
	claims, err := f.Assignment()
	if err != nil {
		return metric.Metric{}, err
	}
	inside := map[int32]bool{}
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
	row := share(decoys, made, f.M, max(0, 1-float64(len(inside))/float64(max(1, f.M))), "the intruder makes no claim")
	return metric.Metric{
		Name: "attack.employer.assignment." + f.Adversary.Name + ".decoys", Row: row, Better: metric.Higher, Unit: "share", Knowledge: f.Knowledge,
		Method: "Share of the one-to-one claims that name an employer which is not in the fragment at all; baseline is a claim drawn from the public file. Higher is safer.",
	}, nil
}

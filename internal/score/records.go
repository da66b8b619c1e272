package score

import (
	"cmp"
	"slices"

	"scramblelab/internal/attack"
)

// Record is the risk of one serial under one adversary. It names the employer:
// it is for the owner of the data alone.
type Record struct {
	Key
	Employer     int32 // whose serial it is, or the first member of a merged unit; -1 unknown
	Claim        int32 // whom the one-to-one assignment names; -1 nobody
	Right        bool
	Staff        float64 // mean released head count
	Posterior    float64 // what the intruder gives the right employer, in [0, 1]
	Rank         int     // of the right employer among his candidates, from 1; 0 where it is not among them
	AnonymitySet float64 // effective number of employers among whom he hesitates
}

// Records lists every serial of an attack in the order of its units.
func (f Fragment) Records(found *attack.Fingerprints) ([]Record, error) {
	claims, err := found.Assignment()
	if err != nil {
		return nil, err
	}
	scaled := found.Posteriors()
	out := make([]Record, len(found.Units))
	for i, u := range found.Units {
		k := Key{u.Serial, u.Year}
		r := Record{Key: k, Employer: -1, Claim: claims[i].Employer, Right: f.Truth.right(claims[i]), Staff: u.Staff, AnonymitySet: u.AnonymitySet}
		members := f.Truth[k]
		if len(members) > 0 {
			r.Employer = members[0]
		}
		for j, c := range u.Candidates {
			if !slices.Contains(members, c.Employer) {
				continue
			}
			r.Posterior += scaled[i][j]
			if r.Rank == 0 {
				r.Rank = j + 1
			}
		}
		r.Posterior = min(1, r.Posterior)
		out[i] = r
	}
	return out, nil
}

// Worst are the n records at the highest risk, worst first: those whose right
// employer the intruder believes in most, larger employers first among equals.
func Worst(records []Record, n int) []Record {
	out := slices.Clone(records)
	slices.SortStableFunc(out, func(a, b Record) int {
		return cmp.Or(cmp.Compare(b.Posterior, a.Posterior), cmp.Compare(b.Staff, a.Staff), cmp.Compare(a.Serial, b.Serial), cmp.Compare(a.Year, b.Year))
	})
	return out[:min(n, len(out))]
}

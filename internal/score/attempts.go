package score

import (
	"cmp"
	"maps"
	"slices"

	"scramblelab/internal/metric"
)

// Group is a part of the targets that gets a row of its own. Rows stand in the
// order of Rank, then of Name.
type Group struct {
	Rank int32
	Name string
}

func compareGroups(a, b Group) int {
	return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Name, b.Name))
}

// leastRow is how many attempts a group other than a size needs for a row.
const leastRow = 10

// Attempt is one try of an intruder, judged.
type Attempt struct {
	Cluster  int32 // tries of one cluster (an employer) succeed together
	Hit      bool
	Baseline float64 // chance of a hit of the same intruder without the release, in [0, 1]
	Groups   []Group
}

// rate is the top row of some attempts and their rows by group: s/n with a
// Wilson interval whose design effect is that of the clusters. m is the size of
// the file that the target hides in.
func rate(attempts []Attempt, m int, none string) (top metric.Row, by []metric.Row) {
	groups := map[Group][]int{}
	all := make([]int, len(attempts))
	for i, a := range attempts {
		all[i] = i
		for _, g := range a.Groups {
			groups[g] = append(groups[g], i)
		}
	}
	names := make([]Group, 0, len(groups))
	for g := range groups {
		names = append(names, g)
	}
	slices.SortFunc(names, compareGroups)
	for _, g := range names {
		if g.Rank >= rankSector && len(groups[g]) < leastRow {
			continue
		}
		r := rateOf(attempts, groups[g], m, none)
		r.Group = g.Name
		by = append(by, r)
	}
	return rateOf(attempts, all, m, none), by
}

func sortedGroups(set map[Group]bool) []Group {
	return slices.SortedFunc(maps.Keys(set), compareGroups)
}

func rateOf(attempts []Attempt, which []int, m int, none string) metric.Row {
	at := map[int32]int{}
	var hits, all []float64
	base := 0.0
	for _, i := range which {
		a := attempts[i]
		k, ok := at[a.Cluster]
		if !ok {
			k = len(all)
			at[a.Cluster] = k
			hits, all = append(hits, 0), append(all, 0)
		}
		all[k]++
		if a.Hit {
			hits[k]++
		}
		base += a.Baseline
	}
	return clustered(hits, all, m, base/max(1, float64(len(which))), none)
}

func ascending(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

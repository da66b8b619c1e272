package score

import (
	"scramblelab/internal/attack"
	"scramblelab/internal/metric"
)

// PhaseTwo scores claims made with the exact tables of the whole selection: the
// metric attack.employer.phase-two.on-site.top1. m is the number of employers in
// those tables.
func PhaseTwo(truth Truth, claims []attack.Claim, knowledge string, m int) metric.Metric {
	var tries []Attempt
	for _, c := range claims {
		members := truth[Key{c.Serial, c.Year}]
		a := Attempt{Cluster: c.Serial, Hit: truth.right(c), Baseline: min(1, float64(max(1, len(members)))/float64(max(1, m)))}
		if len(members) > 0 {
			a.Cluster = members[0]
		}
		tries = append(tries, a)
	}
	top, by := rate(tries, m, noSerials)
	return metric.Metric{
		Name: "attack.employer.phase-two.on-site.top1", Row: top, By: by, Better: metric.Lower, Unit: "share", Knowledge: knowledge,
		Method: "Share of serials that a researcher names who works on the exact tables of phase two and remembers the fragment: employers with the same head counts, and of these the one whose cells differ least. Whoever knows the original file can do as much: an upper bound for every intruder who knows less. Lower is safer.",
	}
}

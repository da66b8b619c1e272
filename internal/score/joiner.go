package score

import (
	"math"

	"scramblelab/internal/attack"
	"scramblelab/internal/metric"
)

// Near is how far a claimed wage may be off, in euro per year.
const Near = 5000

// JoinerCase is a claim about the newcomer of a cell, with the truth.
type JoinerCase struct {
	Claim    attack.JoinerClaim
	Employer int32
	Joined   bool    // exactly one person of that level and field joined that employer in that year
	Wage     float64 // of that person, NaN if nobody joined
	Guess    float64 // without the release, for a person of that level, field and sector
	Groups   []Group
}

// Joiners scores year differencing: a claim is right if somebody joined and the
// wage is within 5,000 euro. The metric is
// attack.worker.year-difference.<adversary>.within-5000; the row "somebody
// joined" leaves out the cells in which the scramble made the second worker up.
func Joiners(adversary, knowledge string, cases []JoinerCase, m int) metric.Metric {
	var all []Attempt
	joined := Group{-1, "somebody joined"}
	for _, c := range cases {
		a := Attempt{Cluster: c.Employer, Groups: c.Groups}
		if c.Joined {
			a.Hit = math.Abs(c.Claim.Wage-c.Wage) <= Near
			a.Groups = append([]Group{joined}, c.Groups...)
			if math.Abs(c.Guess-c.Wage) <= Near {
				a.Baseline = 1
			}
		}
		all = append(all, a)
	}
	top, by := rate(all, m, "no cell goes from one worker to two, or the release shows no whole counts, wages or years")
	return metric.Metric{
		Name: "attack.worker.year-difference." + adversary + ".within-5000", Row: top, By: by, Better: metric.Lower, Unit: "share", Knowledge: knowledge,
		Method: "A cell that goes from one worker to two tells what the newcomer earns: twice the class of the two less the class of the first a year ago, grown as wages grew (METHODS 2.5). Share of such claims within 5,000 euro of the wage of somebody who did join; the employer is known, baseline is the median wage outside the fragment by level, field and sector. Lower is safer.",
	}
}

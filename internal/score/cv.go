package score

import (
	"fmt"

	"scramblelab/internal/attack"
	"scramblelab/internal/metric"
)

// CVTruth is what finds by CVs are compared with.
type CVTruth struct {
	Known     int      // CVs that the intruder has of every employer
	Knowledge string   // state of knowledge of the top row
	M         int      // employers of the selection
	Serials   int      // released: the right one is among them
	Inside    []CVCase // employers of the fragment
	Outside   []CVCase // decoys
}

// CVCase is one employer that was looked for.
type CVCase struct {
	Employer int32
	Right    int32 // its serial, -1 outside the fragment
	Find     attack.CVFind
	Groups   []Group
	// Variant names a search under other assumptions, such as "miscoding=0.05";
	// "" is the top row.
	Variant string
}

// CVs scores searches for employers by some CVs of their staff: whose employer
// is in the fragment, and which serial it is. The metrics are
// attack.employer.cv.<cv-k>.top1, .named90, .precision90 and .false-claims, and
// attack.membership.cv.<cv-k>.auc, .tpr1 and .tpr01.
func CVs(t CVTruth) []metric.Metric {
	name := fmt.Sprintf("cv-%d", t.Known)
	about := fmt.Sprintf("An intruder who knows level, field, first and last year of %d persons on the staff of an employer, as in public CVs, says which serial it is; evidence of head counts over the years at the known swap rate, METHODS 2.5. ", t.Known)
	var all, sure, claims, decoys []Attempt
	chance := 1 / float64(max(1, t.Serials))
	variants := map[string][]Attempt{}
	var order []string
	for _, c := range t.Inside {
		hit := c.Find.Serial == c.Right && c.Right >= 0
		a := Attempt{Cluster: c.Employer, Hit: hit, Baseline: chance, Groups: c.Groups}
		if c.Variant != "" {
			if variants[c.Variant] == nil {
				order = append(order, c.Variant)
			}
			variants[c.Variant] = append(variants[c.Variant], a)
			continue
		}
		all = append(all, a)
		certain := c.Find.Posterior >= confident
		if certain {
			claims = append(claims, a)
		}
		a.Hit = hit && certain
		sure = append(sure, a)
	}
	var in, out []float64
	for _, c := range t.Inside {
		if c.Variant == "" {
			in = append(in, c.Find.Inside)
		}
	}
	for _, c := range t.Outside {
		if c.Variant == "" {
			out = append(out, c.Find.Inside)
			decoys = append(decoys, Attempt{Cluster: c.Employer, Hit: c.Find.Posterior >= confident})
		}
	}
	make1 := func(measure, sentence string, attempts []Attempt, none string, better metric.Direction) metric.Metric {
		top, by := rate(attempts, t.Serials, none)
		return metric.Metric{Name: "attack.employer.cv." + name + "." + measure, Row: top, By: by, Better: better, Unit: "share", Knowledge: t.Knowledge, Method: sentence}
	}
	none := fmt.Sprintf("no employer of the fragment has %d persons whose CVs could be known", t.Known)
	top1 := make1("top1", about+"Share of employers of the fragment whose likeliest serial is the right one. Lower is safer.", all, none, metric.Lower)
	for _, v := range order {
		row := rateOf(variants[v], ascending(len(variants[v])), t.Serials, none)
		row.Group = v
		top1.By = append(top1.By, row)
	}
	ms := []metric.Metric{top1,
		make1("named90", about+"Share of employers of the fragment that the intruder names at least 90 % sure, and rightly. Lower is safer.", sure, none, metric.Lower),
		make1("precision90", about+"Share of right ones among the claims that the intruder holds for at least 90 % sure. Lower is safer.", claims, "the intruder is never 90 % sure", metric.Lower),
		make1("false-claims", about+"Share of employers outside the fragment for which he is at least 90 % sure of a serial: false finds. Higher is safer.", decoys, "no employer outside the fragment has such staff", metric.Higher),
	}
	return append(ms, Membership("cv", name, t.Knowledge,
		fmt.Sprintf("Is an employer in the fragment? Asked by somebody who knows %d CVs of its staff.", t.Known), in, out, t.M)...)
}

package fidelity

import (
	"fmt"
	"math"
	"strings"

	"scramblelab/internal/estimate"
	"scramblelab/internal/metric"
)

// word is a sentence on what is left of something that people compute.
type word struct{ what, left string }

// verdictWords counts the verdicts of a model in one sentence.
func verdictWords(what string, terms []*term) []word {
	count := map[estimate.Verdict]int{}
	n := 0
	var named []string
	for _, t := range terms {
		if !estimated(t.fragment) {
			continue
		}
		v := estimate.Compare(t.fragment, t.release)
		count[v]++
		n++
		if v == estimate.Lost || v == estimate.Gained || v == estimate.Flipped {
			named = append(named, t.name+" ("+string(v)+")")
		}
	}
	if n == 0 {
		return []word{{what, "nothing could be estimated on the unscrambled fragment"}}
	}
	var parts []string
	for _, v := range []estimate.Verdict{estimate.Same, estimate.Weaker, estimate.Lost, estimate.Gained, estimate.Flipped, estimate.Unknown} {
		if count[v] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[v], v))
		}
	}
	text := fmt.Sprintf("of %d coefficients that the unscrambled fragment gives, %s", n, strings.Join(parts, ", "))
	const most = 6
	if len(named) > most {
		named = append(named[:most], fmt.Sprintf("and %d more", len(named)-most))
	}
	if len(named) > 0 {
		text += ". Another conclusion on " + strings.Join(named, ", ")
	}
	return []word{{what, text + "."}}
}

// flipWords names the effects whose sign the swap law expects to change, or that
// changed it: swapping moves head counts by level towards the pool's mix, so
// that an effect on a level drifts towards the effect on all staff.
func flipWords(terms []*term) []word {
	var out []word
	for _, t := range terms {
		a, b := t.fragment, t.release
		if !estimated(a) || math.IsNaN(b.Estimate) || a.Estimate*b.Estimate >= 0 || math.Abs(a.Estimate) < a.StdErr/2 {
			continue
		}
		switch {
		case t.predicted != nil && t.predicted.Estimate*a.Estimate < 0:
			out = append(out, word{t.name, fmt.Sprintf("the sign changes from %+.3f to %+.3f, as the law of swapping predicts (%+.3f): no luck of this key, and no larger file repairs it.", a.Estimate, b.Estimate, t.predicted.Estimate)})
		case t.predicted != nil:
			out = append(out, word{t.name, fmt.Sprintf("the sign changes from %+.3f to %+.3f, which the law of swapping does not predict (%+.3f): the luck of this key.", a.Estimate, b.Estimate, t.predicted.Estimate)})
		}
	}
	const most = 5
	return out[:min(most, len(out))]
}

// equivalentWords says a sub-sample equivalent in words.
func (s *setting) equivalentWords(what string, metrics []metric.Metric) []word {
	for _, m := range metrics {
		if !strings.HasSuffix(m.Name, "subsample") {
			continue
		}
		return s.saidOf(what, m)
	}
	return nil
}

// saidOf is a sub-sample equivalent in words.
func (s *setting) saidOf(what string, m metric.Metric) []word {
	text := "this scramble costs " + sampleWords(m.Row, s.units)
	if !m.Value.Valid() {
		text = sampleWords(m.Row, s.units)
	}
	for _, r := range m.By {
		text += "; of the whole selection, " + sampleWords(r, s.populationUnits)
	}
	return []word{{what, text + "."}}
}

// wordsTable puts the sentences in front.
func wordsTable(words []word) metric.Table {
	t := metric.Table{Name: "lost", Title: "What the scramble costs, in words", Columns: []string{"what people compute", "what is left"},
		Note: "Release against the same fragment, unscrambled. A scramble promises the same code path; the same conclusion is measured, and holds for these statistics on this release."}
	for _, w := range words {
		t.Rows = append(t.Rows, []string{w.what, w.left})
	}
	return t
}

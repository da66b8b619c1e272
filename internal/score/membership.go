package score

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/infer"
	"scramblelab/internal/metric"
)

// Membership scores an intruder who says of every unit how likely it is to be in
// the fragment: inside holds his scores of units that are, outside of units that
// are not. The metrics are attack.membership.<method>.<adversary>.auc, the chance
// that a unit inside scores above one outside (ties count half; interval of
// DeLong, DeLong and Clarke-Pearson 1988), and .tpr1 and .tpr01, the share of the
// units inside that he recognises while calling at most 1 % and 0.1 % of those
// outside members (Carlini et al. 2022). The interval of a share does not
// include the error of the threshold. Without the release all three are chance:
// 0.5, 0.01, 0.001.
func Membership(method, adversary, knowledge, about string, inside, outside []float64, m int) []metric.Metric {
	name := fmt.Sprintf("attack.membership.%s.%s.", method, adversary)
	out := []metric.Metric{{
		Name: name + "auc", Row: areaRow(inside, outside), Better: metric.Lower, Unit: "share", Knowledge: knowledge,
		Method: about + " The area under the curve of true against false positives: 0.5 is guessing, 1 is certainty; interval of DeLong et al. 1988. Lower is safer.",
	}}
	for _, f := range []struct {
		measure string
		rate    float64
	}{{"tpr1", 0.01}, {"tpr01", 0.001}} {
		out = append(out, metric.Metric{
			Name: name + f.measure, Row: recognised(inside, outside, f.rate), Better: metric.Lower, Unit: "share", Knowledge: knowledge,
			Method: fmt.Sprintf("%s Share of the members recognised when at most %v %% of the others are called members by mistake. Lower is safer.", about, 100*f.rate),
		})
	}
	for i := range out {
		out[i].M = int64(m)
	}
	return out
}

// areaRow is the area under the curve with its interval; without spread, that of
// Hanley and McNeil's worst case is replaced by Wilson's for the smaller side.
func areaRow(inside, outside []float64) metric.Row {
	if len(inside) == 0 || len(outside) == 0 {
		return metric.Missing("", "there are no units inside or none outside the fragment to tell apart")
	}
	in, out := slices.Clone(inside), slices.Clone(outside)
	slices.Sort(in)
	slices.Sort(out)
	// Placements: for each unit the share of the other side that it beats.
	v, w := placements(in, out), placements(out, in)
	area := mean(v)
	sd := math.Sqrt(variance(v)/float64(len(v)) + variance(w)/float64(len(w)))
	row := metric.Row{Level: level, N: int64(len(inside) + len(outside)), Baseline: 0.5}
	low, high := area-infer.Quantile(level)*sd, area+infer.Quantile(level)*sd
	if sd == 0 {
		n := float64(min(len(inside), len(outside)))
		iv, err := infer.Wilson(area*n, n, level)
		if err != nil {
			return metric.Missing("", err.Error())
		}
		low, high = iv.Low, iv.High
	}
	row.Value, row.Low, row.High = metric.Number(area), metric.Number(max(0, low)), metric.Number(min(1, high))
	return row
}

// clusteredArea is areaRow for units that come in clusters, named by inOf and
// outOf, whose scores and states go together: the variance is that of the sums of
// placements by cluster (Obuchowski 1997, Biometrics 53(2) 567-578), never below
// that of independent units.
func clusteredArea(inside, outside []float64, inOf, outOf []int32) metric.Row {
	row := areaRow(inside, outside)
	if !row.Value.Valid() {
		return row
	}
	sum, at := []float64(nil), map[int32]int{}
	add := func(of []int32, score, others []float64, sign float64) {
		order := make([]int, len(score))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score[a], score[b]) })
		sorted, rest := make([]float64, len(score)), slices.Clone(others)
		for i, k := range order {
			sorted[i] = score[k]
		}
		slices.Sort(rest)
		v := placements(sorted, rest)
		m := mean(v)
		for i, k := range order {
			c, ok := at[of[k]]
			if !ok {
				c = len(sum)
				at[of[k]] = c
				sum = append(sum, 0)
			}
			sum[c] += sign * (v[i] - m) / float64(len(v))
		}
	}
	add(inOf, inside, outside, 1)
	add(outOf, outside, inside, -1)
	clusters, square := float64(len(sum)), 0.0
	for _, x := range sum {
		square += float64(x * x)
	}
	if clusters < 2 {
		row.Low, row.High = 0, 1 // one cluster says nothing of the spread
		return row
	}
	half := infer.TQuantile(clusters-1, (1+level)/2) * math.Sqrt(clusters/(clusters-1)*square)
	row.Low, row.High = max(0, min(row.Low, row.Value-metric.Number(half))), min(1, max(row.High, row.Value+metric.Number(half)))
	return row
}

// placements returns for each of a the share of b below it, ties by half; both
// ascend.
func placements(a, b []float64) []float64 {
	out := make([]float64, len(a))
	lo, hi := 0, 0
	for i, x := range a {
		for lo < len(b) && b[lo] < x {
			lo++
		}
		for hi < len(b) && b[hi] <= x {
			hi++
		}
		out[i] = (float64(lo) + float64(hi)) / 2 / float64(len(b))
	}
	return out
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}

func variance(v []float64) float64 {
	if len(v) < 2 {
		return 0
	}
	m, s := mean(v), 0.0
	for _, x := range v {
		s += float64((x - m) * (x - m))
	}
	return s / float64(len(v)-1)
}

// recognised is the share of inside above the lowest threshold that at most a
// share of outside reaches. Units that tie with the threshold are not called
// members: a coin for them would be a draw without a key.
func recognised(inside, outside []float64, fpr float64) metric.Row {
	if float64(len(outside)) < 1/fpr {
		return metric.Missing("", fmt.Sprintf("%d units outside the fragment cannot show a false-positive rate of %v", len(outside), fpr))
	}
	if len(inside) == 0 {
		return metric.Missing("", "no unit inside the fragment")
	}
	out := slices.Clone(outside)
	slices.Sort(out)
	threshold := out[len(out)-1-int(fpr*float64(len(out)))]
	hits := 0
	for _, x := range inside {
		if x > threshold {
			hits++
		}
	}
	return share(hits, len(inside), 0, fpr, "no unit inside the fragment")
}

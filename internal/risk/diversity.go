package risk

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Diversity is how varied a sensitive attribute is among the records of one
// equivalence class.
type Diversity struct {
	Records   int
	Distinct  int     // number of values (distinct l-diversity)
	Entropy   float64 // exp of the entropy of their shares (entropy l-diversity)
	Recursive int     // largest l for which the class is recursively (c, l)-diverse
	Largest   float64 // share of the commonest value: alpha of (alpha, k)-anonymity
}

// Diversities returns the diversity of every class of rows with equal keys, in
// order of first appearance; c is that of recursive diversity, r1 < c(rl + … +
// rm) with r the sorted counts (Machanavajjhala et al. 2007). Classes are those
// of equal keys: missing is a value here, since who shares a class is not
// defined where wildcards overlap. A class of one value has l = 1 whatever c.
func Diversities(k Keys, sensitive []int32, c float64) ([]Diversity, error) {
	groups, err := k.groups(sensitive)
	if err != nil {
		return nil, err
	}
	out := make([]Diversity, len(groups))
	for g, counts := range groups {
		d := Diversity{Distinct: len(counts), Recursive: 1}
		n := make([]int, 0, len(counts))
		for _, v := range counts {
			n = append(n, v.n)
			d.Records += v.n
		}
		slices.SortFunc(n, func(a, b int) int { return cmp.Compare(b, a) })
		d.Largest = float64(n[0]) / float64(d.Records)
		h, tail := 0.0, 0
		for l := len(n); l >= 1; l-- {
			p := float64(n[l-1]) / float64(d.Records)
			h -= float64(p * math.Log(p))
			if tail += n[l-1]; d.Recursive == 1 && l > 1 && float64(n[0]) < c*float64(tail) {
				d.Recursive = l
			}
		}
		d.Entropy = math.Exp(h)
		out[g] = d
	}
	return out, nil
}

// valueCount is how many records of a class have a sensitive value.
type valueCount struct {
	value int32
	n     int
}

// groups counts sensitive values by class of equal keys; values ascend.
func (k Keys) groups(sensitive []int32) ([][]valueCount, error) {
	if len(sensitive) != k.rows || k.rows == 0 {
		return nil, fmt.Errorf("risk: %d sensitive values for %d records, want one each and at least one", len(sensitive), k.rows)
	}
	c := k.classes()
	rows := make([]int, k.rows)
	for i := range rows {
		rows[i] = i
	}
	slices.SortFunc(rows, func(a, b int) int {
		return cmp.Or(cmp.Compare(c.of[a], c.of[b]), cmp.Compare(sensitive[a], sensitive[b]))
	})
	out := make([][]valueCount, len(c.values))
	for _, i := range rows {
		g := &out[c.of[i]]
		if n := len(*g); n > 0 && (*g)[n-1].value == sensitive[i] {
			(*g)[n-1].n++
			continue
		}
		*g = append(*g, valueCount{sensitive[i], 1})
	}
	return out, nil
}

// Closeness is how far the sensitive attribute of the worst class lies from that
// of the whole file.
type Closeness struct {
	Nominal      float64 // ½Σ|q-p|, t-closeness with equal distances (Li, Li and Venkatasubramanian 2007)
	Ordered      float64 // Σ|cumulated q-p|/(m-1), for values in the order of their codes
	Beta         float64 // max (q-p)/p (Cao and Karras 2012)
	EnhancedBeta float64 // max of the smaller one of (q-p)/p and -ln p
	Delta        float64 // max |ln q/p| over values that the class has (Brickell and Shmatikov 2008)
	Alpha        float64 // max q
}

// NewCloseness takes the classes of equal keys, missing being a value.
func NewCloseness(k Keys, sensitive []int32) (Closeness, error) {
	var out Closeness
	groups, err := k.groups(sensitive)
	if err != nil {
		return out, err
	}
	total := map[int32]int{}
	for _, g := range groups {
		for _, v := range g {
			total[v.value] += v.n
		}
	}
	values := make([]int32, 0, len(total))
	for v := range total {
		values = append(values, v)
	}
	slices.Sort(values)
	for _, g := range groups {
		n, at := 0, 0
		for _, v := range g {
			n += v.n
		}
		nominal, cumulated, ordered := 0.0, 0.0, 0.0
		for _, v := range values {
			p, q := float64(total[v])/float64(k.rows), 0.0
			if at < len(g) && g[at].value == v {
				q = float64(g[at].n) / float64(n)
				at++
			}
			nominal += math.Abs(q - p)
			cumulated += q - p
			ordered += math.Abs(cumulated)
			out.Beta = max(out.Beta, (q-p)/p)
			out.EnhancedBeta = max(out.EnhancedBeta, min((q-p)/p, -math.Log(p)))
			out.Alpha = max(out.Alpha, q)
			if q > 0 {
				out.Delta = max(out.Delta, math.Abs(math.Log(q/p)))
			}
		}
		out.Nominal = max(out.Nominal, nominal/2)
		if len(values) > 1 {
			out.Ordered = max(out.Ordered, ordered/float64(len(values)-1))
		}
	}
	return out, nil
}

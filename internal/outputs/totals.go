package outputs

import (
	"math"
	"slices"
)

// checkTotals names a category of a dimension without total that is the sum of all
// others wherever it stands: a total under another label, through which the others
// would follow unseen. One that is the sum of those just before or after it in the
// file may be a subtotal, and holds the release back.
func (c *check) checkTotals(t *table) {
	names, values, counts := t.additive()
	if len(names) == 0 {
		return
	}
	m := max(0, slices.Index(counts, true))
	for k, d := range t.dims {
		if slices.Contains(t.nodes[k], 0) {
			continue
		}
		lines := t.lines(k)
		label := func(n int32) string { return c.dims[d].Labels[n] }
		if n := sumOfOthers(lines, values[m], t.nodes[k]); n >= 0 {
			c.fault("%s: %s=%s is the sum of all others: say total: %s at the dimension, or call it %q; a total that is not known as one gives away what is suppressed", t.path, c.dims[d].Name, label(n), label(n), label(0))
			continue
		}
		if n, parts := c.sumOfNeighbours(lines, values[m], t.nodes[k]); n >= 0 {
			c.report.hold("%s: %s=%s is the sum of the %d rows beside it: it may be a subtotal, which gives away what is suppressed; needs review: say so with groups, and give the table its total", t.path, c.dims[d].Name, label(n), parts)
		}
	}
}

// lines lists the rows of a table that differ in its k-th dimension alone, in the
// order of the file.
func (t *table) lines(k int) (out [][]int) {
	at := map[string]int{}
	node := make([]int32, len(t.dims))
	for row := range t.rows {
		for j := range t.dims {
			node[j] = t.nodes[j][row]
		}
		node[k] = 0
		key := keyOf(node)
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], row)
	}
	return out
}

// sumOfOthers returns the category that is the sum of all others in every line, of
// three categories at least; -1 if there is none.
func sumOfOthers(lines [][]int, values []float64, nodes []int32) int32 {
	candidates, first := map[int32]bool{}, true
	for _, line := range lines {
		sum := 0.0
		for _, row := range line {
			sum += values[row]
		}
		if sum == 0 || len(line) < 3 {
			continue
		}
		here := map[int32]bool{}
		for _, row := range line {
			if math.Abs(2*values[row]-sum) <= 1e-9*sum && (first || candidates[nodes[row]]) {
				here[nodes[row]] = true
			}
		}
		candidates, first = here, false
	}
	least := int32(-1)
	for n := range candidates {
		if least < 0 || n < least {
			least = n
		}
	}
	return least
}

// sumOfNeighbours returns a category that is, in every line, the sum of as many rows
// just before it, or just after it.
func (c *check) sumOfNeighbours(lines [][]int, values []float64, nodes []int32) (category int32, parts int) {
	const most = 200 // of categories looked through
	if len(lines) == 0 || len(lines[0]) > most {
		return -1, 0
	}
	large := 3 * float64(c.rules.Differencing.N) // small ones add up by chance
	for at, row := range lines[0] {
		if values[row] < large {
			continue
		}
		for _, step := range [2]int{-1, 1} {
			for n := 2; at+step*n >= 0 && at+step*n < len(lines[0]); n++ {
				if !slices.ContainsFunc(lines, func(line []int) bool { return !isSumOf(line, values, nodes, at, step, n, nodes[row]) }) {
					return nodes[row], n
				}
			}
		}
	}
	return -1, 0
}

// isSumOf reports whether the row at a place of a line is of a category and the sum
// of the n rows beside it.
func isSumOf(line []int, values []float64, nodes []int32, at, step, n int, category int32) bool {
	if at >= len(line) || nodes[line[at]] != category || at+step*n < 0 || at+step*n >= len(line) {
		return false
	}
	sum := 0.0
	for i := 1; i <= n; i++ {
		sum += values[line[at+step*i]]
	}
	return math.Abs(sum-values[line[at]]) <= 1e-9*sum
}

package strictyaml

import (
	"fmt"
	"strings"
)

// Suggest ends an error about a name that is not among those known.
func Suggest(name string, known []string) string {
	best, near := 2+len(name)/3, ""
	for _, k := range known {
		if d := editDistance(strings.ToLower(name), k); d < best && d < max(len(k), 2) {
			best, near = d, k
		}
	}
	if near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return fmt.Sprintf(" (known: %s)", strings.Join(known, ", "))
}

// editDistance counts insertions, deletions, replacements and exchanges of two
// neighbours (optimal string alignment).
func editDistance(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}

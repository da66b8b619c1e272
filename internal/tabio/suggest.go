package tabio

import (
	"fmt"
	"slices"
	"strings"
)

// among ends an error about a name that is not among those known: the nearest
// one, and the first ten.
func among(what, name string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	var b strings.Builder
	if near := nearest(name, known); near != "" {
		fmt.Fprintf(&b, ": did you mean %q?", near)
	}
	quoted := make([]string, min(len(known), 10))
	for i := range quoted {
		quoted[i] = fmt.Sprintf("%q", known[i])
	}
	fmt.Fprintf(&b, " (%s %s", what, strings.Join(quoted, ", "))
	if n := len(known) - len(quoted); n > 0 {
		fmt.Fprintf(&b, " and %d more", n)
	}
	b.WriteString(")")
	return b.String()
}

// nearest returns the known name at the least edit distance, "" where none is
// near.
func nearest(name string, known []string) string {
	best, near := 1+max(1, len(name)/3), ""
	name = strings.ToLower(name)
	for _, k := range known[:min(len(known), 10_000)] {
		if d := len(k) - len(name); d >= best || -d >= best {
			continue
		}
		if d := editDistance(name, strings.ToLower(k)); d < best {
			best, near = d, k
		}
	}
	return near
}

// editDistance counts insertions, deletions and replacements of bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			next := min(row[j]+1, row[j+1]+1, diagonal)
			if a[i] != b[j] {
				next = min(row[j]+1, row[j+1]+1, diagonal+1)
			}
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}

// quoteShort quotes a value for a message, shortened.
func quoteShort(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return fmt.Sprintf("%q", string(r[:most])+"…")
	}
	return fmt.Sprintf("%q", s)
}

// sortedCopy returns the strings in order.
func sortedCopy(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

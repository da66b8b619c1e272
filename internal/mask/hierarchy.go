package mask

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"

	"scramblelab/internal/frame"
)

// Hierarchy says to which broader codes a code belongs, depth by depth.
type Hierarchy struct {
	Depth  int                 // broader codes of each code
	Parent map[string][]string // by code: its broader codes, from the next one to the broadest
}

// ReadHierarchy reads a hierarchy as statistical tools write it: a line for each
// code, the code first and then broader and broader ones, separated by
// semicolons, tabs or commas, whichever the first line has. Empty lines and
// lines that begin with # are skipped. Codes that share a broader code share all
// that are broader still. Errors name the file and line.
func ReadHierarchy(name string, r io.Reader) (Hierarchy, error) {
	h := Hierarchy{Parent: map[string][]string{}}
	up := []map[string]string{} // by depth: the next broader code
	lines := bufio.NewScanner(r)
	separator := ""
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if separator == "" {
			separator = ","
			for _, s := range []string{"\t", ";"} {
				if strings.Contains(text, s) {
					separator = s
				}
			}
		}
		fields := strings.Split(text, separator)
		for i := range fields {
			if fields[i] = strings.Trim(strings.TrimSpace(fields[i]), `"`); fields[i] == "" {
				return h, fmt.Errorf("%s:%d: field %d is empty: want a code and its broader codes", name, n, i+1)
			}
		}
		code, parents := fields[0], fields[1:]
		switch {
		case len(parents) == 0:
			return h, fmt.Errorf("%s:%d: %q has no broader code: want code;broader;broader still", name, n, code)
		case h.Depth > 0 && len(parents) != h.Depth:
			return h, fmt.Errorf("%s:%d: %q has %d broader codes, want %d as in the lines before", name, n, code, len(parents), h.Depth)
		case h.Parent[code] != nil:
			return h, fmt.Errorf("%s:%d: code %q stands in two lines: remove one", name, n, code)
		}
		h.Depth = len(parents)
		for len(up) < h.Depth {
			up = append(up, map[string]string{})
		}
		for d := range h.Depth - 1 {
			if first, seen := up[d][parents[d]]; seen && first != parents[d+1] {
				return h, fmt.Errorf("%s:%d: %q belongs to %q here and to %q before: a code has one broader code", name, n, parents[d], parents[d+1], first)
			}
			up[d][parents[d]] = parents[d+1]
		}
		h.Parent[code] = parents
	}
	if err := lines.Err(); err != nil {
		return h, fmt.Errorf("%s: %w", name, err)
	}
	if h.Depth == 0 {
		return h, fmt.Errorf("%s: no codes: want lines of code;broader;broader still", name)
	}
	return h, nil
}

// Recoding says what a recoding did to a column.
type Recoding struct {
	Before, After int       // codes that occur
	Bits, Left    float64   // entropy of a row's code before and after
	Split         []string  // broader codes whose codes are no neighbours in an ordinal codebook
	Members       [][]int32 // by new code: old ones
}

// Recode replaces the codes of a column by the broader ones of a hierarchy at a
// depth from 1 (global recoding, Hundepool et al. 2012, 3.4.2). Broader codes
// come in the order of their first members in the old codebook. An ordinal
// column stays one where members are neighbours, and becomes a category where
// they are not, since they would have no order; numbers that labels stand for
// become means over members. Missing values stay.
//
// What is told apart by the broader codes alone stays exactly as it was; what
// told their members apart is gone for good. It is no protection of what is rare
// among the broader codes.
func Recode(c frame.Column, h Hierarchy, depth int) (frame.Column, Recoding, error) {
	var r Recoding
	switch {
	case !c.Coded():
		return c, r, fmt.Errorf("mask: column %q is %v: recoding needs codes; cut numbers into classes", c.Name, c.Kind)
	case depth < 1 || depth > h.Depth:
		return c, r, fmt.Errorf("mask: depth is %d, want from 1 to %d, the broader codes in the file", depth, h.Depth)
	}
	counts := make([]int64, c.Dict.Len())
	for _, v := range c.I {
		if v >= 0 {
			counts[v]++
		}
	}
	var labels, lacking []string
	at := map[string]int32{}
	to := make([]int32, c.Dict.Len())
	for v, label := range c.Dict.Labels() {
		to[v] = frame.NoCode
		parents, ok := h.Parent[label]
		if !ok {
			if counts[v] > 0 {
				lacking = append(lacking, label)
			}
			continue
		}
		k, seen := at[parents[depth-1]]
		if !seen {
			k = int32(len(labels))
			at[parents[depth-1]] = k
			labels, r.Members = append(labels, parents[depth-1]), append(r.Members, nil)
		}
		to[v] = k
		r.Members[k] = append(r.Members[k], int32(v))
	}
	if len(lacking) > 0 {
		return c, r, fmt.Errorf("mask: the hierarchy lacks %q of column %q, which the data have: add a line for each", lacking, c.Name)
	}
	var values []float64
	for k, members := range r.Members {
		sum := 0.0
		for _, v := range members {
			sum += c.Dict.Value(v)
		}
		if c.Dict.HasValues() {
			values = append(values, sum/float64(len(members)))
		}
		for v := members[0]; v < members[len(members)-1]; v++ {
			if to[v] != int32(k) && to[v] >= 0 {
				r.Split = append(r.Split, labels[k])
				break
			}
		}
	}
	now := c
	if len(r.Split) > 0 {
		now.Kind = frame.Category
	}
	var err error
	if now.Dict, err = frame.NewDict(labels, values); err != nil {
		return c, r, fmt.Errorf("mask: %w", err)
	}
	now.I = make([]int32, len(c.I))
	after := make([]int64, len(labels))
	for i, v := range c.I {
		if now.I[i] = frame.NoCode; v >= 0 {
			now.I[i] = to[v]
			after[to[v]]++
		}
	}
	r.Before, r.Bits = entropy(counts)
	r.After, r.Left = entropy(after)
	return now, r, nil
}

// entropy returns how many of the counts are not zero, and the entropy of their
// shares in bits.
func entropy(counts []int64) (codes int, bits float64) {
	total := int64(0)
	for _, n := range counts {
		total += n
	}
	for _, n := range counts {
		if n > 0 {
			codes++
			p := float64(n) / float64(total)
			bits -= float64(p * math.Log2(p))
		}
	}
	return codes, bits
}

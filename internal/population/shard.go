package population

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"scramblelab/internal/frame"
)

// Shard is part K of N of a population, the first one being 1. The zero value is
// the whole. A shard holds whole blocks of employers, every table's rows of
// them, and blocks do not depend on N: the shards one after the other are the
// rows, and the row groups, of the whole.
type Shard struct{ K, N int }

// MaxShards is the largest number of parts.
const MaxShards = 10000

// ParseShard reads "K/N".
func ParseShard(text string) (Shard, error) {
	k, n, ok := strings.Cut(text, "/")
	var s Shard
	var err1, err2 error
	s.K, err1 = strconv.Atoi(k)
	s.N, err2 = strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || s == (Shard{}) {
		return Shard{}, fmt.Errorf("population: shard is %q, want K/N such as 1/4: part K of N, the first one being 1", text)
	}
	return s, s.Validate()
}

// Validate refuses parts that do not exist.
func (s Shard) Validate() error {
	switch {
	case s == (Shard{}):
		return nil
	case s.N < 1 || s.N > MaxShards:
		return fmt.Errorf("population: shard %v has %d parts, want 1 to %d", s, s.N, MaxShards)
	case s.K < 1 || s.K > s.N:
		return fmt.Errorf("population: shard %v is part %d of %d, want a part from 1 to %d", s, s.K, s.N, s.N)
	}
	return nil
}

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.K, s.N) }

// whole reports whether the part is everything.
func (s Shard) whole() bool { return s.N <= 1 }

// of returns the part of n blocks that the shard takes: [lo, hi).
func (s Shard) of(n int) (lo, hi int) {
	if s.whole() {
		return 0, n
	}
	return (s.K - 1) * n / s.N, s.K * n / s.N
}

// blocks cuts employers into ranges of at most rows jobs, or one employer:
// block b is employers [at[b], at[b+1]). It depends on the skeleton alone.
func (e *emitter) blocks(rows int) []int {
	at := []int{0}
	n := len(e.employers)
	for id := range n {
		if first := at[len(at)-1]; id > first && e.jobAt[id+1]-e.jobAt[first] > rows {
			at = append(at, id)
		}
	}
	return append(at, n)
}

// join puts the shards of a population together, in their order.
func join(dirs []string, parts []*Population) (*Population, error) {
	if len(parts) == 1 && parts[0].Truth.Shard == "" {
		return parts[0], nil
	}
	var n int
	byK := map[int]int{}
	for i, p := range parts {
		s, err := ParseShard(p.Truth.Shard)
		switch {
		case p.Truth.Shard == "":
			return nil, fmt.Errorf("population: %s holds a whole population, want shards of one", dirs[i])
		case err != nil:
			return nil, fmt.Errorf("%s: %w", dirs[i], err)
		case len(parts) == 1:
			return nil, fmt.Errorf("population: %s holds shard %v, a part of the employers, and no analysis of it would hold for the whole: "+
				"name the folders of all %d shards, or generate without --shard", dirs[i], s, s.N)
		case n != 0 && s.N != n, p.Truth.Options != parts[0].Truth.Options, p.Truth.Calibration != parts[0].Truth.Calibration:
			return nil, fmt.Errorf("population: %s and %s are shards of two populations: name those of one", dirs[0], dirs[i])
		}
		n = s.N
		if other, twice := byK[s.K]; twice {
			return nil, fmt.Errorf("population: %s and %s both hold shard %v", dirs[other], dirs[i], s)
		}
		byK[s.K] = i
	}
	out := &Population{Options: parts[0].Options, Truth: parts[0].Truth}
	out.Truth.Shard = ""
	for _, name := range tableNames {
		var frames []*frame.Frame
		for k := 1; k <= n; k++ {
			i, ok := byK[k]
			if !ok {
				return nil, fmt.Errorf("population: shard %v is missing among the %d folders named", Shard{k, n}, len(parts))
			}
			frames = append(frames, *parts[i].table(name))
		}
		*out.table(name) = below(frames)
	}
	return out, nil
}

// below puts frames of one layout below each other; codebooks that differ are
// joined.
func below(frames []*frame.Frame) *frame.Frame {
	var cols []frame.Column
	for k, c := range frames[0].Columns() {
		var all frame.Column
		var text []string
		same := true
		for _, f := range frames {
			d := f.Columns()[k]
			all.I, all.L, all.F = append(all.I, d.I...), append(all.L, d.L...), append(all.F, d.F...)
			same = same && (!c.Coded() || slices.Equal(c.Dict.Labels(), d.Dict.Labels()))
		}
		if same {
			c.I, c.L, c.F = all.I, all.L, all.F
			cols = append(cols, c)
			continue
		}
		for _, f := range frames {
			d := f.Columns()[k]
			for _, code := range d.I {
				label := ""
				if code >= 0 {
					label = d.Dict.Label(code)
				}
				text = append(text, label)
			}
		}
		cols = append(cols, frame.Strings(c.Name, text))
	}
	return frame.Must(cols...)
}

package outputs

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"scramblelab/internal/folder"
	"scramblelab/internal/rng"
)

// propose computes, for every table with counts, what rounding, a perturbation
// by cell key and collapsing categories would lose. Nothing is applied: these
// are proposals for the next version of the output.
func (c *check) propose() {
	key, secret, err := c.projectKey()
	if err != nil {
		c.report.warn("%v", err)
	}
	for _, t := range c.tables {
		names, values, counts := t.additive()
		m := slices.Index(counts, true)
		if m < 0 {
			c.proposeForSums(t, names, values, key, secret && err == nil)
			continue
		}
		base := c.rules.Alternatives.Base
		c.compareWith(t, fmt.Sprintf("rounding to base %d", base), names[m], values[m], func(_ int, v float64) float64 {
			return float64(base) * math.Round(v/float64(base))
		}, "totals and parts are rounded apart, so that they need not add up")
		if err == nil {
			noise := c.rules.Alternatives.Noise
			keys := c.keys(t.dims, t.nodes, len(t.rows))
			why := "the same cell gets the same noise in every output of the project"
			if !secret {
				why = "for the size of the loss only: name alternatives.key before using it"
			}
			c.compareWith(t, fmt.Sprintf("cell key, up to %d", noise), names[m], values[m], func(i int, v float64) float64 {
				return Perturb(key, t.spec.Population+"\x00"+names[m]+"\x00"+c.keyLabel(t, i, keys[i]), v, noise)
			}, why)
		}
		c.collapse(t, names[m], values[m], true)
	}
}

// proposeForSums does the same for a table of sums alone: rounding to the next
// power of ten that hides what its most sensitive cell asks for, and a change by
// the safety range.
func (c *check) proposeForSums(t *table, names []string, values [][]float64, key rng.Secret, secret bool) {
	if len(names) == 0 {
		return
	}
	name, v := names[0], values[0]
	need := 0.0
	for _, x := range t.rows {
		need = max(need, x.room[name][0], x.room[name][1])
	}
	if need > 0 {
		base := math.Pow(10, math.Ceil(math.Log10(2*need)))
		c.compareWith(t, fmt.Sprintf("rounding to base %v", base), name, v, func(_ int, x float64) float64 {
			return base * math.Round(x/base)
		}, "the base is twice what the most sensitive cell asks for")
	}
	keys, share := c.keys(t.dims, t.nodes, len(t.rows)), c.rules.Rules.SafetyRange/100
	why := "the same cell gets the same change in every output of the project"
	if !secret {
		why = "for the size of the loss only: name alternatives.key before using it"
	}
	const steps = 1000
	c.compareWith(t, fmt.Sprintf("cell key, up to %v %%", c.rules.Rules.SafetyRange), name, v, func(i int, x float64) float64 {
		u := Perturb(key, t.spec.Population+"\x00"+name+"\x00"+c.keyLabel(t, i, keys[i]), steps, steps) // uniform on 0 to 2 steps
		return x * (1 + float64(share*(u/steps-1)))
	}, why)
	c.collapse(t, name, v, false)
}

// keyLabel identifies a cell by its labels, which later outputs share.
func (c *check) keyLabel(t *table, row int, _ string) string {
	var parts []string
	for k, d := range t.dims {
		if n := t.nodes[k][row]; n != 0 {
			parts = append(parts, c.dims[d].Name+"\x01"+c.dims[d].Labels[n])
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "\x02")
}

// Perturb changes a count by the noise that the project's key gives its cell:
// uniform on -noise..noise, the same wherever the cell appears. Zeros stay, and
// nothing becomes negative.
func Perturb(key rng.Secret, cell string, count float64, noise int) float64 {
	if count == 0 {
		return 0
	}
	d := key.Derive("cell key").Stream(cell, 0).IntN(2*noise+1) - noise
	return max(0, count+float64(d))
}

// projectKey reads the project's secret, or makes it where a file is named that
// does not exist. secret is false for a key that anybody could compute.
func (c *check) projectKey() (key rng.Secret, secret bool, err error) {
	path := c.rules.Alternatives.Key
	if path == "" {
		return rng.SecretFromSeed(uint64(len(c.rules.Project))), false, nil
	}
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		key = rng.NewSecret()
		return key, true, folder.WriteNewFile(path, 0o600, func(w io.Writer) error {
			_, err := fmt.Fprintln(w, hex.EncodeToString(key.Bytes()))
			return err
		})
	case err != nil:
		return key, false, fmt.Errorf("alternatives: %w", err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err == nil {
		key, err = rng.SecretFromBytes(raw)
	}
	if err != nil {
		return key, false, fmt.Errorf("alternatives: %s is not a key that this command wrote: %w", path, err)
	}
	return key, true, nil
}

// compareWith adds what a change of every count would lose.
func (c *check) compareWith(t *table, method, name string, values []float64, change func(i int, v float64) float64, note string) {
	changed, sum, unsafe := 0, 0.0, 0
	for i, v := range values {
		w := change(i, v)
		if w != v {
			changed++
		}
		sum += math.Abs(w - v)
		if f := c.rules.Rules.Frequency; f != nil && w > 0 && w < float64(f.N) {
			unsafe++
		}
	}
	n := float64(max(1, len(values)))
	c.report.Alternatives = append(c.report.Alternatives, Alternative{
		File: filepath.Base(t.path), Method: method, Changed: float64(changed) / n, Loss: sum / n, Unsafe: unsafe,
		Sentence: fmt.Sprintf("%s: %.0f %% of the values of %s change, by %.2g on average; %s", method, 100*float64(changed)/n, name, sum/n, note),
	})
}

// collapse proposes, for each dimension, to leave out its finest categories, or,
// where it has but one level, to join those with a sensitive cell into one, with
// the smallest of the others where there is one such.
func (c *check) collapse(t *table, name string, values []float64, count bool) {
	f := c.rules.Rules.Frequency
	small := func(v float64) bool { return count && f != nil && v > 0 && v < float64(f.N) }
	sensitive := func(row int) bool {
		s := t.rows[row].status
		return small(values[row]) || s == Primary || s == Review || s == Unsafe
	}
	for k, d := range t.dims {
		join, deep := c.joined(t, k, values, sensitive)
		joined, labels := 0, []string{}
		for n, ok := range join {
			if ok {
				joined++
				labels = append(labels, c.dims[d].Labels[n])
			}
		}
		if joined < 2 {
			continue
		}
		method := "leave out the finest level of " + c.dims[d].Name
		if !deep {
			method = "join categories of " + c.dims[d].Name + " (" + strings.Join(labels[:min(6, len(labels))], ", ")
			if len(labels) > 6 {
				method += ", ..."
			}
			method += ")"
		}
		gone, unsafe := 0, 0
		merged := map[string]float64{}
		node := make([]int32, len(t.dims))
		for row, v := range values {
			if !join[t.nodes[k][row]] {
				if small(v) || !count && sensitive(row) {
					unsafe++
				}
				continue
			}
			gone++
			if !deep {
				for j := range t.dims {
					node[j] = t.nodes[j][row]
				}
				node[k] = 0
				merged[keyOf(node)] += v
			}
		}
		for _, v := range merged {
			gone--
			if small(v) {
				unsafe++
			}
		}
		left := fmt.Sprintf("%d small cells of %s are left", unsafe, name)
		if !count {
			left = fmt.Sprintf("%d sensitive cells of %s are left as they are, and what is joined is to be checked again", unsafe, name)
		}
		c.report.Alternatives = append(c.report.Alternatives, Alternative{
			File: filepath.Base(t.path), Method: method, Changed: float64(gone) / float64(max(1, len(values))), Loss: float64(gone), Unsafe: unsafe,
			Sentence: fmt.Sprintf("%s: %d of %d rows go, %s", method, gone, len(values), left),
		})
	}
}

// joined says which categories of the k-th dimension of a table a proposal takes
// away or joins; deep is true where it has several levels.
func (c *check) joined(t *table, k int, values []float64, sensitive func(row int) bool) (join []bool, deep bool) {
	dim := c.dims[t.dims[k]]
	inner := make([]bool, len(dim.Parent))
	for _, p := range dim.Parent {
		if p >= 0 {
			inner[p] = true
			deep = deep || p > 0
		}
	}
	join = make([]bool, len(dim.Parent))
	if deep {
		for n := range join {
			join[n] = !inner[n]
		}
		return join, true
	}
	size, first := make([]float64, len(join)), -1
	for row, n := range t.nodes[k] {
		if size[n] = max(size[n], values[row]); n != 0 && sensitive(row) {
			join[n] = true
			first = int(n)
		}
	}
	if first < 0 || slices.Contains(append(slices.Clone(join[:first]), join[first+1:]...), true) {
		return join, false
	}
	least := -1
	for _, n := range t.nodes[k] {
		if n != 0 && !join[n] && (least < 0 || size[n] < size[least]) {
			least = int(n)
		}
	}
	if least >= 0 {
		join[least] = true
	}
	return join, false
}

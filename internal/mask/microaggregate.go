package mask

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"scramblelab/internal/frame"
	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// Microaggregation says which numbers are replaced by means of clusters.
type Microaggregation struct {
	Columns []string // numbers, clustered together after standardising them
	K       int      // least size of a cluster, at least 2
	By      []string // strata, coded or integer columns; none is one stratum
}

// Microaggregate replaces the numbers of each cluster by their mean, clusters
// being those of MDAV (maximum distance to average vector; Domingo-Ferrer and
// Mateo-Sanz 2002; METHODS 1.8), by stratum, on columns divided by their
// standard deviation in the stratum. Ties go to the row that comes first.
//
// Sums are exact: where a sum of whole units does not divide by the size of the
// cluster, as many rows as needed, drawn at random, hold one unit more. So every
// sum over whole clusters and over a stratum is kept, and no other one is;
// variances shrink, correlations of the columns with others change, and ranks
// inside clusters are lost. Rows that miss one of the columns stay as they are,
// and so do strata of one row; a stratum of fewer than k rows is one cluster,
// and the report counts both.
func Microaggregate(ctx context.Context, jobs *frame.Frame, o Microaggregation, key rng.Secret, step int) (*frame.Frame, Report, error) {
	r := Report{Step: StepMicroaggregate, Unit: "values", Protects: "exact values of " + joined(o.Columns) + ": each is shared by at least k rows, up to one unit",
		NotKept: []string{"variances of " + joined(o.Columns) + ", which shrink", "sums by employer or cell", "correlations with other columns"}}
	if len(o.Columns) == 0 {
		return nil, r, fmt.Errorf("mask: columns is empty: name the numbers to microaggregate, such as wage and age")
	}
	if o.K < 2 {
		return nil, r, fmt.Errorf("mask: k is %d, want clusters of at least 2", o.K)
	}
	if err := checkKey(key); err != nil {
		return nil, r, err
	}
	cols := make([]frame.Column, len(o.Columns))
	for k, n := range o.Columns {
		var err error
		if cols[k], err = number(jobs, n); err != nil {
			return nil, r, err
		}
		if slices.Contains(o.Columns[:k], n) || slices.Contains(o.By, n) {
			return nil, r, fmt.Errorf("mask: %q is named twice: take it out of columns or by", n)
		}
	}
	complete := func(i int) bool {
		for k := range cols {
			if cols[k].Missing(i) {
				return false
			}
		}
		return true
	}
	groups, err := strataBy(jobs, o.By, complete)
	if err != nil {
		return nil, r, err
	}
	now := make([]frame.Column, len(cols))
	for k, c := range cols {
		now[k] = c
		now[k].I = append([]int32(nil), c.I...)
	}
	key = key.Derive("mask step " + strconv.Itoa(step))
	err = par.Do(ctx, groups.len(), func(k int) error {
		rows := groups.of(k)
		v := make([][]int32, len(cols))
		for c := range cols {
			v[c] = make([]int32, len(rows))
			for i, row := range rows {
				v[c][i] = cols[c].I[row]
			}
		}
		s := key.Stream(StepMicroaggregate, groups.address[k])
		return mdav(ctx, v, o.K, func(cluster []int32) {
			rng.Shuffle(s, cluster)
			for c := range cols {
				sum := int64(0)
				for _, i := range cluster {
					sum += int64(v[c][i])
				}
				size := int64(len(cluster))
				mean, more := sum/size, sum%size
				if more < 0 {
					mean, more = mean-1, more+size
				}
				for at, i := range cluster {
					to := mean
					if int64(at) < more {
						to++
					}
					now[c].I[rows[i]] = int32(to)
				}
			}
		})
	})
	if err != nil {
		return nil, r, err
	}
	alone, few := 0, 0
	for k := range groups.len() {
		switch n := len(groups.of(k)); {
		case n == 1:
			alone++
		case n < o.K:
			few += n
		}
	}
	if alone+few > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d rows are alone in their stratum of %q and stay as they are, and %d lie in strata of fewer than %d, which are one cluster each: use fewer columns in by", alone, o.By, few, o.K))
	}
	if left := jobs.Rows() - len(groups.rows); left > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d rows miss one of %q and stay as they are", left, o.Columns))
	}
	for k := range cols {
		r.compare(cols[k], now[k])
	}
	return jobs.With(now...), r, nil
}

// mdav clusters points and hands each cluster over. While at least 3k points
// are left, the one farthest from their centroid and its k-1 nearest are a
// cluster, and then the one farthest from that one, and its k-1 nearest; of the
// rest, the point farthest from the centroid with its k-1 nearest is a cluster
// where at least 2k are left, and what remains is the last one.
func mdav(ctx context.Context, v [][]int32, k int, emit func(cluster []int32)) error {
	t := newPoints(v)
	cluster := make([]int32, 0, 3*k)
	around := func(at []float64, size int) {
		cluster = cluster[:0]
		for range size {
			i := t.nearest(at)
			t.remove(i)
			cluster = append(cluster, i)
		}
		emit(cluster)
	}
	first, second := make([]float64, len(v)), make([]float64, len(v))
	for round := 0; t.left >= 3*k; round++ {
		if round%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		copy(first, t.at(t.farthest(t.centroid())))
		around(first, k)
		copy(second, t.at(t.farthest(first)))
		around(second, k)
	}
	if t.left >= 2*k {
		copy(first, t.at(t.farthest(t.centroid())))
		around(first, k)
	}
	if t.left > 0 {
		around(t.centroid(), t.left)
	}
	return nil
}

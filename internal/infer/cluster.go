package infer

import (
	"errors"
	"fmt"
	"math"
)

// ErrOneCluster says that a spread between clusters was asked of fewer than
// two.
var ErrOneCluster = errors.New("fewer than two clusters")

// ClusterWilson returns the share of successes over all trials with a Wilson
// interval for trials that come in clusters (workers in employers). successes
// and trials hold one entry per cluster; clusters without trials are left out.
//
// With p = S/N over m clusters, the variance of the ratio between clusters is
//
//	v = m/(m-1) · Σ(s_k - p·n_k)² / N²
//
// and the design effect deff = max(1, v / (p(1-p)/(N-1))): exactly 1 where
// every trial is a cluster of its own. The interval is Wilson's with
//
//	N/deff · (t(N-1) / t(m-1))²
//
// trials, the second factor, at most 1, paying for a variance that m clusters
// estimate (Korn and Graubard 1998). Where p is 0 or 1, or there is one
// cluster, the data say nothing of the dependence: the interval then assumes
// the worst, that a cluster succeeds or fails as a whole, deff = Σn_k²/N. An
// upper bound can therefore be higher at no success than at one.
func ClusterWilson(successes, trials []float64, level float64) (Interval, error) {
	if len(successes) != len(trials) {
		return Interval{}, fmt.Errorf("infer: %d clusters of successes, %d of trials", len(successes), len(trials))
	}
	var s, n, squares, m float64
	for k, t := range trials {
		if !(t >= 0) || !(successes[k] >= 0 && successes[k] <= t) {
			return Interval{}, fmt.Errorf("infer: cluster %d has %v successes among %v trials, want 0 to n", k, successes[k], t)
		}
		if t > 0 {
			m++
			s += successes[k]
			n += t
			squares += float64(t * t)
		}
	}
	plain, err := Wilson(s, n, level)
	if err != nil || level == 0 || level == 1 {
		return plain, err
	}
	p := s / n
	if s == 0 || s == n || m < 2 {
		return effective(p, n/max(1, squares/n), level)
	}
	var between float64
	for k, t := range trials {
		e := successes[k] - float64(p*t)
		between += float64(e * e)
	}
	v := m / (m - 1) * between / float64(n*n)
	deff := 1.0
	if n > 1 {
		deff = max(1, v*(n-1)/float64(p*(1-p)))
	}
	trust := 1.0
	if n > m {
		q := (1 + level) / 2
		t := TQuantile(n-1, q) / TQuantile(m-1, q)
		trust = min(1, float64(t*t))
	}
	return effective(p, n/deff*trust, level)
}

// effective is Wilson's interval of a share that n effective trials carry.
func effective(p, n, level float64) (Interval, error) {
	iv, err := Wilson(min(n, p*n), n, level)
	if err != nil {
		return Interval{}, err
	}
	iv.Value, iv.Low, iv.High = p, min(iv.Low, p), max(iv.High, p)
	return iv, nil
}

// MeanCluster returns the mean Σsum/Σcount of numbers that come in clusters,
// given each cluster's sum and count, with the linearised standard error
//
//	se² = m/(m-1) · Σ(sum_k - mean·count_k)² / (Σcount)²
//
// and Student's t with m-1 degrees of freedom. Clusters that count nothing are
// left out; fewer than two clusters is [ErrOneCluster]. Level is in [0, 1).
func MeanCluster(sum, count []float64, level float64) (Interval, error) {
	if len(sum) != len(count) {
		return Interval{}, fmt.Errorf("infer: %d clusters of sums, %d of counts", len(sum), len(count))
	}
	if !(level >= 0 && level < 1) {
		return Interval{}, fmt.Errorf("infer: level is %v, want a share in [0, 1)", level)
	}
	var total, n, m float64
	for k, c := range count {
		if !(c >= 0) || math.IsNaN(sum[k]) || math.IsInf(sum[k], 0) || math.IsInf(c, 0) || c == 0 && sum[k] != 0 {
			return Interval{}, fmt.Errorf("infer: cluster %d has sum %v and count %v, want a finite sum and a count >= 0", k, sum[k], c)
		}
		if c > 0 {
			m++
			total += sum[k]
			n += c
		}
	}
	if m < 2 {
		return Interval{}, fmt.Errorf("infer: a mean over %v clusters has no standard error: %w", m, ErrOneCluster)
	}
	mean := total / n
	var between float64
	for k, c := range count {
		e := sum[k] - float64(mean*c)
		between += float64(e * e)
	}
	half := TQuantile(m-1, (1+level)/2) * math.Sqrt(m/(m-1)*between) / n
	return Interval{mean, mean - half, mean + half, level}, nil
}

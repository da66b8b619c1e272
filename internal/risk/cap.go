package risk

import (
	"fmt"
	"math"
)

// CAP is the protection of sensitive values against somebody who knows the key
// values and reads the sensitive ones from a released file (correct attribution
// probability; Elliot 2014, Taub et al. 2018).
type CAP struct {
	Records    int     // of the original with a key that the release has
	Protection float64 // 1 - mean share of matching released rows with the true sensitive values
	Baseline   float64 // 1 - 1/combinations of sensitive values: a random guess
	Score      float64 // Protection/Baseline, at most 1
}

// NewCAP compares an original with a release, whose keys and sensitive columns
// were coded together by [KeysOf]; combinations is the number of combinations
// of sensitive values that a guesser chooses from. Rows whose key the release
// lacks are left out; without any other Protection is 1.
func NewCAP(original, release, sensitive, releasedSensitive Keys, combinations int) (CAP, error) {
	out := CAP{Protection: 1, Baseline: 1 - 1/float64(max(1, combinations))}
	if original.rows != sensitive.rows || release.rows != releasedSensitive.rows {
		return out, fmt.Errorf("risk: keys and sensitive values have %d and %d rows in the original, %d and %d in the release", original.rows, sensitive.rows, release.rows, releasedSensitive.rows)
	}
	both := func(a, b Keys) Keys { return Keys{a.rows, append(append([][]int32{}, a.cols...), b.cols...)} }
	keys, _, err := Matches(original, release, nil)
	if err != nil {
		return out, err
	}
	right, _, err := Matches(both(original, sensitive), both(release, releasedSensitive), nil)
	if err != nil {
		return out, err
	}
	sum := 0.0
	for i, n := range keys {
		if n > 0 {
			out.Records++
			sum += float64(right[i]) / float64(n)
		}
	}
	if out.Records > 0 {
		out.Protection = 1 - sum/float64(out.Records)
	}
	out.Score = 1
	if out.Baseline > 0 {
		out.Score = min(1, out.Protection/out.Baseline)
	}
	return out, nil
}

// Bins codes numbers in n classes of equal width between lo and hi; outside
// values go to the end classes, NaN is Missing.
func Bins(v []float64, n int, lo, hi float64) ([]int32, error) {
	if n < 1 || !(hi > lo) {
		return nil, fmt.Errorf("risk: %d bins from %v to %v: want at least one and a positive width", n, lo, hi)
	}
	out := make([]int32, len(v))
	for i, x := range v {
		if out[i] = Missing; !math.IsNaN(x) {
			out[i] = int32(min(float64(n-1), max(0, math.Floor((x-lo)/(hi-lo)*float64(n)))))
		}
	}
	return out, nil
}

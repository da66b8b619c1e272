package suppress

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// BenchmarkPattern searches and checks frequency tables of three hierarchical
// dimensions: threshold 10, a fifth of the finest cells empty.
func BenchmarkPattern(b *testing.B) {
	for _, side := range []struct{ groups, leaves int }{{4, 4}, {5, 8}, {9, 10}} {
		dims := []Dimension{tree("a", side.groups, side.leaves), tree("b", side.groups, side.leaves), tree("c", side.groups, side.leaves)}
		t, values := cross(dims, []int{0, 1, 2}, sparse(7))
		b.Run(fmt.Sprintf("cells=%d", len(values)), func(b *testing.B) {
			for range b.N {
				begin := time.Now()
				s := must(dims, t)
				p := frequencies(s, values, 10, false)
				linked := time.Now()
				pattern, err := Find(context.Background(), p, Options{})
				if err != nil {
					b.Fatal(err)
				}
				found := time.Now()
				v, err := Check(context.Background(), p, pattern.Suppressed, Options{Proofs: pattern.Proofs})
				if err != nil {
					b.Fatal(err)
				}
				b.Logf("link %.2fs find %.2fs check %.2fs: %d primary %d secondary hurried %v, worst %v, blocks %d largest %d rank %d solved %v",
					linked.Sub(begin).Seconds(), found.Sub(linked).Seconds(), time.Since(found).Seconds(),
					pattern.Primary, pattern.Secondary, pattern.HurriedOn, v.Worst(), v.Blocks, v.Largest, v.Rank, v.Solved)
			}
		})
	}
}

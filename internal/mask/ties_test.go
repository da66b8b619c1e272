package mask

import (
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// TestMicroaggregateTies: clusters among many equal points are found as fast as
// among others.
func TestMicroaggregateTies(t *testing.T) {
	n := 30_000
	employer, fte, wage := make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range n {
		fte[i], wage[i] = int32(50+50*(i%2)), int32(20000+10000*(i%3))
	}
	f := frame.Must(frame.Codes(linked.Employer, frame.MustDict("a"), employer), frame.Ints(linked.Year, make([]int32, n)),
		frame.Fixed(linked.FTE, 2, fte), frame.Ints(linked.Wage, wage))
	now, _, err := Microaggregate(t.Context(), f, Microaggregation{Columns: []string{linked.FTE, linked.Wage}, K: 3}, key, 1)
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for i, v := range now.Col(linked.Wage).I {
		sum += int64(v) - int64(wage[i])
	}
	if sum != 0 {
		t.Errorf("the sum of wages moved by %d", sum)
	}
}

package suppress

import (
	"context"
	"testing"
	"time"
)

// TestManySisters: a classification of tens of thousands of categories side by
// side is served in seconds, because who served one cell serves the next.
func TestManySisters(t *testing.T) {
	const n = 40_000
	s, values := wide(n)
	p := frequencies(s, values, 10, false)
	begin := time.Now()
	q, err := Find(ctx, p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := Check(ctx, p, q.Suppressed, Options{Proofs: q.Proofs})
	if err != nil {
		t.Fatal(err)
	}
	if v.Worst() != IntervalSafe || q.Primary < n/4 || q.Secondary > 2 {
		t.Errorf("%d sensitive, %d partners, worst %v", q.Primary, q.Secondary, v.Worst())
	}
	if d := time.Since(begin); d > 20*time.Second { // about one second alone
		t.Errorf("took %v", d)
	}
}

// TestNoPartners: where no partner has the room, the search ends all the same,
// and the check says that the cells are not safe.
func TestNoPartners(t *testing.T) {
	if testing.Short() {
		t.Skip("takes five seconds")
	}
	const n = 20_000
	s, values := wide(n)
	p := frequencies(s, values, 10, false)
	for i := range p.Needs {
		p.Needs[i].Up = []float64{1e12}
	}
	timed, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	o := Options{Search: 500 * time.Millisecond, Solve: 500 * time.Millisecond, Program: 500 * time.Millisecond}
	q, err := Find(timed, p, o)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Check(timed, p, q.Suppressed, o)
	if err != nil {
		t.Fatal(err)
	}
	if !q.HurriedOn || v.Worst() == IntervalSafe {
		t.Errorf("hurried %v, worst %v", q.HurriedOn, v.Worst())
	}
}

// wide is a table of one dimension, two in five of its cells small.
func wide(n int) (*System, []float64) {
	dims := []Dimension{flat("code", n)}
	t, values := cross(dims, []int{0}, func(node []int32) float64 { return float64(int(node[0]) * 7919 % 25) })
	return must(dims, t), values
}

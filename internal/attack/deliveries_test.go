package attack

import (
	"testing"

	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// A second delivery under another key, with other serials and a fragment that
// overlaps in two thirds, is linked by paths of head counts, and tells genuine
// cells from others, whether or not the swap lasts over the years: a cell of one
// that both show is a stranger's with a chance of about (s/cells)², where one
// delivery leaves s.
func TestIntersectDeliveries(t *testing.T) {
	const rate = 0.2
	d := world(31, 400, 5)
	deliver := func(seed, shift int32) Release {
		r := released(t, swapped(d, 50+rng.Sim(seed), rate, linked.Level, linked.Field), 400, publish.Options{})
		r.Method = Method{Swaps: []Swap{{Rate: rate, Bundle: []string{linked.Level, linked.Field}, Lasting: true}}}
		keep := func(serial int32) bool { e := owner(serial, 400); return e >= shift && e < shift+300 }
		cells, employers := r.Tables.Cells, r.Tables.Employers
		r.Tables = &publish.Tables{
			Cells:     cells.Filter(func(i int) bool { return keep(cells.Col(publish.Serial).I[i]) }),
			Employers: employers.Filter(func(i int) bool { return keep(employers.Col(publish.Serial).I[i]) }),
		}
		return r
	}
	a, b := deliver(1, 0), deliver(2, 100)
	pairs, err := LinkDeliveries(t.Context(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for _, p := range pairs {
		if p.First == p.Second { // the tests' serials are those of the employer; no link reads them
			right++
		}
	}
	t.Logf("%d pairs, %d of them right, of 200 employers in both", len(pairs), right)
	if right < 180 || len(pairs)-right > 20 {
		t.Errorf("%d pairs, %d right: want at least 180 of 200 right and at most 20 wrong", len(pairs), right)
	}
	cells, err := Intersect(t.Context(), a, b, "")
	if err != nil {
		t.Fatal(err)
	}
	type key struct{ serial, year, level, field int32 }
	truth, correct := map[key]float64{}, map[int32]bool{}
	for _, p := range pairs {
		correct[p.First] = p.First == p.Second
	}
	level, field := codes(d.Jobs, linked.Level), codes(d.Jobs, linked.Field)
	for i, e := range d.Jobs.Col(linked.Employer).I {
		truth[key{serialFor(e), d.Jobs.Col(linked.Year).I[i], level(i), field(i)}]++
	}
	var n, genuine, said [2]float64 // doubtful, sure
	for _, c := range cells {
		if c.Released != 1 || !correct[c.Serial] {
			continue
		}
		k := 0
		if c.Genuine > 0.9 {
			k = 1
		}
		n[k]++
		said[k] += c.Genuine
		if truth[key{c.Serial, c.Year, c.Level, c.Field}] > 0 {
			genuine[k]++
		}
	}
	t.Logf("cells of one: %v sure, said %.3f, are %.3f; %v doubtful, said %.3f, are %.3f", n[1], said[1]/n[1], genuine[1]/n[1], n[0], said[0]/n[0], genuine[0]/n[0])
	if n[1] < n[0] || genuine[1] < 0.97*n[1] || genuine[0] > 0.7*n[0] {
		t.Error("want most cells sure, 97 % of them genuine, and under 70 % of the others")
	}
}

// Without exact head counts there is no path to link by.
func TestDeliveriesThatCannotBeLinked(t *testing.T) {
	r := released(t, world(3, 20, 2), 10, publish.Options{})
	fresh := r
	fresh.SerialPerYear = true
	if _, err := LinkDeliveries(t.Context(), r, fresh); err == nil {
		t.Error("a delivery with fresh serials was linked, want an error")
	}
}

package attack

import (
	"context"
	"testing"

	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
)

// Who has the exact tables relinks an unscrambled fragment but for employers
// that are equal in every cell, and a swap of diplomas hardly helps: head counts
// stay. Where counts are classes the rarest cells still lead to most.
func TestPhaseTwoRelinks(t *testing.T) {
	d := world(21, 300, 4)
	exact, err := publish.Publish(context.Background(), d, nil, publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, why string
		data      *linked.Data
		counts    []int
		least     int
	}{
		{"unscrambled", "only equal employers are confused", d, nil, 97},
		{"swapped", "head counts and most of the diplomas stay", swapped(d, 5, 0.3, linked.Level, linked.Field), nil, 93},
		{"classes", "the rarest cells lead to the employer", d, []int{1, 3, 5, 10}, 80},
	}
	for _, tt := range tests {
		r := released(t, tt.data, 100, publish.Options{Counts: tt.counts})
		r.Method.CountClasses = tt.counts != nil
		claims, err := PhaseTwo(t.Context(), r, exact)
		if err != nil {
			t.Fatal(err)
		}
		if got := hits(claims); len(claims) != 100 || got < tt.least {
			t.Errorf("%s: %d of %d named, want at least %d (%s)", tt.name, got, len(claims), tt.least, tt.why)
		}
	}
}

// Null: the tables of another population name nobody but by chance.
func TestPhaseTwoOfAnotherPopulation(t *testing.T) {
	exact, err := publish.Publish(context.Background(), world(22, 300, 4), nil, publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	claims, err := PhaseTwo(t.Context(), released(t, world(23, 300, 4), 100, publish.Options{}), exact)
	if err != nil {
		t.Fatal(err)
	}
	// Expected at most 100/300 hits; P(Poisson(1/3) > 4) < 1e-4.
	if got := hits(claims); got > 4 {
		t.Errorf("%d of 100 named by the tables of another population", got)
	}
}

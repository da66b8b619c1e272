package difference_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"scramblelab/internal/attack/difference"
	"scramblelab/internal/sharedtest"
)

func TestReleasesCase(t *testing.T) {
	type table struct{ L1, L2, L3 int64 }
	var c struct {
		Input struct {
			Total     table `json:"phase2_total"`
			Without   table `json:"phase2_without_employer"`
			Scrambled table `json:"phase1_scrambled_employer"`
		}
		Expected struct {
			Exact table    `json:"exact_employer"`
			Small []string `json:"small_cells"`
			Moved int64    `json:"scramble_moved_lower_bound"`
		}
	}
	sharedtest.Case(t, "attack_differencing_releases_toy", &c)
	of := func(t table) []int64 { return []int64{t.L1, t.L2, t.L3} }
	rest, ok, err := difference.Complement(of(c.Input.Total), of(c.Input.Without))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if diff := cmp.Diff(of(c.Expected.Exact), rest); diff != "" {
		t.Errorf("employer (-want +got):\n%s", diff)
	}
	var small []string
	for _, i := range difference.Small(rest, 3) {
		small = append(small, []string{"L1", "L2", "L3"}[i])
	}
	if diff := cmp.Diff(c.Expected.Small, small); diff != "" {
		t.Errorf("small cells (-want +got):\n%s", diff)
	}
	if moved, err := difference.Moved(rest, of(c.Input.Scrambled)); err != nil || moved != c.Expected.Moved {
		t.Errorf("moved %d, %v, want %d", moved, err, c.Expected.Moved)
	}
	if close1, err := difference.TooClose(of(c.Input.Total), of(c.Input.Without), 10); err != nil || !close1 {
		t.Errorf("populations that differ by three are not flagged (%v)", err)
	}
}

func TestFrechet(t *testing.T) {
	got, err := difference.Frechet([]int64{9, 1}, []int64{8, 2})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]difference.Bounds{{7, 8}, {1, 2}, {0, 1}, {0, 1}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := difference.Frechet([]int64{1}, []int64{2}); err == nil {
		t.Error("margins of different tables: want an error")
	}
}

// Bounds hold for the table they come from, never get wider than Fréchet's, and
// a table with one open cell is known.
func TestBoundsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, c := rapid.IntRange(1, 4).Draw(t, "rows"), rapid.IntRange(1, 4).Draw(t, "columns")
		cells := make([]int64, r*c)
		rows, cols := make([]int64, r), make([]int64, c)
		var sums []difference.Sum
		for i := range cells {
			cells[i] = rapid.Int64Range(0, 4).Draw(t, "count")
			rows[i/c] += cells[i]
			cols[i%c] += cells[i]
		}
		for i := range rows {
			s := difference.Sum{Total: rows[i]}
			for j := range c {
				s.Cells = append(s.Cells, i*c+j)
			}
			sums = append(sums, s)
		}
		for j := range cols {
			s := difference.Sum{Total: cols[j]}
			for i := range r {
				s.Cells = append(s.Cells, i*c+j)
			}
			sums = append(sums, s)
		}
		start := make([]difference.Bounds, len(cells))
		for i := range start {
			start[i].High = difference.Unbounded
		}
		got, err := difference.Propagate(start, sums)
		if err != nil {
			t.Fatal(err)
		}
		frechet, err := difference.Frechet(rows, cols)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range got {
			if cells[i] < b.Low || cells[i] > b.High || b.Low < 0 {
				t.Fatalf("cell %d is %d, bounds %v", i, cells[i], b)
			}
			if cells[i] < frechet[i].Low || cells[i] > frechet[i].High || b.High > frechet[i].High {
				t.Fatalf("cell %d is %d, bounds %v, of Fréchet %v", i, cells[i], b, frechet[i])
			}
		}
		open := rapid.IntRange(0, len(cells)-1).Draw(t, "open")
		for i := range start {
			if start[i] = (difference.Bounds{Low: cells[i], High: cells[i]}); i == open {
				start[i] = difference.Bounds{High: difference.Unbounded}
			}
		}
		if got, err = difference.Propagate(start, sums); err != nil || !got[open].Exact() || got[open].Low != cells[open] {
			t.Fatalf("the one open cell is %v (%v), want %d", got[open], err, cells[open])
		}
	})
	if _, err := difference.Propagate([]difference.Bounds{{0, 1}}, []difference.Sum{{Cells: []int{0}, Total: 5}}); err == nil {
		t.Error("a cell of at most one adds up to five: want an error")
	}
}

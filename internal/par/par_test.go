package par_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"scramblelab/internal/par"

	"github.com/google/go-cmp/cmp"
)

var errPiece = errors.New("piece 3 is broken")

// procs runs f at several numbers of processors.
func procs(t *testing.T, f func(t *testing.T)) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	for _, n := range []int{1, 2, 8} {
		t.Run(fmt.Sprintf("GOMAXPROCS=%d", n), func(t *testing.T) {
			runtime.GOMAXPROCS(n)
			f(t)
		})
	}
}

func TestDo(t *testing.T) {
	procs(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 2, 1000} {
			calls := make([]atomic.Int32, n)
			if err := par.Do(t.Context(), n, func(i int) error {
				calls[i].Add(1)
				return nil
			}); err != nil {
				t.Errorf("Do of %d good pieces returns %v, want nil", n, err)
			}
			for i := range calls {
				if c := calls[i].Load(); c != 1 {
					t.Errorf("piece %d of %d was done %d times, want once", i, n, c)
				}
			}
		}
	})
}

func TestDoReturnsTheErrorAndStops(t *testing.T) {
	procs(t, func(t *testing.T) {
		const n = 100_000
		var done atomic.Int32
		err := par.Do(t.Context(), n, func(i int) error {
			done.Add(1)
			if i == 3 {
				return errPiece
			}
			return nil
		})
		if !errors.Is(err, errPiece) {
			t.Errorf("error is %v, want the piece's own, not the cancellation that follows it", err)
		}
		if d := done.Load(); d == n {
			t.Error("all pieces were done; want the rest left after an error")
		}
	})
}

func TestDoStopsWhenCancelled(t *testing.T) {
	procs(t, func(t *testing.T) {
		cause := fmt.Errorf("the user pressed Ctrl-C: %w", context.Canceled)
		tests := []struct {
			name, why string
			at        int // the piece that cancels, -1 for before the first
			limit     int32
		}{
			{"before", "no piece is begun", -1, 0},
			{"during", "pieces that run may end, few others begin", 10, 99_999},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tt.at < 0 {
					cancel(cause)
				}
				var done atomic.Int32
				err := par.Do(ctx, 100_000, func(i int) error {
					if i == tt.at {
						cancel(cause)
					}
					done.Add(1)
					return nil
				})
				if !errors.Is(err, context.Canceled) {
					t.Errorf("error is %v, want context.Canceled", err)
				}
				if d := done.Load(); d > tt.limit {
					t.Errorf("%d pieces were done, want at most %d: %s", d, tt.limit, tt.why)
				}
			})
		}
	})
}

func TestDoKeepsToTheProcessors(t *testing.T) {
	procs(t, func(t *testing.T) {
		var running, most atomic.Int32
		if err := par.Do(t.Context(), 200, func(int) error {
			r := running.Add(1)
			for m := most.Load(); r > m && !most.CompareAndSwap(m, r); m = most.Load() {
			}
			time.Sleep(10 * time.Microsecond)
			running.Add(-1)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if got, limit := most.Load(), int32(runtime.GOMAXPROCS(0)); got > limit {
			t.Errorf("%d pieces ran at once, want at most %d", got, limit)
		}
	})
}

func TestMapKeepsOrder(t *testing.T) {
	want := make([]int, 500)
	for i := range want {
		want[i] = i * i
	}
	procs(t, func(t *testing.T) {
		got, err := par.Map(t.Context(), 500, func(i int) (int, error) {
			if i%7 == 0 {
				runtime.Gosched() // let later pieces overtake
			}
			return i * i, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("results out of order (-want +got):\n%s", diff)
		}
	})
	if _, err := par.Map(t.Context(), 5, func(i int) (int, error) {
		if i == 3 {
			return 0, errPiece
		}
		return i, nil
	}); !errors.Is(err, errPiece) {
		t.Errorf("error is %v, want the piece's own", err)
	}
}

func TestChunks(t *testing.T) {
	type span struct{ Chunk, Lo, Hi int }
	tests := []struct {
		name, why string
		n, size   int
		want      []span
	}{
		{"even", "", 6, 3, []span{{0, 0, 3}, {1, 3, 6}}},
		{"rest", "the last chunk is shorter", 7, 3, []span{{0, 0, 3}, {1, 3, 6}, {2, 6, 7}}},
		{"one", "fewer items than a chunk holds", 2, 3, []span{{0, 0, 2}}},
		{"none", "no items, no chunks", 0, 3, []span{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := make([]span, par.Count(tt.n, tt.size))
			if err := par.Chunks(t.Context(), tt.n, tt.size, func(c, lo, hi int) error {
				got[c] = span{c, lo, hi}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.why, diff)
			}
		})
	}
}

// Floating-point sums depend on their order. Chunks are cut by the data and
// added up in chunk order, so that the bits are the same on every machine.
func TestSumsHaveTheSameBitsEverywhere(t *testing.T) {
	const n = 100_003
	x := make([]float64, n)
	for i := range x {
		x[i] = 1 / float64(i+1)
	}
	var mu sync.Mutex
	var sums []float64
	procs(t, func(t *testing.T) {
		parts := make([]float64, par.Count(n, 1000))
		if err := par.Chunks(t.Context(), n, 1000, func(c, lo, hi int) error {
			for _, v := range x[lo:hi] {
				parts[c] += v
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		total := 0.0
		for _, p := range parts {
			total += p
		}
		mu.Lock()
		sums = append(sums, total)
		mu.Unlock()
	})
	for _, s := range sums {
		if s != sums[0] {
			t.Errorf("sums at 1, 2 and 8 processors are %v, want equal bits", sums)
		}
	}
}

package par_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"scramblelab/internal/par"
)

func TestInOrder(t *testing.T) {
	procs(t, func(t *testing.T) {
		const n = 500
		var waiting, most atomic.Int32
		var got []int
		err := par.InOrder(t.Context(), n, func(i int) (int, error) {
			if i%7 == 0 {
				runtime.Gosched() // let later pieces overtake
			}
			for w, m := waiting.Add(1), most.Load(); w > m && !most.CompareAndSwap(m, w); m = most.Load() {
			}
			return i * i, nil
		}, func(i, v int) error {
			waiting.Add(-1)
			if v != i*i {
				t.Errorf("piece %d came with %d, want %d", i, v, i*i)
			}
			got = append(got, i) // one at a time: the race detector watches
			return nil
		})
		if err != nil || len(got) != n || !slices.IsSorted(got) {
			t.Errorf("%d of %d pieces, in order %v, error %v", len(got), n, slices.IsSorted(got), err)
		}
		if m, limit := most.Load(), int32(runtime.GOMAXPROCS(0)); m > limit {
			t.Errorf("%d results waited, want at most %d", m, limit)
		}
	})
}

func TestInOrderReturnsTheError(t *testing.T) {
	procs(t, func(t *testing.T) {
		stopped, cancel := context.WithCancel(t.Context())
		cancel()
		tests := []struct {
			name, why string
			ctx       context.Context
			make, use int // the piece that fails, -1 for none
			want      error
		}{
			{"make", "those after it do not wait for ever", t.Context(), 3, -1, errPiece},
			{"use", "nor after a result that nobody could take", t.Context(), -1, 3, errPiece},
			{"cancelled", "nothing is begun", stopped, -1, -1, context.Canceled},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				used := 0
				err := par.InOrder(tt.ctx, 1000, func(i int) (int, error) {
					if i == tt.make {
						return 0, errPiece
					}
					return i, nil
				}, func(i, _ int) error {
					used++
					if i == tt.use {
						return errPiece
					}
					return nil
				})
				if !errors.Is(err, tt.want) || used > 4 {
					t.Errorf("error %v after %d results, want %v after at most 4: %s", err, used, tt.want, tt.why)
				}
			})
		}
	})
}

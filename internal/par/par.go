// Package par runs independent pieces of work on all processors and hands the
// results back in order. Pieces are fixed by the data, never by the number of
// processors, so that a sum over them is the same everywhere.
package par

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Do calls f(0) … f(n-1), several at a time, and returns the first error. It
// stops handing out work when ctx is done.
func Do(ctx context.Context, n int, f func(i int) error) error {
	g, working := errgroup.WithContext(ctx) // done as well when a piece fails or Wait returns
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		if working.Err() != nil {
			break
		}
		g.Go(func() error {
			if err := working.Err(); err != nil {
				return err
			}
			return f(i)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// Map calls f(0) … f(n-1), several at a time, and returns the results in that
// order.
func Map[T any](ctx context.Context, n int, f func(i int) (T, error)) ([]T, error) {
	out := make([]T, n)
	err := Do(ctx, n, func(i int) error {
		v, err := f(i)
		out[i] = v
		return err
	})
	return out, err
}

// Chunks cuts n items into runs of at most size and calls f(chunk, lo, hi) for
// each, several at a time.
func Chunks(ctx context.Context, n, size int, f func(chunk, lo, hi int) error) error {
	return Do(ctx, Count(n, size), func(c int) error {
		return f(c, c*size, min(n, (c+1)*size))
	})
}

// Count returns the number of chunks that [Chunks] makes.
func Count(n, size int) int { return (n + size - 1) / size }

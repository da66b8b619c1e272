package par

import "context"

// InOrder calls f(0) … f(n-1), several at a time, and hands each result to use,
// one after the other in that order, as soon as all before it are done. No more
// results wait than there are processors.
func InOrder[T any](ctx context.Context, n int, f func(i int) (T, error), use func(i int, v T) error) error {
	turn := make([]chan struct{}, n+1)
	for i := range turn {
		turn[i] = make(chan struct{})
	}
	close(turn[0])
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	fail := func(err error) error {
		if err != nil {
			stop(err) // whoever waits for this turn waits in vain
		}
		return err
	}
	return Do(ctx, n, func(i int) error {
		v, err := f(i)
		if err != nil {
			return fail(err)
		}
		select {
		case <-turn[i]:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := use(i, v); err != nil {
			return fail(err)
		}
		close(turn[i+1])
		return nil
	})
}

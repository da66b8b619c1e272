package tune

import (
	"context"
	"errors"
	"fmt"
	"time"

	"scramblelab/internal/par"
	"scramblelab/internal/progress"
)

// Map is what a search found.
type Map struct {
	// Points are all that were started with, in the order of their number, each
	// over the keys it was measured on.
	Points []Summary `json:"points"`
	// Hypervolume is the area that the front dominates, and Knee the point of the
	// front where less risk begins to cost much; -1 where there is none. Both
	// count points that were measured on all keys.
	Hypervolume float64 `json:"hypervolume"`
	Knee        int     `json:"knee"`
	// Measurements is the number of points times keys that were measured, and Cut
	// says that the budget ended the search before its last round.
	Measurements int  `json:"measurements"`
	Cut          bool `json:"cut"`
}

// Race measures points in rounds. Measurements that the book has are not made
// again. Once until has passed, no further measurement starts and the map says
// that it was cut; a zero until is none. When ctx ends, what is finished is in
// the book.
func Race(ctx context.Context, points []Point, o Options, book *Book, until time.Time, measure Measure, tell progress.Func) (*Map, error) {
	o.Points = max(1, len(points))
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.normal()
	plan := o.rounds()
	total := 0
	for i, r := range plan {
		keys := r.keys
		if i > 0 {
			keys -= plan[i-1].keys
		}
		total += r.points * keys
	}
	running, finished := points, 0
	cut := false
	for _, r := range plan {
		if cut {
			break
		}
		running = running[:min(len(running), r.points)]
		var todo []slot
		for k := range r.keys {
			for _, p := range running {
				if _, ok := book.get(slot{p.ID, k}); !ok {
					todo = append(todo, slot{p.ID, k})
				}
			}
		}
		finished = max(finished, total-remaining(plan, r)-len(todo))
		tell.Step("plans", finished, total)
		byID := map[int]Point{}
		for _, p := range running {
			byID[p.ID] = p
		}
		done := make(chan struct{}, len(todo))
		err := par.Do(ctx, len(todo), func(i int) error {
			s := todo[i]
			if first, ok := book.get(slot{s.point, 0}); ok && first.Unusable != "" {
				return nil // on one key, on every key
			}
			if !until.IsZero() && time.Now().After(until) {
				return errBudget
			}
			m := measured{Point: byID[s.point], Key: s.key}
			got, err := measure(ctx, m.Point, s.key)
			var no Unusable
			switch {
			case errors.As(err, &no):
				m.Unusable = no.Reason
			case err != nil:
				return fmt.Errorf("plan %d (%s): %w", s.point, m.Point, err)
			default:
				m.Scores = &got
			}
			if err := book.put(m); err != nil {
				return err
			}
			done <- struct{}{}
			tell.Step("plans", finished+len(done), total)
			return nil
		})
		finished += len(done)
		if errors.Is(err, errBudget) {
			cut, err = true, nil
		}
		if err != nil {
			return nil, err
		}
		var stand []Summary
		for _, p := range running {
			stand = append(stand, book.summary(p, r.keys, o.Level))
		}
		running = running[:0:0]
		for _, s := range order(stand) {
			running = append(running, s.Point)
		}
	}
	return Draw(points, o, book, cut), nil
}

// errBudget ends a race whose time is over.
var errBudget = errors.New("the budget is used up")

// remaining is the number of measurements of the rounds after one.
func remaining(plan []round, r round) int {
	n := 0
	for i := 1; i < len(plan); i++ {
		if plan[i-1].keys >= r.keys {
			n += plan[i].points * (plan[i].keys - plan[i-1].keys)
		}
	}
	return n
}

// Draw draws the map of what a book holds. Points measured on fewer keys than
// the best stand on it with wider bounds; front, knee and area are those of
// points that were measured on the most.
func Draw(points []Point, o Options, book *Book, cut bool) *Map {
	o = o.normal()
	m := &Map{Knee: -1, Measurements: book.Len(), Cut: cut}
	for _, p := range points {
		m.Points = append(m.Points, book.summary(p, o.Keys, o.Level))
	}
	final := m.Final()
	MarkFront(final)
	m.Hypervolume = Hypervolume(final)
	if k, ok := Knee(final); ok {
		m.Knee = k.Point.ID
	}
	at := map[int]bool{}
	for _, s := range final {
		at[s.Point.ID] = s.Front
	}
	for i := range m.Points {
		m.Points[i].Front = at[m.Points[i].Point.ID]
	}
	return m
}

// Final returns the points of a map that were measured on the most keys.
func (m *Map) Final() []Summary {
	most := 0
	for _, s := range m.Points {
		if s.Reason == "" {
			most = max(most, s.Keys)
		}
	}
	var out []Summary
	for _, s := range m.Points {
		if s.Reason == "" && s.Keys == most && most > 0 {
			out = append(out, s)
		}
	}
	return out
}

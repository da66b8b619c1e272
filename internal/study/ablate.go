package study

import (
	"context"
	"fmt"
	"strings"
	"time"

	"scramblelab/internal/plan"
	"scramblelab/internal/tune"
)

// ablationKeys is on how many fresh keys a plan is measured without each of its
// steps: what a step buys is a difference on the same keys, so few will do.
const ablationKeys = 2

// ablate measures the recommended plan without one of its steps at a time, on
// fresh keys and a fragment as the search draws it, so that each step's part in
// risk and loss is known.
func (t *tuner) ablate(ctx context.Context, fresh *Lab, out *tune.Result) error {
	whole := out.Tried[len(out.Tried)-1].Search.Point
	p, err := t.base.With(settings(whole))
	if err != nil {
		return err
	}
	points := []tune.Point{{ID: 0}}
	for i := range p.Scramble.Steps {
		points = append(points, tune.Point{ID: i + 1, Settings: []tune.Setting{{Path: fmt.Sprintf("steps.%d", i), Value: "off"}}})
	}
	sub := *t
	sub.base = p
	o := tune.Options{Points: len(points), Keys: ablationKeys}
	// Every plan on every key: what is compared must not depend on a race.
	book, measure := tune.NewBook(), sub.measure(fresh, freshKeys, screenRecords)
	for k := range points {
		if _, err := tune.Race(ctx, points[k:k+1], o, book, time.Time{}, measure, t.o.Progress); err != nil {
			return err
		}
	}
	all := tune.Draw(points, o, book, false).Points
	for i, s := range p.Scramble.Steps {
		a := tune.Ablated{Step: i + 1, Name: stepName(s), With: all[0], Without: all[i+1]}
		a.Without.Reason = strings.ReplaceAll(a.Without.Reason, "\n", "; ")
		out.Ablation = append(out.Ablation, a)
		out.Why = append(out.Why, a.String())
	}
	return nil
}

// stepName says what a step does in a few words.
func stepName(s plan.Step) string {
	switch {
	case s.Column != "":
		return s.Method + " of " + s.Column
	case len(s.Bundle) > 0:
		return fmt.Sprintf("%s of %s, rate %v", s.Method, strings.Join(s.Bundle, " and "), s.Rate)
	}
	return s.Method
}

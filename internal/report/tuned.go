package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"scramblelab/internal/metric"
	"scramblelab/internal/tune"
)

// Tuned writes what a search found for a terminal: the front of the map, the
// recommended plan with its fresh figures, and why.
func Tuned(w io.Writer, t *tune.Result) {
	unusable := 0
	for _, s := range t.Map.Points {
		if s.Reason != "" {
			unusable++
		}
	}
	final := t.Map.Final()
	fmt.Fprintf(w, "Searched   %s, %s", plural(len(t.Map.Points), "plan"), plural(t.Map.Measurements, "measurement"))
	if len(final) > 0 {
		fmt.Fprintf(w, ", the last %d on %s", len(final), plural(final[0].Keys, "key"))
	}
	if unusable > 0 {
		fmt.Fprintf(w, "; %d cannot be carried out", unusable)
	}
	fmt.Fprintln(w)
	if t.Map.Cut {
		fmt.Fprintln(w, "           The budget ended the search before its last round: figures rest on fewer plans and keys.")
	}
	fmt.Fprintf(w, "Map        area dominated %.3f of 1\n\n", t.Map.Hypervolume)
	slices.SortStableFunc(final, func(a, b tune.Summary) int { return cmp.Compare(a.Risk, b.Risk) })
	var rows [][]string
	for _, s := range final {
		if s.Front {
			rows = append(rows, []string{
				fmt.Sprintf("plan %d", s.Point.ID), shown(metric.Number(s.Expected), "share"), shown(metric.Number(s.Risk), "share"), number(metric.Number(s.Loss)),
				shown(metric.Number(s.Share), "share"), standing(t, s),
			})
		}
	}
	if len(rows) > 0 {
		grid{{"The front: nobody has less of both", "worst attack", "up to", "loss", "of limit", ""}}.write(w, rows, "  ")
		fmt.Fprintln(w)
	}
	for _, v := range t.Tried {
		verified(w, "plan", v, v.Held)
	}
	for _, v := range t.Neighbours {
		verified(w, "beside it, plan", v, v.Held)
	}
	fmt.Fprintln(w)
	for _, s := range t.Why {
		wrapped(w, "  - ", s)
	}
	if t.Recommended >= 0 {
		fmt.Fprintf(w, "\nRecommended\n")
		for _, s := range t.Tried[len(t.Tried)-1].Search.Point.Settings {
			fmt.Fprintf(w, "  %s: %s\n", s.Path, s.Value)
		}
	}
}

func standing(t *tune.Result, s tune.Summary) string {
	var out []string
	if s.Point.ID == t.Recommended {
		out = append(out, "recommended")
	}
	if s.Point.ID == t.Map.Knee {
		out = append(out, "knee")
	}
	if !s.Allowed() {
		out = append(out, "over a limit")
	}
	return strings.Join(out, ", ")
}

func verified(w io.Writer, lead string, v tune.Verified, held bool) {
	word := map[bool]string{true: "held", false: "did not hold"}[held]
	wrapped(w, "Fresh keys ", fmt.Sprintf("%s %d %s: worst attack %s, up to %s (%s), loss %s; in the search up to %s, loss %s",
		lead, v.Search.Point.ID, word, shown(metric.Number(v.Fresh.Expected), "share"), shown(metric.Number(v.Fresh.Risk), "share"), v.Fresh.Worst,
		number(metric.Number(v.Fresh.Loss)), shown(metric.Number(v.Search.Risk), "share"), number(metric.Number(v.Search.Loss))))
}

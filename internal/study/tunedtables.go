package study

import (
	"strconv"
	"strings"

	"scramblelab/internal/metric"
	"scramblelab/internal/report"
	"scramblelab/internal/tune"
)

// mapTables are the plans of a search as the page draws them: those of its last
// round, and what was measured again on fresh keys.
func mapTables(t *tune.Result) []metric.Table {
	tried := metric.Table{Name: report.MapTable, Title: "The risk-utility map, plan by plan", Columns: report.MapColumns, Rows: [][]string{},
		Note: "Risk is the largest simultaneous upper bound over attacks, loss the mean over what analysis loses; plans of the last round of the search, on the same keys."}
	for _, s := range t.Map.Final() {
		tried.Rows = append(tried.Rows, mapRow(s, standings(t, s)))
	}
	out := []metric.Table{tried}
	if len(t.Tried)+len(t.Neighbours) == 0 {
		return out
	}
	fresh := metric.Table{Name: report.FreshTable, Title: "Measured again, on fresh keys", Columns: report.MapColumns, Rows: [][]string{},
		Note: "The figures that count: the best of many is always better than it looks."}
	for _, v := range t.Tried {
		standing := "did not hold"
		if v.Held {
			standing = "held"
		}
		if v.Held && v.Search.Point.ID == t.Recommended {
			standing += ", recommended"
		}
		fresh.Rows = append(fresh.Rows, mapRow(v.Fresh, standing))
	}
	for _, v := range t.Neighbours {
		fresh.Rows = append(fresh.Rows, mapRow(v.Fresh, "beside it"))
	}
	return append(out, fresh)
}

func standings(t *tune.Result, s tune.Summary) string {
	var out []string
	for _, x := range []struct {
		is   bool
		word string
	}{{s.Front, "front"}, {s.Point.ID == t.Recommended, "recommended"}, {s.Point.ID == t.Map.Knee, "knee"}, {!s.Allowed(), "over a limit"}} {
		if x.is {
			out = append(out, x.word)
		}
	}
	return strings.Join(out, ", ")
}

func mapRow(s tune.Summary, standing string) []string {
	f := func(x float64) string { return strconv.FormatFloat(x, 'f', 4, 64) }
	return []string{strconv.Itoa(s.Point.ID), strconv.Itoa(s.Keys), f(s.Risk), s.Worst, f(s.Loss), f(s.LossLow), f(s.LossHigh), f(s.Share), standing, s.Point.String()}
}

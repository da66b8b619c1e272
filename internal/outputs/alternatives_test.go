package outputs

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAlternatives: every table gets proposals with their loss, flat ones and sums
// alike.
func TestAlternatives(t *testing.T) {
	const counts = "tables: [{file: t.csv, dimensions: [sector], measures: [{column: workers, is: count}]}]\n"
	const sums = "tables: [{file: t.csv, dimensions: [sector], measures: [{column: wages, is: sum}, {column: x1, is: largest}, {column: x2, is: second}]}]\n"
	for _, tt := range []struct {
		name, table, rules string
		want               []string
	}{
		{
			"a flat table of counts", "sector,workers\nA,3\nB,40\nC,50\nD,12\nTotal,105\n", "rules: {minimum-frequency: {n: 10}}\ndimensions: [{name: sector}]\n" + counts,
			[]string{
				"rounding to base 5: 40 % of the values of count of workers change, by 0.8 on average; totals and parts are rounded apart, so that they need not add up",
				"cell key, up to 2: 80 % of the values of count of workers change, by 1.2 on average; for the size of the loss only: name alternatives.key before using it",
				"join categories of sector (A, D): 1 of 5 rows go, 0 small cells of count of workers are left",
			},
		},
		{
			"a flat table of sums", "sector,wages,x1,x2\nA,100,90,5\nB,400,50,40\nC,500,50,20\nD,200,50,40\nTotal,1200,90,50\n", "rules: {dominance: [{n: 1, k: 80}]}\ndimensions: [{name: sector}]\n" + sums,
			[]string{
				"rounding to base 100: 0 % of the values of sum of wages change, by 0 on average; the base is twice what the most sensitive cell asks for",
				"cell key, up to 10 %: 100 % of the values of sum of wages change, by 24 on average; for the size of the loss only: name alternatives.key before using it",
				"join categories of sector (A, D): 1 of 5 rows go, 0 sensitive cells of sum of wages are left as they are, and what is joined is to be checked again",
			},
		},
	} {
		w := newWorld(t, map[string]string{"t.csv": tt.table, "rules.yaml": "project: p\n" + tt.rules})
		r, err := w.run("out", "t.csv")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range r.Alternatives {
			got = append(got, a.Sentence)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

package outputs

import (
	"fmt"
	"strings"
	"testing"
)

// TestMicrodataWithHoles: rows that cannot be counted are named, and no rule is
// applied to what is no number.
func TestMicrodataWithHoles(t *testing.T) {
	for _, tt := range []struct{ name, spec, w, worker, wage, want string }{
		{"no weight", ", weight: w", "", "5", "10", "row 6 has the w NaN, want a weight"},
		{"negative weight", ", weight: w", "-1", "5", "10", "row 6 has the w -1"},
		{"no worker", ", worker: worker", "1", "", "10", "row 6 has no worker"},
		{"infinite wage", "", "1", "5", "Inf", "row 6 has the wage +Inf"},
	} {
		rows := "employer,worker,level,w,wage\n"
		for i := range 40 {
			w, worker, wage := "1", fmt.Sprint(i), "10"
			if i == 5 {
				w, worker, wage = tt.w, tt.worker, tt.wage
			}
			rows += fmt.Sprintf("%d,%s,L%d,%s,%s\n", i%20, worker, i%2, w, wage)
		}
		w := newWorld(t, map[string]string{
			"rows.csv": rows, "t.csv": "level,workers,wage\nTotal,40,400\nL0,20,200\nL1,20,200\n",
			"rules.yaml": "project: p\nmicrodata: {file: DIR/rows.csv, employer: employer" + tt.spec + "}\nrules: {minimum-frequency: {n: 5}, dominance: [{n: 1, k: 50}]}\ndimensions: [{name: level}]\n" +
				"tables: [{file: t.csv, dimensions: [level], measures: [{column: workers, is: count}, {column: wage, is: sum, of: wage}]}]\n",
		})
		if _, err := w.run("out", "t.csv"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

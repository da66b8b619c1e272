package outputs

import (
	"strings"
	"testing"
)

// TestTotalByAnotherName: a total that nobody calls one gives a suppressed cell
// away.
func TestTotalByAnotherName(t *testing.T) {
	for _, tt := range []struct{ name, table, want string }{
		{"total", "sector,workers\nA,3\nB,40\nC,50\nD,12\nTotaal,105\n", "sector=Totaal is the sum of all others: say total: Totaal"},
		{"subtotal before", "sector,workers\nind,43\nA,3\nB,40\nser,62\nC,50\nD,12\n", "sector=ind is the sum of the 2 rows beside it"},
		{"subtotal after", "sector,workers\nA,3\nB,40\nind,43\nC,50\nD,12\n", "sector=ind is the sum of the 2 rows beside it"},
		{"none", "sector,workers\nA,3\nB,40\nC,50\nD,12\n", ""},
	} {
		w := newWorld(t, map[string]string{"t.csv": tt.table, "rules.yaml": "project: p\nrules: {minimum-frequency: {n: 10}}\ndimensions: [{name: sector}]\ntables: [{file: t.csv, dimensions: [sector], measures: [{column: workers, is: count}]}]\n"})
		r, err := w.run("out", "t.csv")
		text := ""
		if err != nil {
			text = err.Error()
		} else {
			text = strings.Join(r.Held, "\n")
		}
		if !strings.Contains(text, tt.want) || (tt.want == "") != (err == nil && r.Released) {
			t.Errorf("%s: %q, want %q", tt.name, text, tt.want)
		}
	}
	w := newWorld(t, map[string]string{
		"t.csv":      "sector,sex,workers\nA,f,3\nA,m,30\nB,f,40\nB,m,20\nC,f,9\nC,m,31\nall,f,52\nall,m,81\n",
		"rules.yaml": "project: p\nrules: {minimum-frequency: {n: 10}}\ndimensions: [{name: sector}, {name: sex}]\ntables: [{file: t.csv, dimensions: [sector, sex], measures: [{column: workers, is: count}]}]\n",
	})
	if _, err := w.run("two", "t.csv"); err == nil || !strings.Contains(err.Error(), "sector=all is the sum of all others") {
		t.Errorf("%v", err)
	}
}

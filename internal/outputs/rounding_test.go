package outputs

import (
	"strings"
	"testing"
)

// TestRoundedMeans: means to two decimals add up as far as two decimals tell.
func TestRoundedMeans(t *testing.T) {
	const rules = `
project: p
rules: {minimum-frequency: {n: 10}}
dimensions: [{name: level}, {name: sex}]
tables:
  - {file: t.csv, dimensions: [level], measures: [{column: workers, is: count}, {column: wage, is: mean, of: wage, over: workers}]}
`
	const second = `  - {file: u.csv, dimensions: [sex], measures: [{column: workers, is: count}, {column: bill, is: sum, of: wage}]}
`
	for _, tt := range []struct{ name, table, other, want string }{
		{"to two decimals", "level,workers,wage\nTotal,300,2533.34\nL1,100,2111.12\nL2,100,2333.45\nL3,100,3155.43\n", "", ""},
		{"wrong", "level,workers,wage\nTotal,300,2533.44\nL1,100,2111.12\nL2,100,2333.45\nL3,100,3155.43\n", "", "say tolerance where values are rounded"},
		{"beside the exact sum", "level,workers,wage\nTotal,300,2533.34\nL1,100,2111.12\nL2,100,2333.45\nL3,100,3155.43\n", "sex,workers,bill\nTotal,300,760001.2\nf,150,380000\nm,150,380001.2\n", ""},
		{"beside another sum", "level,workers,wage\nTotal,300,2533.34\nL1,100,2111.12\nL2,100,2333.45\nL3,100,3155.43\n", "sex,workers,bill\nTotal,300,760101\nf,150,380000\nm,150,380101\n", "in another table on the same population"},
	} {
		files := map[string]string{"t.csv": tt.table, "rules.yaml": rules}
		given := []string{"t.csv"}
		if tt.other != "" {
			files["u.csv"], files["rules.yaml"] = tt.other, rules+second
			given = append(given, "u.csv")
		}
		w := newWorld(t, files)
		r, err := w.run("out", given...)
		switch {
		case tt.want == "" && (err != nil || !r.Released):
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	w := newWorld(t, map[string]string{"t.csv": "level,workers,wage\nTotal,300,2533\nL1,<10,2111\n", "rules.yaml": rules})
	if _, err := w.run("text", "t.csv"); err == nil || !strings.Contains(err.Error(), `row 2 (level=L1): workers is "<10", want a number`) {
		t.Errorf("%v", err)
	}
}

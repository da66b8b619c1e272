package outputs

import (
	"fmt"
	"strings"
	"testing"
)

// TestUnitsInTheMicrodata: a statistic about a crossing that no table shows cannot
// claim more units than there are.
func TestUnitsInTheMicrodata(t *testing.T) {
	rows := "employer,level,region,wage\n"
	of := map[string]int{}
	for i := range 200 {
		level, region := fmt.Sprint("L", i%2), "N"
		if i%3 == 0 || i%2 == 0 && i > 4 {
			region = "S"
		}
		of[level+region]++
		rows += fmt.Sprintf("%d,%s,%s,%d\n", i, level, region, 2000+i)
	}
	if of["L0N"] != 2 {
		t.Fatal(of)
	}
	south := of["L0S"]
	w := newWorld(t, map[string]string{
		"rows.csv": rows, "t.csv": "level,workers\nTotal,200\nL0,100\nL1,100\n",
		"s.csv": fmt.Sprintf("statistic,variable,level,region,value,n\nmean,wage,L0,N,2002,100\nmean,wage,L0,S,2100,%d\nmean,wage,L1,N,2100,%d\nmean,wage,L1,S,2100,%d\n", south-3, of["L1N"], of["L1S"]),
		"rules.yaml": `
project: p
microdata: {file: DIR/rows.csv, employer: employer}
rules: {minimum-frequency: {n: 10}}
dimensions: [{name: level}, {name: region}]
tables: [{file: t.csv, dimensions: [level], measures: [{column: workers, is: count}]}]
estimates: [{file: s.csv, kind: summary, counts: workers, dimensions: [level, region]}]
`})
	r, err := w.run("out", "t.csv", "s.csv")
	if err != nil || r.Released {
		t.Fatal(err, r)
	}
	got := strings.Join(cells(r), "\n")
	for _, want := range []string{"it is about 100 workers and level=L0, region=N has 2 in the microdata", fmt.Sprintf("of which there are %d in the microdata: 3 are in one", south)} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nwant %q", got, want)
		}
	}
	if strings.Contains(got, "level=L1") {
		t.Errorf("what is true was doubted:\n%s", got)
	}
}

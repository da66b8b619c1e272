package outputs

import (
	"fmt"
	"strings"
	"testing"
)

// TestMomentsOfCodes: a variable of two values tells its share by any moment,
// however it is coded; a true variable leaves where the microdata show it.
func TestMomentsOfCodes(t *testing.T) {
	micro := "employer,wage,degree,sick\n"
	for i := range 100 {
		degree, sick := 1, 0
		if i < 2 {
			degree, sick = 2, 1
		}
		micro += fmt.Sprintf("%d,%d,%d,%d\n", i, 2000+i, degree, sick)
	}
	const rules = "project: p\n%srules: {minimum-frequency: {n: 10}%s}\ndimensions: [{name: level, groups: {Total: [L1, L2]}}]\nestimates: [{file: s.csv, kind: summary, counts: workers%s}]\n"
	for _, tt := range []struct {
		name, row    string
		micro        bool
		spec         string
		want, status string
	}{
		{"codes of 1 and 2", "mean,degree,1.02", false, "", "tells a share where that has two values", "needs review"},
		{"the microdata tell", "mean,degree,1.02", true, ", variables: [degree]", "takes 2 values in the microdata", "needs review"},
		{"sum of codes", "sum,degree,102", false, "", "tells a share", "needs review"},
		{"deviation of codes", "sd,degree,14", false, "", "tells a share", "needs review"},
		{"skewness", "skewness,sick,6.9", true, "", "takes 2 values", "needs review"},
		{"kurtosis", "kurtosis,sick,49", false, "", "tells a share", "needs review"},
		{"gini", "gini,sick,0.98", false, "", "tells a share", "needs review"},
		{"gini of a category", "gini,level=L2,0.98", false, "", "tells a share", "needs review"},
		{"correlation of one", "correlation,wage and sick,0.02", true, "", `correlation of "sick"`, "needs review"},
		{"correlation of numbers", "correlation,\"wage, age\",0.4", true, ", variables: [age]", "", ""},
		{"nameless", "mean,,2050", false, "", "mean of what?", "needs review"},
		{"a true variable", "mean,wage,2049.5", true, "", "", ""},
		{"said to be one", "mean,wage,2049.5", false, ", variables: [wage]", "", ""},
		{"perfect fit", "r.squared,wage,1", true, "", "a perfect fit", "suppressed (sensitive)"},
	} {
		head := ""
		if tt.micro {
			head = "microdata: {file: DIR/m.csv, employer: employer}\n"
		}
		w := newWorld(t, map[string]string{"m.csv": micro, "s.csv": "statistic,variable,value,n\n" + tt.row + ",100\n", "rules.yaml": fmt.Sprintf(rules, head, "", tt.spec)})
		r, err := w.run("out", "s.csv")
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got, status := strings.Join(cells(r), "\n"), ""
		if len(r.Findings) > 0 {
			status = r.Findings[0].Status
		}
		if status != tt.status || !strings.Contains(got, tt.want) || r.Released != (tt.status != "needs review") {
			t.Errorf("%s: released %v, %q (%s), want %q", tt.name, r.Released, got, status, tt.want)
		}
	}
	for _, tt := range []struct{ rule, row, want string }{
		{"zeros: {}", "count,level=L2,0", "zeros: none of 100"},
		{"all-in-one-category: {}", "share,level=L2,1", "all-in-one-category: all 100 are alike"},
		{"group-disclosure: {k: 1}", "share,level=L2,0.99", "group-disclosure: 99 of 100"},
		{"group-disclosure: {k: 0}", "sd,wage,0", "group-disclosure: 100 of 100 are alike in wage"},
		{"all-in-one-category: {along: [level]}", "mean,level=L2,1", "all-in-one-category: all 100"},
		{"all-in-one-category: {}", "count,level=L2,100", "all-in-one-category: all 100"},
	} {
		w := newWorld(t, map[string]string{"s.csv": "statistic,variable,value,n\n" + tt.row + ",100\n", "rules.yaml": fmt.Sprintf(rules, "", ", "+tt.rule, ", variables: [wage]")})
		r, err := w.run("out", "s.csv")
		if err != nil || !strings.Contains(strings.Join(cells(r), "\n"), tt.want) {
			t.Errorf("%s under %s: %v, %+v", tt.row, tt.rule, err, r.Findings)
		}
	}
}

// TestPlausibleEstimates: numbers that cannot be are named, row by row.
func TestPlausibleEstimates(t *testing.T) {
	for _, tt := range []struct{ name, kind, text, want string }{
		{"more freedom than units", "regression", "term,estimate,n,dof\na,1,12,500\nb,1,12,500\n", "row 1 (term=a): dof is 500 and there are 2 terms, which makes 502 units, and n is 12"},
		{"freedom for its terms", "regression", "term,model,estimate,n,dof\na,m,1,12,10\nb,m,1,12,11\n", "row 2 (term=b, model=m): dof is 11"},
		{"two sizes of one model", "regression", "term,model,estimate,n,dof\na,m,1,120,80\nb,m,1,140,80\n", "row 2 (term=b, model=m): n is 140 here and 120 in row 1 of the same model"},
		{"less than nobody", "regression", "term,estimate,n,dof\na,1,-120,80\n", "n is -120"},
		{"more than all", "summary", "statistic,value,n\nshare,1.2,100\n", "value is 1.2, want a number from 0 to 1"},
		{"no probability", "summary", "statistic,value,n,q\nquantile,1.2,100,50\n", "q is 50, want a probability"},
		{"a value under another name", "regression", "term,estimate,std.error,statistic,n,dof\na,1,0.5,84000,120,80\n", "statistic is 84000, want the estimate over its standard error, 2"},
		{"an interval beside it", "summary", "statistic,value,n,conf.low,conf.high\nshare,0.5,100,0.6,0.7\n", "value is 0.5, outside of its interval from 0.6 to 0.7"},
		{"no year", "summary", "statistic,value,n,year\nshare,0.5,100,84000\n", "year is 84000, want a year"},
		{"ties", "summary", "statistic,value,n,ties\nmax,0.5,100,84000\n", "ties is 84000 of n 100"},
		{"correlation", "summary", "statistic,value,n\ncorrelation,-3,100\n", "value is -3"},
	} {
		w := newWorld(t, map[string]string{"s.csv": tt.text, "rules.yaml": "project: p\nrules: {minimum-frequency: {n: 10}, degrees-of-freedom: {n: 10}}\nestimates: [{file: s.csv, kind: " + tt.kind + ", counts: workers, design: other}]\n"})
		if _, err := w.run("out", "s.csv"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// Package analysis_test checks that the two examples of a researchers' program
// write the same numbers.
package analysis_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"scramblelab/internal/fidelity/program"
)

// tables writes twelve employers over four years, a third of them automating.
func tables(dir string) error {
	var employers, cells strings.Builder
	employers.WriteString("serial,year,present,age_class,group,event_year,design_weight\n")
	cells.WriteString("serial,year,level,field,workers,wage_class,fte_class\n")
	for e := 1; e <= 12; e++ {
		for y := 2010; y < 2014; y++ {
			group, event := "control", ""
			if e%3 == 0 {
				group, event = "intervention", fmt.Sprint(2011+e%2)
			}
			fmt.Fprintf(&employers, "%d,%d,staff,\"[40,45)\",%s,%s,%d.50\n", e, y, group, event, 1+e%2)
			for k, level := range []string{"L03", "L08", "L12"} {
				wage := 20000 + 5000*((e+y+3*k)%4)
				fmt.Fprintf(&cells, "%d,%d,%s,041,%d,\"[%d,%d)\",\"[0.9,1)\"\n", e, y, level, 1+(e*y+k)%5, wage, wage+5000)
			}
		}
	}
	for name, text := range map[string]string{"employers.csv": employers.String(), "cells.csv": cells.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func TestLanguagesAgree(t *testing.T) {
	var first []program.Term
	for _, command := range [][]string{{"python3", "analysis.py"}, {"Rscript", "analysis.R"}} {
		if _, err := exec.LookPath(command[0]); err != nil {
			t.Logf("%s is not installed", command[0])
			continue
		}
		r, err := program.Run(context.Background(), program.Options{Command: append(command, program.Data, program.Out), Trust: true}, tables)
		if err != nil {
			t.Fatalf("%v: %v\n%s", command, err, r.Printed)
		}
		if len(r.Terms) != 3 {
			t.Fatalf("%v writes %d terms, want 3", command, len(r.Terms))
		}
		for k, x := range r.Terms {
			if math.IsNaN(x.Estimate) || !(x.StdErr > 0) {
				t.Errorf("%v: %+v", command, x)
			}
			if first == nil {
				continue
			}
			if f := first[k]; f.Name != x.Name || math.Abs(f.Estimate-x.Estimate) > 1e-6 || math.Abs(f.StdErr-x.StdErr) > 1e-6 {
				t.Errorf("%v writes %+v, the other language %+v", command, x, f)
			}
		}
		first = r.Terms
	}
}

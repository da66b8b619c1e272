package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"scramblelab/internal/audit"
)

// showFindings writes a line per check and reports whether one failed.
func showFindings(w io.Writer, findings []audit.Finding) (failed bool, err error) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range findings {
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Severity, f.Check, f.Detail)
		failed = failed || f.Severity == audit.Fail
	}
	if err := t.Flush(); err != nil {
		return failed, err
	}
	for _, f := range findings {
		if f.Severity == audit.Fail && f.Remedy != "" {
			fmt.Fprintf(w, "to change: %s\n", f.Remedy)
		}
	}
	return failed, nil
}

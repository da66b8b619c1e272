package main

import (
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"scramblelab/internal/folder"
	"scramblelab/internal/outputs"
	"scramblelab/internal/outputs/suppress"
)

func newOutputs() *cobra.Command {
	var c common
	var o outputs.Options
	var search time.Duration
	cmd := &cobra.Command{
		Use:   "outputs FILE... --rules FILE -o DIR",
		Short: "Check what researchers want to take out in phase two",
		Long: `Check result tables, regressions and summary statistics against a rules file,
suppress what is sensitive and what would give it away, and compare with all that
was released before in the project.

Writes
  DIR/internal/report.md      for the supervisor              (confidential)
  DIR/internal/verdicts.csv   every row that is not safe, why, and the proof
  DIR/internal/report.json    the same for programs
  DIR/release/                the cleaned files, and only if all of them may leave

Nothing is released that no rule covers, or for which a rule could not be
evaluated. With --ledger the release is entered into a hash chain, and the next
output is checked against it; note the hash of its last entry elsewhere.

EXIT STATUS
  0 everything that is in DIR/release may leave    1 error, or files that cannot
  be checked    2 wrong flags    3 something unsafe remains: nothing is released`,
		Example: `  scramble outputs wages.csv --rules rules.yaml -o checked
  scramble outputs wages.csv model.csv --rules rules.yaml -o checked --ledger project.ledger`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errUsage{fmt.Errorf("nothing to check: name the files that shall leave")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.check(); err != nil {
				return err
			}
			if o.Rules == "" {
				return errUsage{fmt.Errorf("no rules: name a rules file with --rules, such as examples/outputs/rules.yaml")}
			}
			tellLeftovers(cmd.ErrOrStderr(), filepath.Clean(c.out))
			show, done := showProgress(cmd)
			defer done()
			o.Files, o.Out, o.Force, o.Progress = args, filepath.Clean(c.out), c.force, show
			o.Now, o.Tool = time.Now(), "scramble"
			o.Suppress = suppress.Options{Search: search}
			r, err := outputs.Run(cmd.Context(), o)
			done()
			if err != nil {
				return err
			}
			warn(cmd.ErrOrStderr(), r.Warnings)
			if c.json != "-" {
				if err := showOutputs(cmd.OutOrStdout(), r, o); err != nil {
					return err
				}
			}
			switch c.json {
			case "":
			case "-":
				err = r.Encode(cmd.OutOrStdout())
			default:
				err = folder.WriteFile(c.json, 0o600, r.Encode)
			}
			if err == nil && !r.Released {
				err = errGate
			}
			return err
		},
	}
	c.addTo(cmd, "release (what may leave) and internal (why)")
	f := cmd.Flags()
	f.StringVar(&o.Rules, "rules", "", "rules `file`: what the files are, and what is asked of them (required)")
	f.StringVar(&o.Ledger, "ledger", "", "ledger `file` of the project: what was released before; made if it does not exist")
	f.StringVar(&o.LedgerHead, "ledger-head", "", "`hash` that was noted after an earlier check: fail if the ledger lacks it")
	f.DurationVar(&search, "search", 0, "time to look for a smaller pattern, such as 30s; default 10s, 25s above 300,000 cells")
	return cmd
}

// showOutputs prints the summary of a check.
func showOutputs(w io.Writer, r *outputs.Report, o outputs.Options) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "File\trows\tsafe\tsensitive\tpartners\treview\tunsafe\tnot evaluated")
	for _, f := range r.Files {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", f.File, f.Rows, f.Safe, f.Primary, f.Secondary, f.Review, f.Unsafe, f.Unevaluated)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, p := range r.Patterns {
		fmt.Fprintf(w, "Pattern    %s: %d sensitive and %d partners of %d cells suppressed, %.1f %% of the first magnitude\n", p.Population, p.Sensitive, p.Partners, p.Cells, 100*p.Lost)
	}
	for i, d := range r.Differences {
		if i == 5 {
			fmt.Fprintf(w, "           and %d more differences\n", len(r.Differences)-i)
			break
		}
		fmt.Fprintf(w, "Difference %s, %s: %s\n", d.File, d.Cell, d.Sentence)
	}
	if n := len(r.Statements); n > 0 {
		fmt.Fprintf(w, "Statements %d of the rules file are taken at their word: the report lists them, with who and why\n", n)
	}
	for _, h := range r.Held {
		fmt.Fprintf(w, "Held back  %s\n", h)
	}
	if r.Released {
		fmt.Fprintf(w, "Release    %s (may leave)\n", filepath.Join(o.Out, "release"))
	}
	fmt.Fprintf(w, "Report     %s (confidential)\n", filepath.Join(o.Out, "internal", "report.md"))
	if r.LedgerHead != "" {
		fmt.Fprintf(w, "Ledger     %s: note its head elsewhere: %s\n", o.Ledger, r.LedgerHead)
	}
	return nil
}

package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"scramblelab/internal/report"
	"scramblelab/internal/study"
)

func newRun() *cobra.Command {
	var c common
	var policy string
	var recipients []string
	var perRecord bool
	var trust bool
	cmd := &cobra.Command{
		Use:   "run [PLAN] -o DIR",
		Short: "The whole loop: scramble, release, attack, measure, judge",
		Long: `Run the whole loop: read or generate the data, scramble them, draw a fragment,
publish it in classes under meaningless serial numbers, measure what analysis
keeps, let intruders loose on it and judge the result against a policy.

PLAN is a file, or the name of a plan that ships with the program: ksz-default,
employer-safe, did-preserving, census-targeted, naive. Without PLAN the first of
these runs; all of them generate a population unless they are given data.

Writes
  DIR/release/              what may leave the building, and nothing else
  DIR/internal/report.html  the report, to open in a browser (confidential)
  DIR/internal/report.json  the same numbers for programs   (confidential)
  DIR/internal/worst.csv    the serials at the highest risk (confidential)
  DIR.escrow                key and serial map: whoever has it can undo everything
and an entry in the ledger of escrows, which counts the keys that were drawn.

EXIT STATUS
  0 every gate passed    1 error    2 wrong flags    3 a gate failed`,
		Example: `  scramble run -o out
  scramble run employer-safe --seed 1 -o out-safe
  scramble run examples/ses/plan.yaml -o out-ses`,
		Args: nArgs(0, 1, "at most one plan"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.check(); err != nil {
				return err
			}
			p, err := loadPlan(args, policy)
			if err != nil {
				return err
			}
			tellLeftovers(cmd.ErrOrStderr(), filepath.Clean(c.out))
			show, done := showProgress(cmd)
			defer done()
			o := toolOptions(cmd, &c, show)
			o.EscrowRecipients, o.PerRecord, o.TrustProgram = recipients, perRecord, trust
			r, err := study.Run(cmd.Context(), p, o)
			done()
			if err != nil {
				return err
			}
			warn(cmd.ErrOrStderr(), r.Warnings)
			tellOverdue(cmd.ErrOrStderr(), p.Project)
			if c.json != "-" {
				report.Summary(cmd.OutOrStdout(), r, filepath.Clean(c.out))
			}
			if err := c.writeJSON(cmd.OutOrStdout(), r); err != nil {
				return err
			}
			return verdict(r)
		},
	}
	c.addTo(cmd, "release, report, and DIR.escrow beside it")
	c.addRelease(cmd)
	c.addLedger(cmd)
	cmd.Flags().StringSliceVar(&recipients, "escrow-recipient", nil, "age `recipient` (age1...) to encrypt the escrow to")
	cmd.Flags().BoolVar(&perRecord, "per-record", false, "also write internal/employer-risk.csv, the risk of every serial")
	addTrust(cmd, &trust)
	cmd.Flags().StringVar(&policy, "policy", "", "policy `file` to judge by, in place of the plan's own")
	return cmd
}

package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"scramblelab/internal/compare"
	"scramblelab/internal/report"
)

func newCompare() *cobra.Command {
	var o compare.Options
	var format string
	var all bool
	cmd := &cobra.Command{
		Use:   "compare OLD.json NEW.json",
		Short: "Say what got better or worse beyond noise between two reports",
		Long: `Set two reports side by side. A number counts as better or worse only where the
interval of the difference, taken from the intervals of both, excludes zero; the
level holds for the whole comparison, so that a hundred numbers do not bring five
false alarms. "Not told apart" does not mean equal.

Both reports compare releases with confidential originals: so does what this
command prints.

EXIT STATUS
  0 compared, whatever came out    1 error    2 wrong flags`,
		Example: `  scramble compare before/internal/report.json after/internal/report.json
  scramble compare --groups --format markdown before.json after.json`,
		Args: nArgs(2, 2, "two reports, the old one first"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Level == 0 {
				return errUsage{fmt.Errorf("level is 0, want a number in (0, 1), such as 0.95")}
			}
			if err := o.Validate(); err != nil {
				return errUsage{err}
			}
			old, err := readReport(args[0])
			if err != nil {
				return err
			}
			now, err := readReport(args[1])
			if err != nil {
				return err
			}
			tellOverdueReport(cmd.ErrOrStderr(), old)
			tellOverdueReport(cmd.ErrOrStderr(), now)
			c, err := compare.Reports(old, now, o)
			if err != nil {
				return err
			}
			switch format {
			case "text":
				report.Comparison(cmd.OutOrStdout(), c, all)
			case "markdown":
				report.ComparisonMarkdown(cmd.OutOrStdout(), c, all)
			case "json":
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", " ")
				return enc.Encode(c)
			default:
				return errUsage{fmt.Errorf("format is %q, want text, json or markdown", format)}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.Groups, "groups", false, "compare subgroups as well: sizes, sectors, noise levels")
	f.BoolVar(&all, "all", false, "show also what was not told apart")
	f.Float64Var(&o.Level, "level", 0.95, "chance that the whole comparison raises no false alarm")
	f.StringVar(&format, "format", "text", "text, json or markdown")
	return cmd
}

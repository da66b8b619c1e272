package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"scramblelab/internal/policy"
	"scramblelab/internal/report"
	"scramblelab/policies"
)

func newGate() *cobra.Command {
	var file, format string
	cmd := &cobra.Command{
		Use:   "gate REPORT.json --policy FILE",
		Short: "Judge a report against a policy",
		Long: `Judge every gate of a policy on a report. A gate looks at the bound of the
interval, never at the bare value, and a missing number fails it unless the
policy says otherwise.

EXIT STATUS
  0 no gate failed    1 error    2 wrong flags    3 a gate failed`,
		Example: `  scramble gate out/internal/report.json --policy policies/ksz.yaml
  scramble gate out/internal/report.json --format junit > gates.xml`,
		Args: nArgs(1, 1, "one report.json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := readReport(args[0])
			if err != nil {
				return err
			}
			tellOverdueReport(cmd.ErrOrStderr(), r)
			b, err := policies.Read(file)
			if err != nil {
				return err
			}
			p, err := policy.Parse(file, b)
			if err != nil {
				return err
			}
			r.Gates = policy.Judge(p, r)
			out := cmd.OutOrStdout()
			switch format {
			case "text":
				report.Gates(out, r.Gates)
			case "json":
				enc := json.NewEncoder(out)
				enc.SetIndent("", " ")
				err = enc.Encode(r.Gates)
			case "junit":
				err = report.GatesJUnit(out, r, p.Name)
			case "markdown":
				report.GatesMarkdown(out, r)
			case "github":
				report.GatesGitHub(out, r, args[0])
			default:
				err = errUsage{fmt.Errorf("format is %q, want text, json, junit, markdown or github", format)}
			}
			if err != nil {
				return err
			}
			return verdict(r)
		},
	}
	cmd.Flags().StringVar(&file, "policy", "ksz", "policy `file`, or the name of a built-in one: ksz, eurostat, ema-0070 or strict")
	cmd.Flags().StringVar(&format, "format", "text", "text, json, junit (for CI systems), markdown (for a comment) or github (workflow commands)")
	return cmd
}

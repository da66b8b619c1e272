package main

import (
	"github.com/spf13/cobra"

	"scramblelab/internal/source"
)

func newInit() *cobra.Command {
	return &cobra.Command{
		Use:   "init DATA...",
		Short: "Write a commented plan for your own files",
		Long: `Read your files, guess what each column means, and print a commented plan to
standard output. Read it before you run it: every guess says why it was made
and what to check. Reads .csv, .csv.gz and .parquet.

EXIT STATUS
  0 done    1 error    2 wrong flags`,
		Example: "  scramble init ses.csv.gz > plan.yaml\n  scramble run plan.yaml -o out",
		Args:    nArgs(1, 8, "one data file or more"),
		RunE: func(cmd *cobra.Command, args []string) error {
			guess, err := source.Infer(cmd.Context(), args)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(guess.YAML())
			return err
		},
	}
}

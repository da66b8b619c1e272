package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"scramblelab/internal/calibration"
)

func newConfigCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config [FILE]",
		Short: "print the built-in calibration, or check a file",
		Long: `Config prints the file with all figures behind synth population: Belgium, each
figure with its source. A copy of it, changed, is what --config takes. A file
may also begin with

  based_on: belgium

and then say only what differs; a list, or a mapping by code or by year, that it
gives replaces the built-in one whole. With FILE, config checks that file.

EXIT STATUS
  0 done   1 the file is not a calibration   2 wrong flags or arguments`,
		Example: "  synth config > elsewhere.yaml\n  synth config elsewhere.yaml\n  synth population -o pop --config elsewhere.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("want one file at most, got %d: try synth config --help", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := cmd.OutOrStdout().Write(calibration.BelgiumYAML())
				return err
			}
			f, err := calibration.Load(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, %d-%d: %d sectors, %d regions, %d levels, %d fields, %d worlds\n", args[0], f.Name,
				f.Window.First, f.Window.Last, len(f.Sectors), len(f.Regions), len(f.Levels), len(f.Fields), len(f.Worlds.Planted))
			return err
		},
	}
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"scramblelab/internal/calibration"
)

func newConfigCommand() *cobra.Command {
	var section string
	cmd := &cobra.Command{
		Use:   "config [FILE]",
		Short: "print the built-in calibration, or check a file",
		Long: `Config prints the file with all figures behind synth population: Belgium, each
figure with its source. A copy of it, changed, is what --config takes. A file
may also begin with

  based_on: belgium

and then say only what differs; a list, or a mapping by code or by year, that it
gives replaces the built-in one whole. With FILE, config checks that file; with
--section, config prints one section alone, to copy what you change from.

WHAT TO CHANGE FOR WHAT
  size, exits, entrants     how large employers are, and how long they live
  sectors, regions          who does what and where
  levels, fields_of_levels  education; clustering: how alike colleagues are
  flows, age, hours         turnover, ages, part-time and second jobs
  wages                     level, spread, gaps, sorting of workers to employers
  accounts, network         what is published; who buys from whom
  automation, worlds        who automates, and the planted effects

A file that makes turnover slower and wages more equal is three lines:

  based_on: belgium
  flows: {sector_pow: 0.4}
  wages: {worker_sd: 0.12}

EXIT STATUS
  0 done   1 the file is not a calibration   2 wrong flags or arguments`,
		Example: "  synth config --section wages\n  synth config > elsewhere.yaml\n  synth config elsewhere.yaml\n  synth population -o pop --config elsewhere.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if section != "" && len(args) > 0 {
				return usageError{fmt.Errorf("--section prints a part of the built-in file: leave out %s", args[0])}
			}
			if len(args) > 1 {
				return usageError{fmt.Errorf("want one file at most, got %d: try synth config --help", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if section != "" {
				b, err := calibration.Section(section)
				if err != nil {
					return usageError{err}
				}
				_, err = cmd.OutOrStdout().Write(b)
				return err
			}
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
	cmd.Flags().StringVar(&section, "section", "", "print this `section` of the built-in file alone, with its sources")
	return cmd
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"scramblelab/internal/plan"
	"scramblelab/internal/progress"
	"scramblelab/internal/study"
)

func newTablesCommand() *cobra.Command {
	var out, format, planFile, seed string
	var force bool
	cmd := &cobra.Command{
		Use:   "tables POPULATION -o DIR",
		Short: "write the phase-two layout of the full selection",
		Long: `Tables writes what programs meet in phase two: the two release tables of every
employer of the selection, unscrambled and with exact head counts, in the layout
of a phase-one release. The employers behind the serials stand in DIR.escrow.

A plan gives classes and firm columns; its scramble is not applied.

EXIT STATUS
  0 done   1 an error   2 wrong flags or arguments   130 interrupted`,
		Example: "  synth population -o pop\n  synth tables pop -o tables",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("want one population folder, got %d arguments: try synth tables --help", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usageError{fmt.Errorf("no output folder: name one with -o, such as -o tables")}
			}
			o := study.Options{Out: filepath.Clean(out), Force: force, Format: format}
			if seed != "" {
				n, err := strconv.ParseUint(seed, 10, 64)
				if err != nil {
					return usageError{fmt.Errorf("seed is %q, want a whole number from 0 to 2^64-1", seed)}
				}
				o.Seed = &n
			}
			p := plan.Default()
			if planFile != "" {
				var err error
				if p, err = plan.Load(planFile); err != nil {
					return err
				}
			}
			w := cmd.ErrOrStderr()
			file, ok := w.(*os.File)
			show, done := progress.Render(w, ok && term.IsTerminal(int(file.Fd())), time.Now)
			defer done()
			o.Progress = show
			employers, cells, err := study.Tables(cmd.Context(), args[0], p, o)
			done()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Tables     %s: %d employers, %d cells\nEscrow     %s.escrow\n", o.Out, employers, cells, o.Out)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&out, "output", "o", "", "folder to write; DIR.escrow stands beside it")
	f.StringVar(&format, "format", "parquet", "format of the tables: parquet or csv")
	f.StringVar(&planFile, "plan", "", "plan `file` that gives classes and firm columns; default: the built-in one")
	f.StringVar(&seed, "seed", "", "`number` that fixes the serials; without it they come from the system")
	f.BoolVar(&force, "force", false, "replace an output of this command; a folder with anything else in it is kept")
	return cmd
}

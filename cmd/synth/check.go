package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"scramblelab/internal/calibration"
	"scramblelab/internal/folder"
	"scramblelab/internal/population"
	"scramblelab/internal/progress"
	"scramblelab/internal/realism"
)

// errUnreal ends the command with status 3; what it means was printed.
var errUnreal = errors.New("a sourced target is missed")

// checkOptions are the flags of synth check.
type checkOptions struct {
	targets, json, html string
	print               bool
}

func (o *checkOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.targets, "targets", "", "`file` of targets (YAML); default: the built-in ones for Belgium 2003-2021")
	f.BoolVar(&o.print, "print-targets", false, "print the built-in targets, to start a file of your own from, and stop")
	f.StringVar(&o.html, "html", "", "write the scorecard and its pictures as one page to a `file`, replaced if it exists")
	f.StringVar(&o.json, "json", "", "write the scorecard as JSON to a `file`, replaced if it exists; - is standard output, in place of the text")
}

func newCheckCommand() *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check POPULATION",
		Short: "compare a population with what is known of the real one",
		Long: `Check prints a scorecard: some 280 figures that are known of Belgian employers
and their staff, each with its source, what the population shows, the tolerance
and a verdict. Sampling error is added to the tolerance, so that a small
population does not fail by the luck of the draw.

The built-in targets describe Belgium. For a population of another --config
write targets of its own, from a copy of those printed by --print-targets, and
name the file by --targets.

A missed target that was read in a source, or derived from such figures, and a
broken rule of structure fail the check. Expert knowledge and assumptions do
not; figures of another frame are shown beside as context.

EXIT STATUS
  0 no sourced target is missed   1 an error   2 wrong flags or arguments
  3 a sourced target is missed    130 interrupted`,
		Example: "  synth population -o pop --employers 2000\n  synth check pop --html scorecard.html",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 && !o.print {
				return usageError{fmt.Errorf("want one population folder, got %d arguments: try synth check --help", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.print {
				_, err := cmd.OutOrStdout().Write(realism.Builtin())
				return err
			}
			return runCheck(cmd, args[0], o)
		},
	}
	cmd.Flags().SortFlags = false
	o.AddFlags(cmd.Flags())
	return cmd
}

func runCheck(cmd *cobra.Command, dir string, o checkOptions) error {
	targets := realism.Default()
	if o.targets != "" {
		b, err := os.ReadFile(o.targets)
		if err != nil {
			return err
		}
		if targets, err = realism.Parse(o.targets, b); err != nil {
			return err
		}
	}
	// Nearly all of the memory is the tables, which stay: collecting more often
	// costs little and keeps a full-scale folder well below twice their size.
	defer debug.SetGCPercent(debug.SetGCPercent(40))
	tell, end := progress.Render(cmd.ErrOrStderr(), isTerminal(cmd.ErrOrStderr()), time.Now)
	defer end()
	tell.Step("reading", 0, 1)
	p, err := population.Read(cmd.Context(), dir)
	if err != nil {
		return err
	}
	tell.Step("reading", 1, 1)
	card, err := realism.Check(cmd.Context(), p, targets, tell)
	if err != nil {
		return err
	}
	end()
	if o.targets == "" && p.Options.Figures.Digest() != calibration.Belgium().Digest() {
		fmt.Fprintf(cmd.ErrOrStderr(), "synth check: this population was drawn from other figures (%s) than the built-in ones, and the built-in targets describe Belgium 2003-2021: "+
			"where they do not apply, write your own (start from synth check --print-targets) and name them by --targets FILE\n", p.Options.Figures.Name)
	}
	asJSON := func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		e.SetEscapeHTML(false)
		return e.Encode(card)
	}
	switch o.json {
	case "-":
		if err := asJSON(cmd.OutOrStdout()); err != nil {
			return err
		}
	case "":
	default:
		if err := folder.WriteFile(o.json, 0o644, asJSON); err != nil {
			return err
		}
	}
	if o.html != "" {
		if err := folder.WriteFile(o.html, 0o644, func(w io.Writer) error { return realism.HTML(w, card) }); err != nil {
			return err
		}
	}
	if o.json != "-" {
		if err := realism.Text(cmd.OutOrStdout(), card); err != nil {
			return err
		}
	}
	if card.Summary.Failed > 0 {
		return errUnreal
	}
	return nil
}

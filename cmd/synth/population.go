package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"scramblelab/internal/calibration"
	"scramblelab/internal/population"
	"scramblelab/internal/progress"
)

// populationOptions are the flags of synth population.
type populationOptions struct {
	dir    string
	config string
	shard  string
	draw   population.Options
	write  population.WriteOptions
}

func (o *populationOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.dir, "output", "o", "", "folder to write; it must not exist (required)")
	f.IntVar(&o.draw.Employers, "employers", population.DefaultEmployers, "employers present at year-end, mean over the years, at least 50")
	window := calibration.Belgium().Window
	f.IntVar(&o.draw.From, "from", window.First, fmt.Sprintf("first calendar year, %d to %d", window.First, window.Last))
	f.IntVar(&o.draw.To, "to", window.Last, fmt.Sprintf("last calendar year, %d to %d", window.First, window.Last))
	f.StringVar(&o.draw.World, "world", population.Worlds()[0], "planted effects: "+strings.Join(population.Worlds(), ", "))
	f.BoolVar(&o.write.Counterfactual, "counterfactual", false, "also write the twin without events to DIR/counterfactual, and its effects on workers to truth.json (takes three times as long)")
	f.StringVar(&o.config, "config", "", "calibration `file` of another country, or that changes figures; default: Belgium (see synth config)")
	f.StringVar(&o.draw.Suppliers, "suppliers", "main", "links to buyers: main (five largest buyers, or 5 % of what the buyer buys), full or none")
	f.Uint64Var(&o.draw.Seed, "seed", 1, "whole number; the same seed gives the same files")
	f.StringVar(&o.shard, "shard", "", "write part K of N alone, as `K/N`: parts are whole blocks of employers")
	f.StringVar(&o.write.Format, "format", "parquet", "tables as parquet, csv or csv.gz")
	f.BoolVar(&o.write.Force, "force", false, "replace the population that stands there; a folder with anything else in it is kept")
}

func newPopulationCommand() *cobra.Command {
	var o populationOptions
	cmd := &cobra.Command{
		Use:   "population -o DIR",
		Short: "generate a population of employers, accounts, links and jobs",
		Long: `Population writes a folder with four tables (employers, accounts, suppliers,
jobs), codebook.json with every column, code and unit, datapackage.json for
programs that read Frictionless tables, and truth.json with what was planted.

--from and --to are the window that is drawn, not one that is cut out of a longer
population: another window is another population, whatever the seed, since its
employers and their numbers begin with it. For years of one population, draw all
of them and select rows by year.

Twenty thousand employers over ten years are about five million jobs. The folder
is complete or absent; one that exists is replaced only with --force,
and only if it holds nothing but a population.

With --shard K/N every machine draws all employers and who works where, and
writes its own part of the tables. The parts in their order are the rows and the
row groups of the whole; one part alone is no population, and is not read as one.
Blocks hold about a million jobs: with more parts than blocks some are empty.

WORLDS
  productivity  employers that automate grow, with more and better paid graduates
  displacement  they shrink, and lose the less educated
  null          they do what the others do: an estimator that finds an effect is wrong
  pretrend      as productivity, but they grew faster before too: a pre-trend test must say so

EXIT STATUS
  0 done   1 an error   2 wrong flags or arguments   130 interrupted`,
		Example: `  synth population -o pop --employers 2000 --from 2012 --to 2021
  synth population -o pop-null --world null --seed 7 --format csv
  synth population -o part2 --employers 90000 --shard 2/4
  synth population -o elsewhere --config elsewhere.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unexpected argument %q: the folder is given by -o DIR", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return runPopulation(cmd, o) },
	}
	cmd.Flags().SortFlags = false
	o.AddFlags(cmd.Flags())
	return cmd
}

func runPopulation(cmd *cobra.Command, o populationOptions) error {
	if o.dir == "" {
		return usageError{errors.New("no output folder: add -o DIR")}
	}
	// A zero on the command line is a mistake, not a wish for the default.
	for _, f := range []struct {
		name  string
		value int
	}{{"employers", o.draw.Employers}, {"from", o.draw.From}, {"to", o.draw.To}} {
		if f.value == 0 {
			return usageError{fmt.Errorf("--%s is 0: leave it out for the default", f.name)}
		}
	}
	var shard population.Shard
	if o.shard != "" {
		var err error
		if shard, err = population.ParseShard(o.shard); err != nil {
			return usageError{err}
		}
	}
	if o.config != "" {
		var err error
		if o.draw.Figures, err = calibration.Load(o.config); err != nil {
			return err
		}
		// Defaults are those of the file.
		for name, reset := range map[string]func(){
			"from": func() { o.draw.From = 0 }, "to": func() { o.draw.To = 0 }, "world": func() { o.draw.World = "" }} {
			if !cmd.Flags().Changed(name) {
				reset()
			}
		}
	}
	if o.write.Counterfactual && o.shard != "" {
		return usageError{errors.New("--counterfactual needs the whole population: leave out --shard")}
	}
	if err := errors.Join(o.draw.Validate(), o.write.Validate()); err != nil {
		return usageError{err}
	}
	// Look before the work, though the writer looks again.
	if _, err := os.Lstat(o.dir); err == nil && !o.write.Force {
		return fmt.Errorf("%s exists: choose another folder or add --force to replace it", o.dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := o.write.Check(o.dir); err != nil {
		return err
	}
	tell, end := progress.Render(cmd.ErrOrStderr(), isTerminal(cmd.ErrOrStderr()), time.Now)
	defer end()
	n, err := population.GenerateTo(cmd.Context(), o.dir, o.draw, shard, o.write, tell)
	if err != nil {
		return err
	}
	end()
	o.draw = o.draw.Normal()
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d employers, %d accounts, %d supplier links, %d jobs, %d planted events (world %s, %d-%d)\n",
		o.dir, n.Employers, n.Accounts, n.Suppliers, n.Jobs, n.Events, o.draw.World, o.draw.From, o.draw.To)
	if o.shard != "" && n.Employers == 0 && err == nil {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "part %v is empty: the population has fewer blocks of about a million jobs than parts; "+
			"it is complete with the others, and fewer parts would do\n", shard)
	}
	return err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

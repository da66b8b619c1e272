package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"scramblelab/internal/folder"
	"scramblelab/internal/plan"
	"scramblelab/internal/report"
	"scramblelab/internal/study"
	"scramblelab/plans"
)

func newTune() *cobra.Command {
	var c common
	var policy string
	var points, seeds, verify int
	var within float64
	var shard string
	var merge bool
	cmd := &cobra.Command{
		Use:   "tune [PLAN] -o DIR",
		Short: "Search a space of plans for the one that loses least and passes",
		Long: `Search the plans around one for the plan that loses least while every gate of
its policy holds. What may vary stands in the plan's section tune; without PLAN
the built-in space is searched on a generated population.

Plans are raced: all on one key, the better half on two, and so on. The plan
that comes out best, and its neighbours, are then measured again, on fresh keys
and, where the data are generated, a fresh population; only these figures are
reported, and if the plan does not hold, the next one is tried. Nothing is
released, and no key of the search is ever used for a release.

What each step of that plan buys and costs is measured as well, by leaving it out.

A search can be cut into parts for several machines: --shard 2/3 races every third
plan, and --merge takes the folders of all parts, measures what is still missing
and gives what the whole search would have given.

What was measured is kept in DIR.measurements.jsonl: a search that was cut off
goes on from there when the same command is given again.

Writes
  DIR/plan.yaml   the recommended plan, ready for scramble run
  DIR/tune.json   the map: every plan with its risk and loss, and why
  DIR/report.json figures of the recommended plan for scramble gate
  DIR/measurements.jsonl

EXIT STATUS
  0 a plan was found    1 error    2 wrong flags    3 no plan of the space passes`,
		Example: `  scramble tune -o tuned
  scramble tune plan.yaml --minutes 10 -o tuned
  scramble run tuned/plan.yaml -o out
  scramble tune plan.yaml --shard 1/2 -o part-1
  scramble tune plan.yaml --merge part-1 part-2 -o tuned`,
		Args: func(cmd *cobra.Command, args []string) error {
			if merge {
				return nArgs(1, 1<<20, "a plan, or none, and the folders of the parts")(cmd, args)
			}
			return nArgs(0, 1, "at most one plan")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.check(); err != nil {
				return err
			}
			if !(within >= 0 && within < 1e6) {
				return errUsage{fmt.Errorf("--minutes is %v, want a number of minutes above 0", within)}
			}
			t := study.Tuning{Seed: tuneSeed(c.seed), Verify: verify}
			var err error
			if t.Shard, t.Shards, err = parseShard(shard); err != nil {
				return err
			}
			if merge {
				if t.Shards > 0 {
					return errUsage{errors.New("--shard and --merge: a part cannot be merged while it is searched; leave one out")}
				}
				if args, t.Merge, err = partsOf(args); err != nil {
					return err
				}
			}
			p, err := tunePlan(args, policy)
			if err != nil {
				return err
			}
			if p.Tune != nil {
				t := *p.Tune
				if points > 0 {
					t.Points = points
				}
				if seeds > 0 {
					t.Seeds = seeds
				}
				p.Tune = &t
				if err := p.Validate(); err != nil {
					return err
				}
			}
			o := study.Options{Out: filepath.Clean(c.out), Force: c.force}
			if err := folder.Check(o.Out, folder.Options{Force: o.Force, Known: study.TunedNames()}); err != nil {
				return err
			}
			show, done := showProgress(cmd)
			defer done()
			t.Progress = show
			if within > 0 {
				t.Until = time.Now().Add(time.Duration(within * float64(time.Minute)))
			}
			book := study.BookOf(o.Out)
			found, kept, err := study.Tune(cmd.Context(), p, book, t)
			done()
			if err != nil {
				if kept != nil && kept.Len() > 0 {
					fmt.Fprintf(cmd.ErrOrStderr(), "scramble: %d measurements are kept in %s; the same command goes on from there\n", kept.Len(), book)
				}
				return err
			}
			r, err := study.WriteTuned(found, p, book, o)
			if err != nil {
				return err
			}
			if c.json != "-" {
				report.Tuned(cmd.OutOrStdout(), found)
				fmt.Fprintf(cmd.OutOrStdout(), "\nMap        %s\n", filepath.Join(o.Out, "tune.json"))
				if t.Shards > 0 {
					fmt.Fprintf(cmd.OutOrStdout(), "Part       %d of %d: scramble tune --merge takes the folders of all parts\n", t.Shard, t.Shards)
				}
				if found.Recommended >= 0 {
					fmt.Fprintf(cmd.OutOrStdout(), "Plan       %s (scramble run %[1]s -o out)\n", filepath.Join(o.Out, "plan.yaml"))
				}
			}
			if err := c.writeJSON(cmd.OutOrStdout(), r); err != nil {
				return err
			}
			if found.Recommended < 0 && t.Shards == 0 {
				return errGate
			}
			return nil
		},
	}
	c.addTo(cmd, "recommended plan and map")
	f := cmd.Flags()
	f.StringVar(&policy, "policy", "", "policy `file` whose gates a plan must pass, in place of the plan's own")
	f.Var(&c.seed, "seed", "`number` that fixes population, order of plans and keys (default 1)")
	f.Float64Var(&within, "minutes", 0, "stop the search after so many minutes; 0 lets it end by itself")
	f.StringVar(&shard, "shard", "", "race part `K/N` of the plans, such as 1/3")
	f.BoolVar(&merge, "merge", false, "take over what the parts of the search measured: their folders follow the plan")
	f.IntVar(&points, "points", 0, "plans to start with, in place of the plan's own number")
	f.IntVar(&seeds, "seeds", 0, "keys on which the last plans are measured, in place of the plan's own number")
	f.IntVar(&verify, "verify", 0, "fresh keys on which the best plan is measured again (default twice the seeds)")
	return cmd
}

// tunePlan loads the plan that was named, or the built-in space.
func tunePlan(args []string, policy string) (plan.Plan, error) {
	if len(args) > 0 {
		p, err := loadPlan(args, policy)
		if err == nil && p.Tune == nil {
			err = errors.New(args[0] + " does not say what may vary: add a section tune, as in plans/tune.yaml")
		}
		return p, err
	}
	b, err := plans.Read("tune")
	if err != nil {
		return plan.Plan{}, err
	}
	p, err := plan.Parse("tune.yaml", b)
	if policy != "" {
		p.Gates = policy
	}
	return p, err
}

func tuneSeed(s seed) uint64 {
	if s.value != nil {
		return *s.value
	}
	return 1
}

// parseShard reads K/N, part K of N from 1.
func parseShard(text string) (k, n int, err error) {
	if text == "" {
		return 0, 0, nil
	}
	a, b, ok := strings.Cut(text, "/")
	k, err1 := strconv.Atoi(a)
	n, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || k < 1 || n < 2 || k > n {
		return 0, 0, errUsage{fmt.Errorf("--shard is %q, want K/N with K from 1 to N and N at least 2, such as 1/3", text)}
	}
	return k, n, nil
}

// partsOf tells a plan from the folders of parts, and returns their books.
func partsOf(args []string) (plan, books []string, err error) {
	for i, a := range args {
		info, err := os.Stat(a)
		switch {
		case err != nil:
			return nil, nil, err
		case !info.IsDir() && i == 0:
			plan = args[:1]
		case !info.IsDir():
			return nil, nil, errUsage{fmt.Errorf("%s is no folder that scramble tune --shard wrote", a)}
		default:
			books = append(books, filepath.Join(a, "measurements.jsonl"))
		}
	}
	if len(books) == 0 {
		return nil, nil, errUsage{errors.New("--merge wants the folders of the parts, such as part-1 part-2")}
	}
	return plan, books, nil
}

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"scramblelab/internal/folder"
	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/progress"
	"scramblelab/internal/release"
	"scramblelab/internal/study"
)

// common are the flags of commands that write a folder.
type common struct {
	out    string
	force  bool
	format string
	seed   seed
	json   string
	ledger string
}

func (c *common) addTo(cmd *cobra.Command, what string) {
	f := cmd.Flags()
	f.StringVarP(&c.out, "output", "o", "", "folder to write: "+what)
	f.BoolVar(&c.force, "force", false, "replace an output of this command; a folder with anything else in it is kept")
	c.addJSON(cmd)
}

func (c *common) addJSON(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.json, "json", "", "also write report.json to this `file`, - for standard output")
}

func (c *common) addRelease(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.format, "format", "parquet", "format of the tables: parquet or csv")
	f.Var(&c.seed, "seed", "`number` that fixes every draw, for simulations only; without it keys come from the system")
}

func (c *common) addLedger(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.ledger, "ledger", "", "ledger `file` of keys and deliveries (default escrow-ledger.jsonl beside the escrow)")
}

func (c *common) check() error {
	if c.out == "" {
		return errUsage{fmt.Errorf("no output folder: name one with -o, such as -o out")}
	}
	if c.format != "" && c.format != "parquet" && c.format != "csv" {
		return errUsage{fmt.Errorf("format is %q, want parquet or csv", c.format)}
	}
	return nil
}

// seed is an optional number.
type seed struct{ value *uint64 }

func (s *seed) String() string {
	if s.value == nil {
		return ""
	}
	return strconv.FormatUint(*s.value, 10)
}

func (s *seed) Set(text string) error {
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("want a whole number from 0 to 2^64-1")
	}
	s.value = &v
	return nil
}

func (s *seed) Type() string { return "number" }

// showProgress draws progress on standard error.
func showProgress(cmd *cobra.Command) (progress.Func, func()) {
	w := cmd.ErrOrStderr()
	f, ok := w.(*os.File)
	return progress.Render(w, ok && term.IsTerminal(int(f.Fd())), time.Now)
}

// loadPlan reads the plan that was named, or the built-in one, and puts the
// policy that --policy names in place of the plan's own.
func loadPlan(args []string, policy string) (plan.Plan, error) {
	p := plan.Default()
	if len(args) > 0 {
		var err error
		if p, err = plan.Load(args[0]); err != nil {
			return plan.Plan{}, err
		}
	}
	if policy != "" {
		p.Gates = policy
	}
	return p, nil
}

// warn shows the warnings of a study on standard error.
func warn(w io.Writer, warnings []string) {
	for _, s := range warnings {
		fmt.Fprintln(w, "warning:", s)
	}
}

// tellOverdue names a release that was to be destroyed by now.
func tellOverdue(w io.Writer, p plan.Project) {
	warn(w, release.Meta{DestroyWhen: p.DestroyWhen, ExtendedBy: p.ExtendedBy}.Overdue(time.Now()))
}

// tellOverdueReport names the release of a report that was to be destroyed by
// now. A report of another version, whose plan cannot be read, says nothing.
func tellOverdueReport(w io.Writer, r *metric.Report) {
	if p, err := plan.Parse("plan.yaml", []byte(r.Plan)); err == nil && r.Plan != "" {
		tellOverdue(w, p.Project)
	}
}

// tellLeftovers names what runs that were cut off left beside an output: hidden
// and half-written, but real data none the less.
func tellLeftovers(w io.Writer, out string) {
	for _, path := range []string{out, out + ".escrow"} {
		stale, err := folder.Stale(path)
		if err != nil {
			continue // the run itself will say
		}
		for _, s := range stale {
			what := "a run that was cut off left %s: remove it"
			if strings.Contains(filepath.Base(s), ".replaced-") {
				what = "a run with --force was cut off while it replaced %s: give it its name back, or remove it"
			}
			fmt.Fprintf(w, "warning: "+what+", unless another run is writing there now\n", s)
		}
	}
}

// writeJSON writes a report where --json says.
func (c *common) writeJSON(stdout io.Writer, r *metric.Report) error {
	switch c.json {
	case "":
		return nil
	case "-":
		return r.Encode(stdout)
	}
	return folder.WriteFile(c.json, 0o600, r.Encode)
}

// readReport reads a report.json and names the file in errors.
func readReport(path string) (*metric.Report, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := metric.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// verdict turns a report into an exit status.
func verdict(r *metric.Report) error {
	if r.Passed() {
		return nil
	}
	return errGate
}

func toolOptions(cmd *cobra.Command, c *common, p progress.Func) study.Options {
	return study.Options{Out: filepath.Clean(c.out), Force: c.force, Format: c.format, Seed: c.seed.value, Ledger: c.ledger, Progress: p}
}

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"scramblelab/internal/bench"
	"scramblelab/internal/folder"
	"scramblelab/internal/metric"
	"scramblelab/internal/study"
)

func newBench() *cobra.Command {
	var c common
	var accept, every, timings bool
	cmd := &cobra.Command{
		Use:   "bench SCENARIO...",
		Short: "Run the attack benchmarks against accepted baselines",
		Long: `Run attack benchmarks: scenarios, each a plan on a population, whose risks and
losses are held against values that were accepted before. A change of the
program or of a plan that makes a release leakier or duller beyond noise fails,
with a table of what was accepted, what is now, and what noise leaves open.

SCENARIO is a file or a folder of files NAME.yaml; what was accepted stands
beside them in accepted/NAME.yaml. --accept measures on more seeds and rewrites
that: commit it like any other change. A scenario whose data are not there is
skipped, and said so.

Measurements are kept while a run is under way, in OUTPUT.measurements.jsonl or
in .unfinished.jsonl beside the scenarios: a run that was cut off goes on from
there when the same command is given again, unless the program is another one.

Writes, with -o,
  DIR/report.json   every metric against its baseline, for scramble gate and others
  DIR/timings.txt   how long it took, for benchstat

EXIT STATUS
  0 nothing got worse    1 error    2 wrong flags
  3 something got worse, or has no baseline    130 interrupted`,
		Example: `  scramble bench benchmarks
  scramble bench benchmarks/employer-safe.yaml --all
  scramble bench benchmarks --accept`,
		Args: nArgs(1, 1<<20, "scenario files, or a folder of them, such as benchmarks"),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := bench.Files(args)
			if err != nil {
				return err
			}
			build, err := buildDigest()
			if err != nil {
				return err
			}
			o := bench.Options{Accept: accept, Build: build, Book: filepath.Join(filepath.Dir(files[0]), ".unfinished.jsonl")}
			if c.out != "" {
				c.out = filepath.Clean(c.out)
				o.Book = study.BookOf(c.out)
				if err := folder.Check(c.out, folder.Options{Force: c.force, Inputs: files, Known: benchNames}); err != nil {
					return err
				}
			}
			show, done := showProgress(cmd)
			defer done()
			o.Progress = show
			found, err := bench.Run(cmd.Context(), files, o)
			done()
			var cut *bench.Interrupted
			if errors.As(err, &cut) && cut.Kept > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "scramble: %d measurements are kept in %s; the same command goes on from there\n", cut.Kept, cut.Book)
			}
			if err != nil {
				return err
			}
			for _, s := range found {
				if s.Skipped != "" {
					fmt.Fprintf(cmd.ErrOrStderr(), "WARNING: scenario %s WAS NOT TRIED: %s\n", s.Name, s.Skipped)
				}
			}
			r, err := bench.Report(study.Tool(), found)
			if err != nil {
				return err
			}
			if c.out != "" {
				if err := writeBench(&c, files, found, r); err != nil {
					return err
				}
			}
			out := cmd.OutOrStdout()
			if c.json != "-" {
				if err := bench.Text(out, found, every); err != nil {
					return err
				}
			}
			if timings {
				if err := bench.Timings(out, found); err != nil {
					return err
				}
			}
			if err := c.writeJSON(out, r); err != nil {
				return err
			}
			if !bench.Passed(found) {
				return errGate
			}
			return nil
		},
	}
	c.addTo(cmd, "report.json and timings; without it nothing but the table is written")
	f := cmd.Flags()
	f.BoolVar(&accept, "accept", false, "rewrite the baselines in place of judging by them")
	f.BoolVar(&every, "all", false, "show every metric, not only those that changed")
	f.BoolVar(&timings, "timings", false, "print how long each measurement took, in the format of Go benchmarks")
	return cmd
}

// benchNames are the files of a folder that bench writes.
var benchNames = []string{"report.json", "timings.txt"}

func writeBench(c *common, files []string, found []bench.Outcome, r *metric.Report) error {
	out, err := folder.Create(c.out, folder.Options{Force: c.force, Mode: 0o700, Inputs: files, Known: benchNames})
	if err != nil {
		return err
	}
	defer out.Abort()
	for i, write := range []func(io.Writer) error{r.Encode, func(w io.Writer) error { return bench.Timings(w, found) }} {
		if err := folder.WriteFile(filepath.Join(out.Path(), benchNames[i]), 0o600, write); err != nil {
			return err
		}
	}
	return out.Commit()
}

// buildDigest tells this build of the program from any other.
func buildDigest() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Package outputs checks what researchers want to take out of the building in
// phase two: tables, estimates and summary statistics, against a rules file that
// says what they are and what is asked of them.
//
// The primary rules (package primary) say which cells are sensitive; a pattern
// of suppressed cells (package suppress) sees to it that none can be derived
// from the others, over all tables of a population together and over what a
// ledger says was released before. Populations that differ by a few units are
// found by subtraction, the scrambled fragment of phase one included.
//
// Nothing leaves by default: a file that no rule covers, a rule that could not
// be evaluated, a cell whose interval could not be bounded, each keeps the
// release back and says so. Whoever wants less says it in the rules file.
package outputs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"scramblelab/internal/folder"
	"scramblelab/internal/ledger"
	"scramblelab/internal/outputs/suppress"
	"scramblelab/internal/progress"
)

// Options say what is checked.
type Options struct {
	Files      []string  // the researcher's output
	Rules      string    // rules file
	Out        string    // folder to write; its release folder exists only if something may leave
	Ledger     string    // what was released before; "" compares with nothing
	LedgerHead string    // a head that the ledger must contain, so that nothing was cut off; "" trusts it
	Force      bool      // replace an older output of this command
	Now        time.Time // written into the ledger
	Tool       string    // version, for the report
	Suppress   suppress.Options
	Progress   progress.Func
}

// BadInput holds everything that is wrong with the files, cell by cell.
type BadInput struct{ Problems []string }

// Error writes one problem per line.
func (e *BadInput) Error() string {
	return "the files cannot be checked, and nothing is released:\n  " + strings.Join(e.Problems, "\n  ")
}

// Run checks the files and writes the output folder. The report says whether
// anything may leave; an error says that nothing could be checked, and leaves
// nothing behind.
func Run(ctx context.Context, o Options) (*Report, error) {
	b, err := os.ReadFile(o.Rules)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	rules, err := Parse(o.Rules, b)
	if err != nil {
		return nil, err
	}
	inputs := append([]string{o.Rules}, o.Files...)
	if rules.Microdata != nil {
		inputs = append(inputs, rules.Microdata.File)
	}
	var known []string
	for _, f := range o.Files {
		known = append(known, "release/"+filepath.Base(f))
	}
	known = append(known, "internal/report.json", "internal/report.md", "internal/verdicts.csv", "internal/alternatives.csv")
	out, err := folder.Create(o.Out, folder.Options{Force: o.Force, Inputs: inputs, Known: known})
	if err != nil {
		return nil, err
	}
	defer out.Abort()
	o.Suppress.Progress = o.Progress

	c := &check{rules: &rules, o: o, report: newReport(o, &rules, b)}
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	if err := c.write(ctx, out.Path()); err != nil {
		return nil, err
	}
	// The ledger comes first: what stood in the folder without being in the ledger
	// could leave, and nothing later would be compared with it. An entry for a
	// folder that never appeared only asks for what a repeated run shows as well.
	if c.ledger != nil {
		e, err := c.ledger.Append("outputs", o.Now, c.entry())
		if err != nil {
			return nil, err
		}
		c.report.LedgerHead = e.Hash
	}
	if err := out.Commit(); err != nil {
		if c.ledger != nil {
			err = errors.Join(fmt.Errorf("%s is in the ledger and could not be written: run again", o.Out), err)
		}
		return nil, err
	}
	return c.report, nil
}

// check is one run.
type check struct {
	rules  *Rules
	o      Options
	report *Report
	dims   []suppress.Dimension
	tables []*table
	groups []*group // of tables on one population
	others []*estimates
	micro  *microdata
	ledger *ledger.Ledger
	before []*past
	stats  []*pastStat // of earlier releases

	relatives relatives
	accepted  int             // rows that leave though their interval could not be bounded
	disguises map[string]bool // sums that are counts
	written   []releasedFile
	bad       []string
}

// maxFaults bounds what is said about one set of files.
const maxFaults = 200

// fault notes something wrong with the files.
func (c *check) fault(format string, args ...any) {
	switch {
	case len(c.bad) < maxFaults:
		c.bad = append(c.bad, fmt.Sprintf(format, args...))
	case len(c.bad) == maxFaults:
		c.bad = append(c.bad, "and more of the same")
	}
}

// faults returns what is wrong so far.
func (c *check) faults() error {
	if c.bad == nil {
		return nil
	}
	return &BadInput{c.bad}
}

func (c *check) run(ctx context.Context) error {
	if err := c.open(); err != nil {
		return err
	}
	c.o.Progress.Step("read", 0, 0)
	if err := c.read(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{c.readMicro, c.link, c.count, c.judge, c.judgeEstimates, c.difference, c.protect} {
		if err := step(ctx); err != nil {
			return err
		}
		if err := c.faults(); err != nil {
			return err
		}
	}
	c.settleEstimates()
	c.doubt()
	c.propose()
	c.summarise()
	return nil
}

// open matches files with what the rules say of them, and opens the ledger.
func (c *check) open() error {
	byName := map[string]string{}
	for _, f := range c.o.Files {
		if old, ok := byName[filepath.Base(f)]; ok {
			c.fault("%s and %s have one name, and the release folder has room for one of them: rename one, here and in the rules", old, f)
		}
		byName[filepath.Base(f)] = f
	}
	var described []string
	path := func(name string) string {
		described = append(described, filepath.Base(name))
		p, ok := byName[filepath.Base(name)]
		if !ok {
			c.fault("%s is described in the rules but was not given: name it on the command line", name)
		}
		return p
	}
	for i := range c.rules.Tables {
		c.tables = append(c.tables, &table{spec: &c.rules.Tables[i], path: path(c.rules.Tables[i].File)})
	}
	for i := range c.rules.Estimates {
		c.others = append(c.others, &estimates{spec: &c.rules.Estimates[i], path: path(c.rules.Estimates[i].File)})
	}
	for _, f := range c.o.Files {
		if !slices.Contains(described, filepath.Base(f)) {
			c.fault("%s is not described in the rules: nothing is released that no rule covers", f)
		}
	}
	if err := c.faults(); err != nil {
		return err
	}
	if c.o.Ledger == "" {
		c.report.warn("no ledger: nothing was compared with earlier releases, name one with --ledger")
		return nil
	}
	l, err := ledger.Open(c.o.Ledger)
	if err != nil {
		return err
	}
	if c.o.LedgerHead != "" && !l.Contains(c.o.LedgerHead) {
		return fmt.Errorf("ledger: %s does not contain the entry %s: entries were cut off; restore it from a copy", c.o.Ledger, c.o.LedgerHead)
	}
	c.ledger = l
	return c.recall()
}

package outputs

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"scramblelab/internal/folder"
	"scramblelab/internal/frame"
	"scramblelab/internal/tabio"
)

// Suppressed is the column that a cleaned table has beside its own: "yes" where
// the values were taken out. It does not tell a sensitive cell from a partner.
const Suppressed = "suppressed"

// write writes the output folder: internal for the supervisor, release only if
// everything in it may leave.
func (c *check) write(ctx context.Context, dir string) error {
	c.o.Progress.Step("write", 0, 0)
	private := filepath.Join(dir, "internal")
	if err := os.Mkdir(private, 0o700); err != nil {
		return fmt.Errorf("outputs: %w", err)
	}
	if c.report.Released {
		if err := c.release(ctx, filepath.Join(dir, "release")); err != nil {
			return err
		}
	}
	for name, write := range map[string]func(io.Writer) error{
		"report.json": c.report.Encode, "report.md": c.report.Markdown, "verdicts.csv": c.verdicts, "alternatives.csv": c.alternatives,
	} {
		if err := folder.WriteFile(filepath.Join(private, name), 0o600, write); err != nil {
			return err
		}
	}
	return nil
}

// release writes the cleaned files.
func (c *check) release(ctx context.Context, dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("outputs: %w", err)
	}
	for _, t := range c.tables {
		var values, drop []string
		for _, m := range t.spec.Measures {
			switch m.Is {
			case isLargest, isSecond, isIgnored: // somebody's own value, or not judged at all
				drop = append(drop, m.Column)
			default:
				values = append(values, m.Column)
			}
		}
		if err := c.writeClean(ctx, dir, t.path, t.f, t.rows, values, drop, true); err != nil {
			return err
		}
	}
	for _, e := range c.others {
		if err := c.writeClean(ctx, dir, e.path, e.f, e.rows, nil, nil, false); err != nil {
			return err
		}
	}
	return nil
}

// writeClean writes a file without what is not safe: of a table the values of a
// row, so that its place is seen; of estimates the row.
func (c *check) writeClean(ctx context.Context, dir, path string, f *frame.Frame, rows []verdict, values, drop []string, blank bool) error {
	out := f
	if blank {
		mark := make([]string, len(rows))
		for i, v := range rows {
			if v.status != Safe {
				mark[i] = "yes"
			}
		}
		for _, name := range values {
			out = out.With(without(f.Col(name), func(i int) bool { return mark[i] == "yes" }))
		}
		for _, name := range drop {
			out = out.Without(name)
		}
		out = out.With(frame.Strings(Suppressed, mark))
	} else {
		out = f.Filter(func(i int) bool { return rows[i].status == Safe })
	}
	to := filepath.Join(dir, filepath.Base(path))
	if err := tabio.Write(ctx, to, out); err != nil {
		return err
	}
	b, err := os.ReadFile(to)
	if err != nil {
		return fmt.Errorf("outputs: %w", err)
	}
	sum := sha256.Sum256(b)
	c.written = append(c.written, releasedFile{filepath.Base(path), hex.EncodeToString(sum[:])})
	return nil
}

// without returns a column with rows missing.
func without(col frame.Column, gone func(i int) bool) frame.Column {
	col.I, col.L, col.F = slices.Clone(col.I), slices.Clone(col.L), slices.Clone(col.F)
	for i := range col.Len() {
		if !gone(i) {
			continue
		}
		switch {
		case col.Kind == frame.Float:
			col.F[i] = math.NaN()
		case col.Kind == frame.Long:
			col.L[i] = frame.NoLong
		case col.Coded():
			col.I[i] = frame.NoCode
		default:
			col.I[i] = frame.NoInt
		}
	}
	return col
}

// verdicts writes every row that is not simply safe.
func (c *check) verdicts(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"file", "row", "cell", "verdict", "reason", "proof"}) // an error stays until Flush
	for _, t := range c.tables {
		for row, v := range t.rows {
			if v.status != Safe {
				_ = out.Write([]string{filepath.Base(t.path), strconv.Itoa(row + 1), c.cellName(t, row), v.status.String(), v.reason, v.move})
			}
		}
	}
	for _, e := range c.others {
		for row, v := range e.rows {
			if v.status != Safe {
				_ = out.Write([]string{filepath.Base(e.path), strconv.Itoa(row + 1), e.label(row), v.status.String(), v.reason, ""})
			}
		}
	}
	out.Flush()
	return out.Error()
}

func (c *check) alternatives(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"file", "method", "changed_share", "loss", "unsafe_left", "sentence"})
	for _, a := range c.report.Alternatives {
		_ = out.Write([]string{a.File, a.Method, fmt.Sprintf("%.4f", a.Changed), fmt.Sprintf("%.4g", a.Loss), strconv.Itoa(a.Unsafe), a.Sentence})
	}
	out.Flush()
	return out.Error()
}

// Markdown writes the report for the supervisor.
func (r *Report) Markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	p := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) } //nolint:errcheck // stays until Flush
	verdict := "may leave: the folder release holds it"
	if !r.Released {
		verdict = "NOTHING LEAVES"
	}
	p("# Output check: %s\n\n**%s** · %s · rules %.12s · confidential\n", r.Project, verdict, or(r.Norm, "no norm named"), r.Rules)
	for _, h := range r.Held {
		p("- held back: %s", h)
	}
	p("\n## Files\n\n| file | rows | safe | sensitive | partners | review | unsafe | not evaluated |\n|---|---|---|---|---|---|---|---|")
	for _, f := range r.Files {
		p("| %s | %d | %d | %d | %d | %d | %d | %d |", f.File, f.Rows, f.Safe, f.Primary, f.Secondary, f.Review, f.Unsafe, f.Unevaluated)
	}
	p("\n## Patterns\n")
	for _, n := range r.Patterns {
		p("- population %q: %d cells under %d sums; %d sensitive and %d partners suppressed, %.1f %% of the first magnitude; %d blocks, the largest of %d cells; derivability decided by %s (error below %.1g); %d linear programs%s",
			n.Population, n.Cells, n.Relations, n.Sensitive, n.Partners, 100*n.Lost, n.Blocks, n.Largest, n.Decided, n.ErrorBound, n.Programs,
			map[bool]string{true: "; the time limit came first, so that more is suppressed than need be"}[n.Hurried])
	}
	if len(r.Differences) > 0 {
		p("\n## By subtraction from earlier releases\n")
		for _, d := range r.Differences {
			p("- %s, %s: %s", d.File, d.Cell, d.Sentence)
		}
	}
	if len(r.Alternatives) > 0 {
		p("\n## Instead of suppression\n")
		for _, a := range r.Alternatives {
			p("- %s: %s", a.File, a.Sentence)
		}
	}
	for i, s := range r.Statements {
		if i == 0 {
			p("\n## Taken at their word\n\nStatements of the rules file that nothing here proves; whoever is named answers for them.\n\n| statement | key | who | reason |\n|---|---|---|---|")
		}
		p("| %s | %s | %s | %s |", s.What, s.Key, s.Who, s.Reason)
	}
	for i, s := range r.Warnings {
		if i == 0 {
			p("\n## Warnings\n")
		}
		p("- %s", s)
	}
	const most = 200
	p("\n## Rows\n\n| file | row | cell | verdict | reason |\n|---|---|---|---|---|")
	for _, f := range r.Findings[:min(most, len(r.Findings))] {
		p("| %s | %d | %s | %s | %s |", f.File, f.Row, f.Cell, f.Status, f.Reason)
	}
	if len(r.Findings) > most {
		p("\nThe first %d; verdicts.csv has all, with their proofs.", most)
	}
	if r.LedgerHead != "" {
		p("\nLedger before this check: %s", r.LedgerHead)
	}
	return b.Flush()
}

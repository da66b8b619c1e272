package outputs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
)

// Status is what is said of a row of an output.
type Status uint8

// The statuses; a row is released only if it is Safe.
const (
	Safe        Status = iota
	Primary            // sensitive, suppressed, and safe then
	Secondary          // suppressed for the sake of another
	Review             // suppressed and not derivable, but its interval could not be bounded
	Unsafe             // suppressed, and still known
	Unevaluated        // a rule could not be applied
)

func (s Status) String() string {
	return [...]string{"safe", "suppressed (sensitive)", "suppressed (partner)", "needs review", "unsafe", "not evaluated"}[s]
}

// Version of the report's format.
const Version = 1

// Report is report.json of an output check: for the supervisor, confidential.
type Report struct {
	Version      int           `json:"version"`
	Tool         string        `json:"tool"`
	Project      string        `json:"project"`
	Rules        string        `json:"rules_digest" jsonschema:"SHA-256 of the rules file"`
	Norm         string        `json:"norm"`
	Released     bool          `json:"released" jsonschema:"the folder release exists and may leave"`
	Held         []string      `json:"held" jsonschema:"why nothing is released"`
	Files        []File        `json:"files"`
	Patterns     []PatternNote `json:"patterns"`
	Differences  []Difference  `json:"differences"`
	Alternatives []Alternative `json:"alternatives"`
	Findings     []RowFinding  `json:"findings" jsonschema:"rows that are not simply safe, at most 1000; internal/verdicts.csv has all"`
	Statements   []Statement   `json:"statements" jsonschema:"what the rules file says and this run took at its word"`
	Warnings     []string      `json:"warnings"`
	LedgerHead   string        `json:"ledger_head" jsonschema:"hash of the last entry before this run; in what a command prints, after it"`
}

// File counts the verdicts of one file.
type File struct {
	File        string `json:"file"`
	Kind        string `json:"kind"`
	Rows        int    `json:"rows"`
	Safe        int    `json:"safe"`
	Primary     int    `json:"sensitive"`
	Secondary   int    `json:"partners"`
	Review      int    `json:"review"`
	Unsafe      int    `json:"unsafe"`
	Unevaluated int    `json:"not_evaluated"`
}

// PatternNote describes the suppression pattern of one population.
type PatternNote struct {
	Population string  `json:"population"`
	Cells      int     `json:"cells"`
	Relations  int     `json:"relations"`
	Sensitive  int     `json:"sensitive"`
	Partners   int     `json:"partners"`
	Lost       float64 `json:"lost_share" jsonschema:"share of the first magnitude, over finest and total cells alike, that is suppressed"`
	Blocks     int     `json:"blocks"`
	Largest    int     `json:"largest_block"`
	Decided    string  `json:"decided_by" jsonschema:"elimination, or moves alone where time ran out"`
	ErrorBound float64 `json:"error_bound" jsonschema:"chance of a wrong verdict of the random null-space vector"`
	Programs   int     `json:"linear_programs"`
	Hurried    bool    `json:"hurried" jsonschema:"the time limit came first: valid, but larger than need be"`
}

// Difference is something that follows by subtraction from earlier releases.
type Difference struct {
	File     string  `json:"file"`
	Cell     string  `json:"cell"`
	Against  string  `json:"against"`
	Units    float64 `json:"units"`
	Exact    bool    `json:"exact" jsonschema:"false where the other side was scrambled"`
	Sentence string  `json:"sentence"`
}

// Alternative is what another way of protecting a table would lose.
type Alternative struct {
	File     string  `json:"file"`
	Method   string  `json:"method"`
	Changed  float64 `json:"changed_share" jsonschema:"share of rows whose value changes or goes"`
	Loss     float64 `json:"loss" jsonschema:"mean absolute change of a count, or rows that go"`
	Unsafe   int     `json:"unsafe_left" jsonschema:"rows that the minimum frequency would still call unsafe"`
	Sentence string  `json:"sentence"`
}

// RowFinding is the verdict on one row.
type RowFinding struct {
	File   string `json:"file"`
	Row    int    `json:"row" jsonschema:"from 1, without the header"`
	Cell   string `json:"cell"`
	Status string `json:"status"`
	Reason string `json:"reason"`
	Proof  string `json:"proof,omitempty" jsonschema:"the move that the published sums do not notice, with its room"`
}

func newReport(o Options, r *Rules, b []byte) *Report {
	sum := sha256.Sum256(b)
	return &Report{
		Version: Version, Tool: o.Tool, Project: r.Project, Rules: hex.EncodeToString(sum[:]), Norm: r.Rules.Norm,
		Held: []string{}, Files: []File{}, Patterns: []PatternNote{}, Differences: []Difference{},
		Alternatives: []Alternative{}, Findings: []RowFinding{}, Statements: []Statement{}, Warnings: []string{},
	}
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

func (r *Report) hold(format string, args ...any) {
	const most = 50
	switch {
	case len(r.Held) < most:
		r.Held = append(r.Held, fmt.Sprintf(format, args...))
	case len(r.Held) == most:
		r.Held = append(r.Held, "and more")
	}
}

// Encode writes the report as indented JSON.
func (r *Report) Encode(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

// count adds a row to the tally of a file.
func (f *File) count(s Status) {
	f.Rows++
	switch s {
	case Safe:
		f.Safe++
	case Primary:
		f.Primary++
	case Secondary:
		f.Secondary++
	case Review:
		f.Review++
	case Unsafe:
		f.Unsafe++
	case Unevaluated:
		f.Unevaluated++
	}
}

// firstUnsafe names the first row of a table that no suppression protects.
func (c *check) firstUnsafe(file string) string {
	for _, t := range c.tables {
		for row, v := range t.rows {
			if filepath.Base(t.path) == file && v.status == Unsafe {
				return fmt.Sprintf(", such as row %d (%s: %s)", row+1, c.cellName(t, row), v.reason)
			}
		}
	}
	return ""
}

// firstReview returns why the first row of a file of estimates needs review.
func (c *check) firstReview(file string) string {
	for _, e := range c.others {
		for row, v := range e.rows {
			if filepath.Base(e.path) == file && v.status == Review {
				return fmt.Sprintf("row %d (%s): %s", row+1, e.label(row), v.reason)
			}
		}
	}
	return ""
}

// summarise fills the report and decides whether anything may leave.
func (c *check) summarise() {
	const most = 1000
	r := c.report
	note := func(f RowFinding) {
		if len(r.Findings) < most {
			r.Findings = append(r.Findings, f)
		}
	}
	for _, t := range c.tables {
		file := File{File: filepath.Base(t.path), Kind: "table"}
		for row, v := range t.rows {
			file.count(v.status)
			if v.status != Safe {
				note(RowFinding{file.File, row + 1, c.cellName(t, row), v.status.String(), v.reason, v.move})
			}
		}
		r.Files = append(r.Files, file)
	}
	for _, e := range c.others {
		file := File{File: filepath.Base(e.path), Kind: e.spec.Kind}
		for row, v := range e.rows {
			file.count(v.status)
			if v.status != Safe {
				note(RowFinding{file.File, row + 1, e.label(row), v.status.String(), v.reason, ""})
			}
		}
		r.Files = append(r.Files, file)
	}
	for _, f := range r.Files {
		if f.Unsafe > 0 {
			r.hold("%s: %d rows are unsafe even when suppressed%s; join the category with another, or leave it out of every table", f.File, f.Unsafe, c.firstUnsafe(f.File))
		}
		switch {
		case f.Review > 0 && f.Kind == "table":
			r.hold("%s: %d rows need review: not derivable, but their interval could not be bounded; accept: exactly-safe in the rules lets them pass", f.File, f.Review)
		case f.Review > 0:
			r.hold("%s: %d rows need review: %s; reviewed in the rules, with a sentence why, lets them pass", f.File, f.Review, c.firstReview(f.File))
		}
	}
	for _, g := range c.groups {
		if g.pattern == nil {
			continue
		}
		n := PatternNote{
			Population: g.population, Relations: g.system.Relations(),
			Blocks: g.verdict.Blocks, Largest: g.verdict.Largest, Decided: "moves alone", ErrorBound: g.verdict.ErrorRate,
			Programs: g.verdict.Programs, Hurried: g.pattern.HurriedOn,
		}
		for cell, today := range g.today { // what earlier releases and complements hide is no loss of this one
			switch {
			case !today:
				continue
			case g.needs[int32(cell)] != nil:
				n.Sensitive++
			case g.pattern.Suppressed[cell]:
				n.Partners++
			}
			n.Cells++
		}
		if g.verdict.Solved {
			n.Decided = "elimination"
		}
		if len(g.values) > 0 {
			lost, all := 0.0, 0.0
			for cell, v := range g.values[0] {
				if v == v && g.today[cell] {
					if all += v; g.pattern.Suppressed[cell] {
						lost += v
					}
				}
			}
			if all > 0 {
				n.Lost = lost / all
			}
		}
		r.Patterns = append(r.Patterns, n)
	}
	c.state()
	if c.ledger != nil {
		r.LedgerHead = c.ledger.Head()
	}
	r.Released = len(r.Held) == 0
}

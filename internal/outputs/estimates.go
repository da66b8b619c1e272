package outputs

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/outputs/primary"
	"scramblelab/internal/tabio"
)

// estimates is a tidy file of regressions or summary statistics.
type estimates struct {
	spec *EstimateSpec
	path string
	f    *frame.Frame
	rows []verdict

	columns []string // of its dimensions
	passed  []int    // rows that leave because of a supervisor's word
	group   *group
	shown   []shown
}

// tidy lists the columns of numbers that a file of estimates may have.
var tidy = map[string][]string{
	"regression": {"estimate", "std.error", "statistic", "p.value", "conf.low", "conf.high", "n", "dof", "model", "year"},
	"summary":    {"value", "std.error", "conf.low", "conf.high", "n", "q", "ties", "year"},
}

// labels lists the columns of text that it may have beside its dimensions.
var labels = map[string][]string{
	"regression": {"term", "model"},
	"summary":    {"statistic", "variable"},
}

func (e *estimates) read(ctx context.Context, c *check) error {
	want := map[string][]string{"regression": {"term", "estimate"}, "summary": {"statistic", "value"}}[e.spec.Kind]
	s := tabio.Schema{Columns: []tabio.ColumnSpec{{Name: want[0], Kind: frame.Category, Required: true, Missing: []string{}}, {Name: want[1], Kind: frame.Float, Required: true}}}
	for _, d := range e.spec.Dimensions {
		s.Columns = append(s.Columns, tabio.ColumnSpec{Name: c.column(d), Kind: frame.Category, Required: true, Missing: []string{}})
	}
	f, err := tabio.Read(ctx, e.path, s)
	if err != nil {
		return err
	}
	for _, name := range []string{"n", "dof", "q"} {
		if col, ok := f.Lookup(name); ok && (col.Coded() && slices.Max(append([]int32{-1}, col.I...)) >= 0 || col.Kind == frame.Date) {
			c.fault("%s: column %q is %v, want numbers", e.path, name, col.Kind)
		}
	}
	text := slices.Clone(labels[e.spec.Kind])
	for _, d := range e.spec.Dimensions {
		text = append(text, c.column(d))
	}
	for _, col := range f.Columns() {
		if (col.Coded() && slices.Max(append([]int32{-1}, col.I...)) >= 0 || col.Kind == frame.Date) && !slices.Contains(text, col.Name) {
			c.fault("%s: column %q is %v, and no rule covers it: take it out, or name it under dimensions (known: %s)", e.path, col.Name, col.Kind, strings.Join(text, ", "))
		}
		if !col.Coded() && col.Kind != frame.Date && !slices.Contains(tidy[e.spec.Kind], col.Name) {
			c.fault("%s: column %q is not one of a %s, and no rule covers it: take it out (known: %s)", e.path, col.Name, e.spec.Kind, strings.Join(tidy[e.spec.Kind], ", "))
		}
	}
	e.f, e.rows = f, make([]verdict, f.Rows())
	for _, d := range e.spec.Dimensions {
		e.columns = append(e.columns, c.column(d))
	}
	c.plausible(e)
	return nil
}

func (e *estimates) label(row int) string {
	var parts []string
	for _, col := range e.f.Columns() {
		if col.Coded() && col.I[row] >= 0 {
			parts = append(parts, col.Name+"="+col.Dict.Label(col.I[row]))
		}
	}
	return strings.Join(parts, ", ")
}

// number returns a column's value in a row, NaN where there is none.
func (e *estimates) number(name string, row int) float64 {
	if col, ok := e.f.Lookup(name); ok && !col.Coded() { // a coded one has no value in any row
		return col.Value(row)
	}
	return math.NaN()
}

// judgeEstimates applies the rules for models and statistics. A row that fails
// one is taken out of the cleaned file.
func (c *check) judgeEstimates(context.Context) error {
	for _, e := range c.others {
		held := map[string]bool{}
		models := e.models()
		for row := range e.rows {
			status, reason := c.statisticOrModel(e, row, models)
			if e.spec.Kind == "summary" {
				e.shown[row].doubt = c.notNumber(e, row)
			}
			if e.rows[row].status == Safe || status == Unevaluated {
				e.rows[row].status, e.rows[row].reason = status, reason
			} else if status == Primary {
				e.primary(row, reason)
			}
			if status == Unevaluated && !held[reason] {
				held[reason] = true
				c.report.hold("%s: row %d (%s): %s", e.path, row+1, e.label(row), reason)
			}
		}
	}
	return nil
}

func (c *check) statisticOrModel(e *estimates, row int, models map[string]int) (Status, string) {
	if e.spec.Kind == "regression" {
		return c.model(e, row, models)
	}
	return c.statistic(e, row)
}

// units returns how many units a row rests on: n, or the degrees of freedom of
// its model and its terms, which tell the same.
func (e *estimates) units(row int, terms map[string]int) float64 {
	n := e.number("n", row)
	if math.IsNaN(n) && e.spec.Kind == "regression" {
		n = e.number("dof", row) + float64(terms[e.model(row)])
	}
	return n
}

// models counts the terms of each model.
func (e *estimates) models() map[string]int {
	terms := map[string]int{}
	for row := range e.rows {
		terms[e.model(row)]++
	}
	return terms
}

// model identifies the model of a row: by its column, else by its units, and by
// whom it is about.
func (e *estimates) model(row int) string {
	key := fmt.Sprint(e.number("n", row), e.number("dof", row))
	if col, ok := e.f.Lookup("model"); ok {
		key = text(col, row)
	}
	for _, name := range e.columns {
		key += "\x00" + text(e.f.Col(name), row)
	}
	return key
}

// model judges one coefficient: too few units, or too few degrees of freedom.
func (c *check) model(e *estimates, row int, terms map[string]int) (Status, string) {
	s := &c.rules.Rules
	n, dof := e.units(row, terms), e.number("dof", row)
	if math.IsNaN(dof) && !math.IsNaN(n) {
		dof = n - float64(terms[e.model(row)])
	}
	switch {
	case s.Freedom == nil:
		return Unevaluated, "no rule degrees-of-freedom says how many a model must have left"
	case math.IsNaN(dof):
		return Unevaluated, "degrees-of-freedom: neither dof nor n is given"
	case c.fewOnes(text(e.f.Col("term"), row)) > 0:
		return Primary, fmt.Sprintf("minimum-frequency: the term is a dummy of %v rows of the microdata, whose values follow from the others", c.fewOnes(text(e.f.Col("term"), row)))
	case e.number("std.error", row) == 0:
		return Primary, fmt.Sprintf("degrees-of-freedom%s: a standard error of 0 is a perfect fit, which tells every value", norm(s, s.Freedom.Norm))
	case dof < float64(s.Freedom.N):
		return Primary, fmt.Sprintf("degrees-of-freedom%s: %v, want at least %d", norm(s, s.Freedom.Norm), dof, s.Freedom.N)
	}
	return c.units(n)
}

// units applies the minimum frequency to the units behind a number.
func (c *check) units(n float64) (Status, string) {
	s := &c.rules.Rules
	if s.Frequency == nil {
		return Safe, ""
	}
	switch {
	case math.IsNaN(n):
		return Unevaluated, "minimum-frequency: n is not given"
	case n < float64(s.Frequency.N):
		return Primary, fmt.Sprintf("minimum-frequency%s: it rests on %v units, want at least %d", norm(s, s.Frequency.Norm), n, s.Frequency.N)
	}
	return Safe, ""
}

var quantileName = regexp.MustCompile(`^[pq](\d{1,2}(?:\.\d+)?)$`)

// statistic judges one summary statistic.
func (c *check) statistic(e *estimates, row int) (Status, string) {
	s := &c.rules.Rules
	name := strings.ToLower(text(e.f.Col("statistic"), row))
	n, q := e.number("n", row), e.number("q", row)
	kind := name
	switch {
	case name == "median":
		kind, q = "quantile", 0.5
	case name == "quantile":
	case quantileName.MatchString(name):
		kind = "quantile"
		q, _ = strconv.ParseFloat(quantileName.FindStringSubmatch(name)[1], 64)
		q /= 100
	}
	switch kind {
	case "min", "minimum", "max", "maximum", "range":
		if s.Extremes == nil {
			return Unevaluated, "a minimum or maximum is somebody's own value, and no rule extremes says how many must share it"
		}
		ties := e.number("ties", row)
		switch {
		case s.Extremes.N == 0:
			return Primary, "extremes" + norm(s, s.Extremes.Norm) + ": a minimum or maximum is somebody's own value"
		case math.IsNaN(ties):
			return Unevaluated, "extremes: column ties, how many units share it, is not given"
		case ties < float64(s.Extremes.N):
			return Primary, fmt.Sprintf("extremes%s: %v units share it, want at least %d", norm(s, s.Extremes.Norm), ties, s.Extremes.N)
		}
		return c.units(n)
	case "quantile":
		switch {
		case s.Quantiles == nil:
			return Unevaluated, "a quantile is near somebody's own value, and no rule quantiles says how many must be beyond it"
		case math.IsNaN(q) || math.IsNaN(n):
			return Unevaluated, "quantiles: q or n is not given"
		case !primary.Quantile(q, int64(n), int64(s.Quantiles.N)):
			return Primary, fmt.Sprintf("quantiles%s: %v units at %v leave fewer than %d at one side", norm(s, s.Quantiles.Norm), n, q, s.Quantiles.N)
		}
		return c.units(n)
	case "mean", "sd", "variance", "sum", "count", "share", "correlation", "skewness", "kurtosis", "gini", "r.squared", "n":
		all := n
		if math.IsNaN(all) {
			all = e.shown[row].n
		}
		if why := c.allAlike(e, row, name, all); why != "" {
			return Primary, why
		}
		switch v := e.number("value", row); {
		case name == "r.squared" && v > 1-1e-9:
			return Primary, "degrees-of-freedom: an r.squared of 1 is a perfect fit, which tells every value"
		case name == "count" || name == "n":
			if v == 0 {
				return Safe, ""
			}
			if math.IsNaN(n) || v < n {
				n = v
			}
		case name == "share" && v > 0 && v < 1: // of few, or of all but few
			n = math.Round(n*min(v, 1-v)*1e6) / 1e6
		}
		if (name == "sum" || name == "mean") && s.byMagnitude() {
			return Unevaluated, "dominance, p% and pq of a sum or mean: nobody says who contributes; give it as a table"
		}
		if s.Frequency == nil {
			return Unevaluated, "no rule minimum-frequency says on how many units a statistic must rest"
		}
		return c.units(n)
	}
	return Unevaluated, fmt.Sprintf("statistic %q: no rule says what it discloses (known: mean, sd, sum, count, share, correlation, median, p10, quantile with q, min, max, ...)", name)
}

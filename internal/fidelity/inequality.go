package fidelity

import (
	"context"
	"fmt"
	"math"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/metric"
	"scramblelab/internal/par"
)

// figures are numbers of one version, by the same names in all; NaN where a
// version does not give one.
type figures []float64

// figure is one of them.
type figure struct {
	name, family, unit string
	relative           bool // the error is a share of the original
}

// payroll is a version as wages by cell: midpoints of the classes, weighted by
// staff and design.
type payroll struct {
	view    *view
	fte     []float64 // midpoint of the FTE class, NaN where there is none
	byLevel int
	order   []int32 // cells by wage
}

func (s *setting) newPayroll(v *view) payroll {
	p := payroll{view: v, byLevel: s.levels.Len() + 1, fte: make([]float64, len(v.cells.unit))}
	for i := range p.fte {
		p.fte[i] = math.NaN()
		if numeric(v.cells.fte) {
			p.fte[i] = v.cells.fte.Value(i)
		}
	}
	p.order = sortedBy(v.cells.wage)
	return p
}

// sortedBy is the order of numbers, those missing left out.
func sortedBy(x []float64) []int32 {
	f := frame.Must(frame.Floats("x", x))
	var out []int32
	for _, i := range f.Order("x") {
		if !math.IsNaN(x[i]) {
			out = append(out, i)
		}
	}
	return out
}

// figureNames are those of figuresOf, in its order.
func (s *setting) figureNames() []figure {
	out := []figure{
		{"gini", "inequality", "points of 1", false}, {"p90-p10", "inequality", "share", true}, {"p50-p10", "inequality", "share", true},
		{"theil", "inequality", "share", true}, {"theil-between-employers", "inequality", "points of 1", false}, {"theil-between-levels", "inequality", "points of 1", false},
		{"between-employers", "components", "points of 1", false}, {"between-levels", "components", "points of 1", false},
		{"workers", "sums", "share", true}, {"fte", "sums", "share", true}, {"wage-bill", "sums", "share", true}, {"wage-per-fte", "sums", "share", true},
	}
	for _, b := range s.Bands {
		for _, n := range []string{"workers", "fte", "wage-bill", "wage-per-fte"} {
			out = append(out, figure{n + " " + b.Name, "sums", "share", true})
		}
	}
	return out
}

// figuresOf computes them, in a resample where drawn is not nil.
func (s *setting) figuresOf(p payroll, drawn []float64) figures {
	c := &p.view.cells
	weight := p.view.staff(drawn)
	var paid, bill, gini, below, logs, theil float64
	unitBill, unitPaid, unitLog, unitLog2 := make([]float64, p.view.units), make([]float64, p.view.units), make([]float64, p.view.units), 0.0
	levelBill, levelPaid, levelLog := make([]float64, p.byLevel), make([]float64, p.byLevel), make([]float64, p.byLevel)
	for _, i := range p.order {
		w, x := weight[i], c.wage[i]
		if w == 0 {
			continue
		}
		amount := float64(w * x)
		gini += float64(amount * (2*paid + w))
		paid += w
		bill += amount
		u, l := c.unit[i], c.level[i]+1
		unitBill[u], unitPaid[u] = unitBill[u]+amount, unitPaid[u]+w
		levelBill[l], levelPaid[l] = levelBill[l]+amount, levelPaid[l]+w
		if x > 0 {
			y := math.Log(x)
			logs += float64(w * y)
			unitLog2 += float64(float64(w*y) * y)
			unitLog[u] += float64(w * y)
			levelLog[l] += float64(w * y)
			theil += float64(amount * y)
		} else {
			below += w
		}
	}
	nan := math.NaN()
	out := figures{nan, nan, nan, nan, nan, nan, nan, nan}
	if paid > 0 && bill > 0 {
		out[0] = gini/float64(paid*bill) - 1
		q10, q50, q90 := p.quantile(weight, paid, 0.1), p.quantile(weight, paid, 0.5), p.quantile(weight, paid, 0.9)
		if q10 > 0 {
			out[1], out[2] = q90/q10, q50/q10
		}
		mean := bill / paid
		out[3] = theil/bill - math.Log(mean)
		between := func(bills, heads []float64) float64 {
			t := 0.0
			for k, b := range bills {
				if b > 0 {
					t += float64(b / bill * math.Log(b/heads[k]/mean))
				}
			}
			return t
		}
		if out[3] > 1e-12 {
			out[4], out[5] = between(unitBill, unitPaid)/out[3], between(levelBill, levelPaid)/out[3]
		}
		// Shares of the variance of log wages between groups.
		n := paid - below
		total := unitLog2 - float64(logs*logs)/n
		if below == 0 && total > 1e-12*math.Abs(unitLog2) {
			explained := func(sums, heads []float64) float64 {
				b := -float64(logs*logs) / n
				for k, x := range sums {
					if heads[k] > 0 {
						b += float64(x*x) / heads[k]
					}
				}
				return b / total
			}
			out[6], out[7] = explained(unitLog, unitPaid), explained(levelLog, levelPaid)
		}
	}
	out = append(out, p.sums(weight, nil)...)
	for _, b := range s.Bands {
		in := make([]bool, p.byLevel)
		for _, l := range b.Codes {
			in[l+1] = true
		}
		out = append(out, p.sums(weight, in)...)
	}
	return out
}

// sums are what studies need of some levels: staff, workers x FTE, wage bill and
// wage per FTE. An amount that no cell gives is NaN.
func (p payroll) sums(weight []float64, in []bool) []float64 {
	c := &p.view.cells
	var workers, fte, bill, full, paid float64
	anyFTE, anyWage := false, false
	for i, w := range weight {
		if w == 0 || in != nil && !in[c.level[i]+1] {
			continue
		}
		workers += w
		if f := p.fte[i]; !math.IsNaN(f) {
			fte, anyFTE = fte+float64(w*f), true
		}
		if x := c.wage[i]; !math.IsNaN(x) {
			bill, anyWage = bill+float64(w*x), true
			if f := p.fte[i]; !math.IsNaN(f) {
				full, paid = full+float64(w*f), paid+float64(w*x)
			}
		}
	}
	nan := math.NaN()
	out := []float64{workers, nan, nan, nan}
	if anyFTE {
		out[1] = fte
	}
	if anyWage {
		out[2] = bill
	}
	if full > 0 {
		out[3] = paid / full
	}
	return out
}

func (p payroll) quantile(weight []float64, paid, q float64) float64 {
	below := 0.0
	for _, i := range p.order {
		if below += weight[i]; below >= q*paid {
			return p.view.cells.wage[i]
		}
	}
	return math.NaN()
}

// inequality compares inequality, variance components, and the sums that studies
// need: workers x FTE, the wage bill, the wage per FTE.
func inequality(ctx context.Context, s *setting) (Result, error) {
	names := s.figureNames()
	views := []*view{s.fragment, s.release, s.population}
	var onPopulation figures
	pay := make([]payroll, 2)
	var of [2]figures
	for v := range pay {
		pay[v] = s.newPayroll(views[v])
		of[v] = s.figuresOf(pay[v], nil)
	}
	if s.population != nil {
		kept, err := recall(s.Statistics, "figures", s.Bands, func() (keptNumbers, error) {
			return keep(s.figuresOf(s.newPayroll(s.population), nil)), nil
		})
		if err != nil {
			return Result{}, err
		}
		onPopulation = kept.floats()
	}
	drawn, err := par.Map(ctx, 2*s.Draws, func(i int) (figures, error) { return s.figuresOf(pay[i%2], s.draws[i/2]), nil })
	if err != nil {
		return Result{}, err
	}
	off := func(k int, a, b figures) float64 {
		d := math.Abs(b[k] - a[k])
		if names[k].relative {
			d /= math.Abs(a[k])
		}
		return d
	}
	var out Result
	t := metric.Table{Name: "figures", Title: "Inequality, components and sums, before and after", Columns: []string{"figure", "whole selection", "fragment", "release", "change", "noise floor"},
		Note: "From class midpoints, staff weighted by the design. Theil and components: share of wage inequality, or of the variance of log wages, that lies between employers or between levels. A swap of the outcome within an employer keeps the components exactly; one of education across employers keeps those between employers and thins those between levels." + s.bandNote()}
	row := func(k int) metric.Row {
		floor, _ := spread(s.Draws, func(d int) float64 { return off(k, of[0], drawn[2*d]) })
		_, sd := spread(s.Draws, func(d int) float64 { return off(k, drawn[2*d], drawn[2*d+1]) })
		return within(s.around(off(k, of[0], of[1]), sd, floor, s.units, "fragment or release does not give this figure"), 0, math.Inf(1))
	}
	for k, f := range names {
		r := row(k)
		base, band, _ := strings.Cut(f.name, " ")
		if band != "" {
			m := &out.Metrics[metricIndex(out.Metrics, "fidelity."+f.family+"."+base+"-error")]
			r.Group = "band " + band
			m.By = append(m.By, r)
		} else {
			what := "Absolute change of " + figureWords[f.name]
			if f.relative {
				what = "Change, as a share, of " + figureWords[f.name]
			}
			out.Metrics = append(out.Metrics, metric.Metric{Name: "fidelity." + f.family + "." + f.name + "-error", Better: metric.Lower, Unit: f.unit, Row: r,
				Method: what + ", from class midpoints weighted by staff and design. Release against unscrambled fragment. Noise floor: the fragment against resamples of its own employers; interval from the same resamples of both."})
		}
		line := []string{f.name, "-", number(of[0][k]), number(of[1][k]), "-", "-"}
		if onPopulation != nil {
			line[1] = number(onPopulation[k])
		}
		if r.Value.Valid() {
			line[4] = change(f, of[0][k], of[1][k])
		}
		if r.Baseline.Valid() {
			line[5] = size(f, float64(r.Baseline))
		}
		t.Rows = append(t.Rows, line)
	}
	out.Tables = []metric.Table{t}
	out.words = s.figureWords(names, of)
	c, words := s.conditionalWages()
	out.Metrics = append(out.Metrics, c)
	out.words = append(out.words, words...)
	return out, nil
}

var figureWords = map[string]string{
	"gini": "the Gini coefficient of wages", "p90-p10": "the ratio of the 90th to the 10th percentile of wages", "p50-p10": "the ratio of the median to the 10th percentile of wages",
	"theil": "Theil's T of wages", "theil-between-employers": "the share of Theil's T between employers", "theil-between-levels": "the share of Theil's T between education levels",
	"between-employers": "the share of the variance of log wages between employers", "between-levels": "the share of the variance of log wages between education levels",
	"workers": "the number of workers", "fte": "workers x FTE", "wage-bill": "the wage bill", "wage-per-fte": "the wage per FTE",
}

func metricIndex(ms []metric.Metric, name string) int {
	for i, m := range ms {
		if m.Name == name {
			return i
		}
	}
	panic("fidelity: no metric " + name)
}

func number(x float64) string {
	switch {
	case math.IsNaN(x):
		return "not defined"
	case math.Abs(x) >= 1000:
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3f", x)
}

func change(f figure, a, b float64) string {
	if f.relative {
		return fmt.Sprintf("%+.1f %%", 100*(b/a-1))
	}
	return fmt.Sprintf("%+.3f", b-a)
}

func size(f figure, x float64) string {
	if f.relative {
		return fmt.Sprintf("%.1f %%", 100*x)
	}
	return fmt.Sprintf("%.3f", x)
}

// figureWords says what inequality and sums have become.
func (s *setting) figureWords(names []figure, of [2]figures) []word {
	at := map[string]int{}
	for k, f := range names {
		at[f.name] = k
	}
	var out []word
	if k := at["between-levels"]; of[0][k] > 0 && !math.IsNaN(of[1][k]) {
		out = append(out, word{"Wages by education", fmt.Sprintf("education levels explain %.1f %% of the variance of log wages in the release, %.1f %% in truth.", 100*of[1][k], 100*of[0][k])})
	}
	if k := at["between-employers"]; of[0][k] > 0 && !math.IsNaN(of[1][k]) {
		out = append(out, word{"Wages between employers", fmt.Sprintf("employers explain %.1f %% of the variance of log wages in the release, %.1f %% in truth.", 100*of[1][k], 100*of[0][k])})
	}
	return out
}

// conditionalWages compares the distribution of wages at each level x field.
func (s *setting) conditionalWages() (metric.Metric, []word) {
	m := metric.Metric{Name: "fidelity.wages.conditional-ks", Better: metric.Lower, Unit: "share",
		Method: "Kolmogorov-Smirnov distance between release and unscrambled fragment of the distribution of the staff over wage classes within a level x field, averaged over these by their staff. Noise floor: the fragment against resamples of its own employers; interval from the same resamples of both."}
	if missing := s.noWages(); missing != "" {
		m.Row = metric.Missing("", missing)
		return m, nil
	}
	l := s.newLevelField()
	a, b := s.fragment, s.release
	classes := a.cells.wageClass.Dict.Len()
	table := func(v *view, drawn []float64) []float64 {
		out := make([]float64, l.n*classes)
		for i, w := range v.staff(drawn) {
			if k := v.cells.wageClass.I[i]; k >= 0 {
				out[int(l.of[v][i])*classes+int(k)] += w
			}
		}
		return out
	}
	distance := func(x, y []float64) float64 {
		total, n := 0.0, 0.0
		for c := 0; c < len(x); c += classes {
			p, q := x[c:c+classes], y[c:c+classes]
			np, nq := sum(p), sum(q)
			if np == 0 || nq == 0 {
				continue
			}
			fp, fq, d := 0.0, 0.0, 0.0
			for k := range p {
				fp, fq = fp+p[k], fq+q[k]
				d = max(d, math.Abs(fp/np-fq/nq))
			}
			total += float64(np * d)
			n += np
		}
		return total / n
	}
	c := counts{}
	c.of[atFragment], c.of[atRelease] = table(a, nil), table(b, nil)
	for _, drawn := range s.draws {
		c.drawnF, c.drawnR = append(c.drawnF, table(a, drawn)), append(c.drawnR, table(b, drawn))
	}
	m.Row = s.distanceRow(c, distance, "no level x field has wages in both")
	return m, nil
}

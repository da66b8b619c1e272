package fidelity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/estimate"
	"scramblelab/internal/frame"
	"scramblelab/internal/infer"
	"scramblelab/internal/linked"
	"scramblelab/internal/metric"
	"scramblelab/internal/rng"
)

// Workers are the records of workers behind the cells of fragment and release,
// one row per job and year with its employer (codes of the fragment's), year,
// worker and wage. Nobody who has the release alone can follow them.
type Workers struct {
	Fragment, Release *frame.Frame
}

// mostWorkerRows is the number of rows up to which worker and employer effects
// are estimated on all employers of the fragment.
const mostWorkerRows = 1_000_000

// akmProbes is what a trace needs: its error is a few percent of the standard
// error of what it corrects.
const akmProbes = 16

const stageWorkers rng.Stage = 0x46494405

const akmWhat = "Two-way model of log wages with worker and employer effects (Abowd, Kramarz and Margolis 1999), years taken out, corrected for noise by leaving out one match at a time (Kline, Saggio and Sølvsten 2020), on the records of workers behind the cells"

// components are the parts of the variance, in the order of the report.
var components = []struct {
	name, what string
	of         func(c estimate.Components) estimate.Component
}{
	{"worker", "variance of worker effects", func(c estimate.Components) estimate.Component { return c.Worker }},
	{"employer", "variance of employer effects", func(c estimate.Components) estimate.Component { return c.Employer }},
	{"covariance", "covariance of worker and employer effects", func(c estimate.Components) estimate.Component { return c.Covariance }},
}

// workerEffects compares worker and employer effects.
func workerEffects(ctx context.Context, s *setting) (Result, error) {
	fragment, release, note, why, err := s.akm(ctx)
	if err != nil {
		return Result{}, err
	}
	var every *everyRow
	if w := s.Workers; why == "" && w.Fragment.Rows() > s.mostWorkerRows() {
		if every, err = w.onEveryRow(ctx); err != nil {
			return Result{}, err
		}
	}
	var out Result
	l := loss{squared: math.NaN()}
	if why == "" {
		l = lossOfComponents(fragment, release)
		out.Tables = []metric.Table{s.akmTable(fragment, release, every, note)}
		out.words = akmWords(fragment, release)
	}
	for _, c := range components {
		m := metric.Metric{Name: "fidelity.akm." + c.name + "-error", Better: metric.Lower, Unit: "points of 1",
			Method: akmWhat + ": change of the " + c.what + ", as a share of the variance of log wages of the unscrambled fragment. Noise floor in closed form: what another draw of employers shows, whose error is normal with the standard error estimated. The interval takes employers for independent draws."}
		if m.Row = metric.Missing("", why); why == "" {
			m.Row = s.akmRow(c.of(fragment), c.of(release), fragment, release)
		}
		out.Metrics = append(out.Metrics, m)
	}
	out.Metrics = append(out.Metrics, s.apartMetrics("fidelity.akm.", akmWhat, l, fragment.Employers, why)...)
	out.words = append(out.words, s.equivalentWords("Worker and employer effects: components together", out.Metrics)...)
	return out, nil
}

// akm estimates the components on both versions, or says why not.
func (s *setting) akm(ctx context.Context) (fragment, release estimate.Components, note, why string, err error) {
	w := s.Workers
	switch {
	case !s.Periods:
		why = "the data are of one period, so nobody is seen to move from one employer to another"
	case s.NoPanel != "":
		why = s.NoPanel + ", nor workers from one to another"
	case w == nil && s.NoWorkers != "":
		why = s.NoWorkers
	case w == nil:
		why = "there are no records of workers to compare"
	}
	for _, n := range []string{linked.Employer, linked.Year, linked.Worker, linked.Wage} {
		if why == "" && (!w.Fragment.Has(n) || !w.Release.Has(n)) {
			why = fmt.Sprintf("the records have no column %q, so workers and their wages cannot be followed", n)
		}
	}
	if why != "" {
		return fragment, release, "", why, nil
	}
	in, share := s.akmEmployers()
	a, b := in.model(w.Fragment), in.model(w.Release)
	o := estimate.LeaveOut{Probes: akmProbes, Key: s.Key}
	cannot := func(name string, err error) (string, error) {
		if errors.Is(err, estimate.ErrNoMovers) || errors.Is(err, estimate.ErrNoRows) {
			return "on the " + name + ": " + err.Error(), nil
		}
		return "", err
	}
	if fragment, err = estimate.TwoWayComponents(ctx, a, o); err != nil {
		why, err = cannot("fragment", err)
		return fragment, release, "", why, err
	}
	if !(fragment.Variance > 0) {
		return fragment, release, "", "wages do not vary in the fragment", nil
	}
	if release = fragment; !sameModel(a, b) {
		if release, err = estimate.TwoWayComponents(ctx, b, o); err != nil {
			why, err = cannot("release", err)
			return fragment, release, "", why, err
		}
	}
	note = fmt.Sprintf("%s. Estimated on the largest set of employers that stay linked by movers whichever match is left out: %d of %d rows, %d of %d employers, %d workers of whom %d move, on the fragment", akmWhat, fragment.N, fragment.AllRows, fragment.Employers, fragment.AllEmployers, fragment.Workers, fragment.Movers)
	if sameModel(a, b) {
		note += "; the scramble leaves worker, employer, year and wage as they are"
	} else {
		note += fmt.Sprintf("; %d rows and %d employers on the release", release.N, release.Employers)
	}
	note += "."
	if share < 1 {
		note += fmt.Sprintf(" A random sample of %.1f %% of the fragment's employers, to stay under %d rows.", 100*share, s.mostWorkerRows())
	}
	for _, x := range slices.Concat(fragment.Warnings, release.Warnings) {
		note += " Warning: " + x + "."
	}
	return fragment, release, note, "", nil
}

// chosen says, by employer code, who is in the model; nil is everybody.
type chosen []bool

// akmEmployers draws employers until their rows are as many as may be.
func (s *setting) akmEmployers() (chosen, float64) {
	codes := s.Workers.Fragment.Col(linked.Employer)
	most := s.mostWorkerRows()
	if len(codes.I) <= most {
		return nil, 1
	}
	rows := make([]int, codes.Dict.Len())
	for _, e := range codes.I {
		rows[e]++
	}
	var order []int32
	for e, n := range rows {
		if n > 0 {
			order = append(order, int32(e))
		}
	}
	at := s.Key.At(stageWorkers)
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(at.Uint64(uint64(a)), at.Uint64(uint64(b))) })
	in, total, n := make(chosen, len(rows)), 0, 0
	for _, e := range order {
		if total += rows[e]; total > most {
			break
		}
		in[e] = true
		n++
	}
	return in, float64(n) / float64(len(order))
}

// model is log wages about their mean in the year.
func (in chosen) model(f *frame.Frame) estimate.TwoWay {
	employer, worker, wage, year := f.Col(linked.Employer).I, workerCodes(f.Col(linked.Worker)), f.Col(linked.Wage), f.Col(linked.Year).I
	var t estimate.TwoWay
	n := len(employer)
	if in != nil {
		n = 0
		for _, e := range employer {
			n += int(indicator(in[e]))
		}
	}
	t.Y, t.Worker, t.Employer = make([]float64, 0, n), make([]int32, 0, n), make([]int32, 0, n)
	years := make([]int32, 0, n)
	number := map[int32]int32{} // of a year
	var sum, count []float64
	last, at := int32(0), int32(-1)
	for i, e := range employer {
		if in != nil && !in[e] || wage.Missing(i) {
			continue
		}
		x := wage.Value(i)
		if !(x > 0) || math.IsInf(x, 0) {
			continue
		}
		y := math.Log(x)
		if at < 0 || year[i] != last {
			var known bool
			if at, known = number[year[i]]; !known {
				at = int32(len(sum))
				number[year[i]] = at
				sum, count = append(sum, 0), append(count, 0)
			}
			last = year[i]
		}
		t.Y, t.Worker, t.Employer, years = append(t.Y, y), append(t.Worker, worker[i]), append(t.Employer, e), append(years, at)
		sum[at] += y
		count[at]++
	}
	for i, y := range years {
		t.Y[i] -= sum[y] / count[y]
	}
	return t
}

// workerCodes are the codes of a worker column, which may hold large numbers.
func workerCodes(c frame.Column) []int32 {
	if c.I != nil {
		return c.I
	}
	seen := map[int64]int32{}
	out := make([]int32, c.Len())
	for i := range out {
		if out[i] = -1; c.Missing(i) {
			continue
		}
		k := rawCode(c, i)
		code, ok := seen[k]
		if !ok {
			code = int32(len(seen))
			seen[k] = code
		}
		out[i] = code
	}
	return out
}

func sameModel(a, b estimate.TwoWay) bool {
	return slices.Equal(a.Y, b.Y) && slices.Equal(a.Worker, b.Worker) && slices.Equal(a.Employer, b.Employer)
}

// paired is the standard deviation of the change of a component, employer by
// employer.
func paired(a, b estimate.Component, codesA, codesB []int32) float64 {
	total, i, j := 0.0, 0, 0
	for i < len(codesA) || j < len(codesB) {
		var draw, noise float64
		switch {
		case j == len(codesB) || i < len(codesA) && codesA[i] < codesB[j]:
			draw, noise = a.Draw[i], a.Noise[i]
			i++
		case i == len(codesA) || codesB[j] < codesA[i]:
			draw, noise = b.Draw[j], b.Noise[j]
			j++
		default:
			draw, noise = b.Draw[j]-a.Draw[i], b.Noise[j]-a.Noise[i]
			i, j = i+1, j+1
		}
		total += float64(draw*draw) + float64(noise*noise)
	}
	return math.Sqrt(total)
}

func (s *setting) akmRow(a, b estimate.Component, fragment, release estimate.Components) metric.Row {
	value := math.Abs(b.Corrected-a.Corrected) / fragment.Variance
	half := infer.TQuantile(float64(fragment.Employers-1), 0.5+s.Level/2) * paired(a, b, fragment.Codes, release.Codes) / fragment.Variance
	return metric.Row{Value: metric.Number(value), Low: metric.Number(max(0, value-half)), High: metric.Number(value + half), Level: metric.Number(s.Level),
		N: int64(fragment.Employers), Baseline: metric.Number(math.Sqrt(2/math.Pi) * a.StdErr / fragment.Variance)}
}

// lossOfComponents is that of the components, each in its own standard error.
func lossOfComponents(fragment, release estimate.Components) loss {
	var l loss
	for _, c := range components {
		a, b := c.of(fragment), c.of(release)
		v := float64(a.StdErr * a.StdErr)
		d, sd := b.Corrected-a.Corrected, paired(a, b, fragment.Codes, release.Codes)
		l.squared += float64(d*d) / v
		l.noise += float64(sd*sd) / v
	}
	return l.over(float64(len(components)))
}

// everyRow are the components on all rows of both versions, not corrected.
type everyRow struct {
	of        [2][3]float64 // worker, employer, covariance
	rows      int
	employers int
}

// onEveryRow estimates them on the largest connected sets.
func (w *Workers) onEveryRow(ctx context.Context) (*everyRow, error) {
	var out everyRow
	models := [2]estimate.TwoWay{chosen(nil).model(w.Fragment), chosen(nil).model(w.Release)}
	for v, t := range models {
		if v == 1 && sameModel(models[0], t) {
			out.of[1] = out.of[0]
			continue
		}
		f, err := estimate.TwoWayEffects(ctx, t)
		if err != nil {
			return nil, err
		}
		if v == 0 {
			out.rows, out.employers = f.N, f.Employers
		}
		out.of[v] = [3]float64{f.Shares.Worker * f.Variance, f.Shares.Employer * f.Variance, f.Shares.Sorting / 2 * f.Variance}
	}
	return &out, nil
}

// mostWorkerRows is the number of rows up to which effects are those of all
// employers: a million, or fewer where resamples stop at fewer cells.
func (s *setting) mostWorkerRows() int { return min(mostWorkerRows, s.MostCells) }

func (s *setting) akmTable(fragment, release estimate.Components, every *everyRow, note string) metric.Table {
	t := metric.Table{Name: "akm", Title: "Worker and employer effects: what the variance of log wages is made of",
		Columns: []string{"component", "fragment, not corrected", "fragment", "release", "change", "noise floor"},
		Note:    note + " Standard errors in parentheses; change and floor as shares of the fragment's variance of log wages."}
	if every != nil {
		t.Columns = append(t.Columns, "fragment, every row, not corrected", "release, every row, not corrected")
		t.Note += fmt.Sprintf(" The last two columns rest on all %d rows of the largest connected set, of %d employers.", every.rows, every.employers)
	}
	for k, c := range components {
		a, b := c.of(fragment), c.of(release)
		r := s.akmRow(a, b, fragment, release)
		row := []string{c.what, fmt.Sprintf("%.4f", a.PlugIn), fmt.Sprintf("%.4f (%.4f)", a.Corrected, a.StdErr), fmt.Sprintf("%.4f (%.4f)", b.Corrected, b.StdErr),
			fmt.Sprintf("%+.3f", (b.Corrected-a.Corrected)/fragment.Variance), fmt.Sprintf("%.3f", float64(r.Baseline))}
		if every != nil {
			row = append(row, fmt.Sprintf("%.4f", every.of[0][k]), fmt.Sprintf("%.4f", every.of[1][k]))
		}
		t.Rows = append(t.Rows, row)
	}
	row := []string{"variance of log wages", fmt.Sprintf("%.4f", fragment.Variance), fmt.Sprintf("%.4f", fragment.Variance), fmt.Sprintf("%.4f", release.Variance),
		fmt.Sprintf("%+.3f", release.Variance/fragment.Variance-1), "-"}
	if every != nil {
		row = append(row, "-", "-")
	}
	t.Rows = append(t.Rows, row)
	return t
}

func akmWords(fragment, release estimate.Components) []word {
	share := func(c estimate.Components, of estimate.Component) float64 { return 100 * of.Corrected / c.Variance }
	return []word{{"Worker and employer effects", fmt.Sprintf("workers explain %.1f %% of the variance of log wages in the records behind the release and employers %.1f %%; in truth %.1f %% and %.1f %%. The release itself has no workers to follow.",
		share(release, release.Worker), share(release, release.Employer), share(fragment, fragment.Worker), share(fragment, fragment.Employer))}}
}

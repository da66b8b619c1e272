package audit

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/attack/distance"
	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
)

const again = "make the release again with scramble release; do not hand this folder over"

func checkFiles(f *folder) []Finding {
	var found []Finding
	for _, name := range f.extra {
		found = append(found, fail("remove it, or make the release again", "%s does not belong to a release", name))
	}
	return or(found, "%d files, all known", len(f.names))
}

func checkWhole(f *folder) []Finding {
	if f.whole != nil {
		return []Finding{fail(again, "%v", f.whole)}
	}
	return pass("checksums, row counts and codebook hold")
}

// notWhole is what checks of the tables say of a folder that cannot be opened.
func (f *folder) notWhole() []Finding {
	if f.whole != nil {
		return skipped("the tables cannot be read, see check whole")
	}
	return nil
}

func (f *folder) tables() []table {
	return []table{
		{"employers", f.rel.Tables.Employers, append([]string{publish.Serial, linked.Year, linked.Present, publish.AgeClass}, publish.FirmColumns...)},
		{"cells", f.rel.Tables.Cells, []string{publish.Serial, linked.Year, linked.Level, linked.Field, publish.Workers, publish.WageClass, publish.FTEClass}},
	}
}

type table struct {
	name    string
	f       *frame.Frame
	allowed []string
}

// checkColumns allows the columns of the release layout and no others: an exact
// wage, a head count of the original, an identifier would stand in one more.
func checkColumns(f *folder) []Finding {
	if s := f.notWhole(); s != nil {
		return s
	}
	var found []Finding
	exact := []string{publish.Serial, linked.Year, publish.Workers, linked.EventYear, linked.DesignWeight}
	n := 0
	for _, t := range f.tables() {
		for _, c := range t.f.Columns() {
			n++
			switch {
			case !slices.Contains(t.allowed, c.Name):
				found = append(found, fail("leave the column out of release.firm_columns, or publish it in classes", "%s has a column %q that a release does not carry", t.name, c.Name))
			case !c.Coded() && !slices.Contains(exact, c.Name):
				found = append(found, fail("publish it in classes (release.classes)", "%s.%s holds exact values (%v) where classes were promised", t.name, c.Name, c.Kind))
			}
		}
	}
	return or(found, "%d columns, all of the release layout; amounts and ages only in classes", n)
}

// checkClasses wants classes that cover every number without gap or overlap: a
// gap would say where the data have none.
func checkClasses(f *folder) []Finding {
	if s := f.notWhole(); s != nil {
		return s
	}
	var found []Finding
	n := 0
	for _, t := range f.tables() {
		for _, c := range t.f.Columns() {
			if !c.Coded() || !slices.Contains([]string{publish.AgeClass, publish.WageClass, publish.FTEClass, publish.Workers}, c.Name) {
				continue
			}
			n++
			bounds, ok := publish.Contiguous(c.Dict.Labels())
			switch {
			case !ok:
				found = append(found, fail("use the classes that publish makes: [a,b) [b,c) …", "%s.%s: its labels are no adjoining intervals", t.name, c.Name))
			case !math.IsInf(bounds[len(bounds)-1], 1) || c.Name != publish.Workers && !math.IsInf(bounds[0], -1) || c.Name == publish.Workers && bounds[0] != 1:
				found = append(found, fail("leave the lowest and the highest class open", "%s.%s: its classes run from %v to %v, which may be the data's own extremes", t.name, c.Name, bounds[0], bounds[len(bounds)-1]))
			}
		}
	}
	return or(found, "%d columns of classes, adjoining and open at the ends", n)
}

func checkSorted(f *folder) []Finding {
	if s := f.notWhole(); s != nil {
		return s
	}
	var found []Finding
	for _, t := range f.tables() {
		by := t.f.Select(publish.Serial, linked.Year, linked.Level, linked.Field).Names()
		for i, r := range t.f.Order(by...) {
			if int(r) != i {
				found = append(found, fail(again, "%s: row %d is not in the order of %s: the order of rows may be the original's", t.name, i+1, strings.Join(by, ", ")))
				break
			}
		}
	}
	serials := slices.Clone(f.rel.Tables.Employers.Col(publish.Serial).I)
	slices.Sort(serials)
	serials = slices.Compact(serials)
	for i, s := range serials {
		if s != int32(i)+1 {
			found = append(found, fail(again, "serials are not 1 to %d without gaps: serial %d stands at place %d, so a gap may tell who was left out", len(serials), s, i+1))
			break
		}
	}
	return or(found, "rows are sorted by serial; serials run from 1 to %d without gaps", len(serials))
}

// falseAlarm is the chance that a correlation check fails a release whose
// serials are random: z beyond 3.89 on either side.
const (
	zBand      = 3.89
	falseAlarm = "1 in 10,000"
	minRanked  = 20 // below, the normal band of Spearman's coefficient is too rough
)

func spearmanFinding(what string, serials, other []float64) []Finding {
	if len(serials) < minRanked {
		return skipped("%d serials are too few for a rank correlation, want %d", len(serials), minRanked)
	}
	rho, band := spearman(serials, other), zBand/math.Sqrt(float64(len(serials)-1))
	if math.IsNaN(rho) {
		return skipped("%s does not vary", what)
	}
	if math.Abs(rho) > band {
		return []Finding{fail(again, "serials follow %s: Spearman %.3f, beyond ±%.3f (false alarm %s, n %d)", what, rho, band, falseAlarm, len(serials))}
	}
	return pass("serials and %s: Spearman %.3f, within ±%.3f (false alarm %s, n %d)", what, rho, band, falseAlarm, len(serials))
}

// checkSizeOrder compares serials with the released head counts.
func checkSizeOrder(f *folder) []Finding {
	if s := f.notWhole(); s != nil {
		return s
	}
	serial := f.rel.Tables.Employers.Col(publish.Serial).I
	top := slices.Max(append([]int32{0}, serial...))
	workers, ok := f.rel.Tables.Cells.Lookup(publish.Workers)
	if !ok {
		return skipped("cells have no head counts")
	}
	staff, id := make([]float64, top), make([]float64, top)
	for i := range id {
		id[i] = float64(i)
	}
	for i, s := range f.rel.Tables.Cells.Col(publish.Serial).I {
		if v := workers.Value(i); s >= 1 && s <= top && !math.IsNaN(v) {
			staff[s-1] += v
		}
	}
	return spearmanFinding("the head count", id, staff)
}

// checkOriginalOrder compares serials with the order of original identifiers.
func checkOriginalOrder(f *folder) []Finding {
	if f.escrow == nil {
		return skipped("needs the escrow")
	}
	order := map[string]int{}
	if f.original != nil {
		for i, l := range f.original.Jobs.Col(linked.Employer).Dict.Labels() {
			order[l] = i
		}
	} else {
		var labels []string
		for _, s := range f.escrow.Serials {
			labels = append(labels, s.Employer)
		}
		slices.Sort(labels)
		for i, l := range labels {
			order[l] = i
		}
	}
	var id, rank []float64
	for i, s := range f.escrow.Serials {
		at, ok := order[s.Employer]
		if !ok {
			return []Finding{fail("audit with the data that the release was made from", "serial %d stands for an employer that the original data lack", i+1)}
		}
		id, rank = append(id, float64(i)), append(rank, float64(at))
	}
	return spearmanFinding("the order of original identifiers", id, rank)
}

// spearman is the correlation of ranks, ties at their mean rank.
func spearman(x, y []float64) float64 {
	rx, ry := distance.Ranks(x), distance.Ranks(y)
	m := float64(len(x)+1) / 2
	var sxy, sxx, syy float64
	for i := range rx {
		a, b := rx[i]-m, ry[i]-m
		sxy, sxx, syy = sxy+float64(a*b), sxx+float64(a*a), syy+float64(b*b)
	}
	return sxy / math.Sqrt(sxx*syy)
}

func checkDestruction(f *folder) []Finding {
	if f.rel == nil {
		if _, ok := f.manifest.Deadline(); !ok {
			return []Finding{{Severity: Warn, Detail: "the manifest names no day of destruction", Remedy: "end project.destroy_when in a date"}}
		}
		return skipped("the release cannot be opened, see check whole")
	}
	var out []Finding
	for _, w := range f.rel.Warnings {
		if !strings.Contains(w, "do not belong") { // check files says that
			out = append(out, Finding{Severity: Warn, Detail: w, Remedy: "destroy the release, or have the extension decided (project.extended_by)"})
		}
	}
	return or(out, "the manifest names a day of destruction that has not passed")
}

// checkSimulation: a release of a known seed can be undone by whoever guesses
// the seed; only generated data may be released so.
func checkSimulation(f *folder) []Finding {
	e := f.escrow
	switch {
	case e != nil && e.Simulation != f.manifest.Simulation:
		return []Finding{fail(again, "the manifest says simulation: %v, the escrow %v", f.manifest.Simulation, e.Simulation)}
	case f.manifest.Simulation && f.original != nil && !f.original.Simulated:
		return []Finding{fail("make the release without --seed, so that the key is drawn from the system", "real data were scrambled under a known seed")}
	case f.manifest.Simulation:
		return []Finding{{Severity: Warn, Detail: "made from a known seed: a simulation, not to hold real data", Remedy: "make a real release without --seed"}}
	}
	return pass("made under a key of the system")
}

func checkSerialCount(f *folder) string {
	n := len(slices.Compact(slices.Sorted(slices.Values(f.rel.Tables.Employers.Col(publish.Serial).I))))
	if n != len(f.escrow.Serials) {
		return fmt.Sprintf("the release has %d serials, the escrow %d: it is the escrow of another release", n, len(f.escrow.Serials))
	}
	return ""
}

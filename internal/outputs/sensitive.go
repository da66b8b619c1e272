package outputs

import (
	"context"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/outputs/primary"
)

// judge applies the primary rules to every row.
func (c *check) judge(context.Context) error {
	for _, t := range c.tables {
		j := newJudge(c, t)
		for row := range t.rows {
			j.row(row)
		}
		for _, why := range j.missing {
			c.report.hold("%s: %s", t.path, why)
			for row := range t.rows {
				if v := &t.rows[row]; v.status == Safe {
					v.status, v.reason = Unevaluated, why
				}
			}
		}
		for row, cell := range t.group.system.Tables[t.index].Cells {
			if v := t.rows[row]; v.room != nil {
				t.group.want(cell, v.reason, v.room)
			}
		}
	}
	for _, g := range c.groups {
		if g.system != nil {
			c.judgeDifferences(g)
		}
	}
	return nil
}

// judgeDifferences applies the minimum frequency to what two counts of one cell
// leave, such as workers less women, where one is never above the other: it is a
// part of it, and the other part follows.
func (c *check) judgeDifferences(g *group) {
	f := c.rules.Rules.Frequency
	if f == nil {
		return
	}
	for a, all := range g.values {
		for b, part := range g.values {
			if a == b || !g.counts[a] || !g.counts[b] || !isPart(all, part) {
				continue
			}
			for cell, n := range all {
				d := n - part[cell]
				if !(d > 0 && d < float64(f.N)) || !g.today[cell] {
					continue
				}
				g.want(int32(cell), fmt.Sprintf("minimum-frequency%s: %s less %s leaves %v, want at least %d", norm(&c.rules.Rules, f.Norm), g.names[a], g.names[b], d, f.N),
					map[string][2]float64{g.names[a]: {float64(f.N) - d, 0}, g.names[b]: {0, float64(f.N) - d}})
			}
		}
	}
}

// isPart reports whether one count is nowhere above another, and below it in
// some cell that shows both.
func isPart(all, part []float64) bool {
	less := false
	for cell, n := range all {
		if part[cell] > n {
			return false
		}
		less = less || part[cell] < n
	}
	return less
}

// want makes a cell sensitive; several reasons add up to the widest room.
func (g *group) want(cell int32, reason string, room map[string][2]float64) {
	n := g.needs[cell]
	if n == nil {
		n = &need{reason: reason, room: map[string][2]float64{}}
		g.needs[cell] = n
	} else if n.reason != reason {
		n.reason += "; " + reason
	}
	for name, r := range room {
		old := n.room[name]
		n.room[name] = [2]float64{max(old[0], r[0]), max(old[1], r[1])}
	}
}

// judge applies the rules to one table.
type judge struct {
	c         *check
	t         *table
	rules     *RuleSet
	count     []float64 // workers
	countName string
	names     []string // magnitudes that add up, with their values
	values    [][]float64
	counts    []bool
	employers []float64
	most      func(row int) float64
	sums      []magnitude
	missing   []string // rules that cannot be evaluated, and why
	parents   []margin
}

// magnitude is what the rules for magnitudes look at.
type magnitude struct {
	name string
	of   func(row int) primary.Contribution
}

// margin is a dimension along which group disclosure is looked for.
type margin struct {
	k, d int
}

func newJudge(c *check, t *table) *judge {
	j := &judge{c: c, t: t, rules: &c.rules.Rules, count: t.column(isCount, ""), employers: t.column(isEmployers, "")}
	j.names, j.values, j.counts = t.additive()
	if i := slices.Index(j.counts, true); i >= 0 {
		j.countName, j.count = j.names[i], j.values[i]
	}
	if t.tally != nil {
		if j.count == nil {
			j.count = make([]float64, len(t.rows))
			for i, n := range t.tally.Rows {
				j.count[i] = float64(n)
			}
		}
		j.employers = make([]float64, len(t.rows)) // holdings count as one
		for i, n := range t.tally.Employers {
			j.employers[i] = float64(n)
		}
		j.most = func(row int) float64 { return float64(t.tally.Most[row]) }
		// Rows that stand for several workers: their count is a column.
		for _, m := range t.spec.Measures {
			if k := slices.Index(t.micro, m.Of); m.Is == isCount && k >= 0 && c.micro.weights == nil {
				j.most = func(row int) float64 { return sumOf(t.tally.Magnitude[k].Contribution(row).Largest, 1) }
			}
		}
	}
	j.magnitudes()
	j.lookForMissing()
	return j
}

// contributors returns how many employers stand behind each row, nil if nobody
// says so.
func (t *table) contributors() []float64 {
	if t.tally == nil {
		return t.column(isEmployers, "")
	}
	out := make([]float64, len(t.rows))
	for i, n := range t.tally.Employers {
		out[i] = float64(n)
	}
	return out
}

// magnitudes finds the contributions to sums and means: from the microdata, or
// from the table's own columns of the two largest.
func (j *judge) magnitudes() {
	t := j.t
	for _, m := range t.spec.Measures {
		if m.Is != isSum && m.Is != isMean {
			continue
		}
		name := "sum of " + or(m.Of, m.Column)
		if slices.ContainsFunc(j.sums, func(s magnitude) bool { return s.name == name }) {
			continue
		}
		if t.tally != nil {
			if k := slices.Index(t.micro, m.Of); k >= 0 {
				j.sums = append(j.sums, magnitude{name, t.tally.Magnitude[k].Contribution})
				continue
			}
		}
		largest, second := t.column(isLargest, m.Of), t.column(isSecond, m.Of)
		total := t.column(isSum, m.Of)
		if largest == nil || second == nil || total == nil {
			if j.rules.byMagnitude() {
				j.missing = append(j.missing, fmt.Sprintf("dominance, p%% and pq of %s: nobody says who contributes; name the microdata (of: COLUMN), or give columns that are largest and second", m.Column))
			}
			continue
		}
		for _, d := range j.rules.Dominance {
			if d.N > 2 {
				j.missing = append(j.missing, fmt.Sprintf("dominance with n = %d of %s: the table gives the two largest only", d.N, m.Column))
			}
		}
		j.sums = append(j.sums, magnitude{name, func(row int) primary.Contribution {
			con := primary.Contribution{Total: total[row], N: 3}
			for _, x := range []float64{largest[row], second[row]} {
				if x > 0 {
					con.Largest = append(con.Largest, x)
				}
			}
			if len(con.Largest) < 2 || con.Largest[0]+con.Largest[1] >= total[row] {
				con.N = len(con.Largest)
			}
			return con
		}})
	}
}

func (j *judge) lookForMissing() {
	s := j.rules
	lacks := func(what, need string) { j.missing = append(j.missing, what+": "+need) }
	switch contributors := s.Contributors != nil && (s.Contributors.Employers > 0 || s.Contributors.Workers > 0 || s.Contributors.LargestShare > 0); {
	case s.Frequency != nil || contributors:
	case !s.byMagnitude():
		lacks("rules", "none of minimum-frequency, contributors, dominance, p-percent and pq is given, so that nothing says what is too few")
	case len(j.sums) == 0:
		lacks("rules", "dominance, p-percent and pq say nothing of counts: give minimum-frequency or contributors as well")
	}
	if s.Frequency != nil && j.count == nil {
		lacks("minimum-frequency", "no column is a count, and there are no microdata")
	}
	for _, m := range j.t.spec.Measures {
		if m.Is == isEmployers && (s.Contributors == nil || s.Contributors.Employers == 0) {
			lacks("contributors", m.Column+" shows employers, and nothing says how few are too few: give contributors: {employers: 3}, or is: ignore to leave the column out")
		}
	}
	if r := s.Contributors; r != nil {
		if (r.Employers > 0) && j.employers == nil {
			lacks("contributors", "no column is employers, and there are no microdata")
		}
		if (r.Workers > 0) && j.count == nil {
			lacks("contributors", "no column is a count, and there are no microdata")
		}
		if r.LargestShare > 0 && j.most == nil {
			lacks("contributors", "the largest employer's share needs microdata")
		}
	}
	if (s.Group != nil || s.AllInOne != nil || s.Zeros != nil) && j.count == nil {
		lacks("group-disclosure, all-in-one-category and zeros", "no column is a count")
	}
	for k, d := range j.t.dims {
		j.parents = append(j.parents, margin{k, d})
	}
}

// row applies every rule to a row.
func (j *judge) row(row int) {
	v := &j.t.rows[row]
	unsafe := func(reason string, room map[string][2]float64) {
		if v.room == nil {
			v.room = map[string][2]float64{}
		}
		if v.reason != "" {
			v.reason += "; "
		}
		v.reason += reason
		for name, r := range room {
			old := v.room[name]
			v.room[name] = [2]float64{max(old[0], r[0]), max(old[1], r[1])}
		}
	}
	s := j.rules
	if s.Frequency != nil {
		j.frequency(row, unsafe)
	}
	if s.Contributors != nil {
		j.contributors(row, unsafe)
	}
	for _, m := range j.sums {
		con := m.of(row)
		room := func(up float64) map[string][2]float64 { return map[string][2]float64{m.name: {up, up}} }
		for _, d := range s.Dominance {
			rule := primary.Dominance{N: d.N, K: d.K}
			if rule.Unsafe(con, s.weighting(), s.equality()) {
				unsafe(fmt.Sprintf("(%d,%v) dominance%s: the largest %d have %.1f %% of the %s", d.N, d.K, norm(s, d.Norm), d.N,
					100*sumOf(con.Largest, d.N)/con.Total, m.name), room(rule.Protection(con, s.weighting())))
			}
		}
		for _, p := range j.percents() {
			if p.rule.Unsafe(con, s.weighting(), s.equality()) {
				unsafe(fmt.Sprintf("%s: the second largest can estimate the largest %s to within %.1f %%", p.name, m.name,
					100*max(0, con.Total-sumOf(con.Largest, 2))/con.Largest[0]), room(p.rule.Protection(con, s.weighting())))
			}
		}
	}
	if j.count != nil {
		j.groups(row, unsafe)
	}
}

// contributors asks for enough employers and workers, with what is known of them:
// what is asked for and not known stands among the missing. Weights say nothing of
// how many answered, so that workers are rows then. A sum or mean also wants
// enough employers that add something to it.
func (j *judge) contributors(row int, unsafe func(string, map[string][2]float64)) {
	s := j.rules
	r := s.Contributors
	rule := primary.Contributors{Employers: r.Employers, Workers: int64(r.Workers), LargestShare: r.LargestShare}
	workers, employers, most := int64(0), 0, 0.0
	switch {
	case j.t.tally != nil && j.c.micro.weights != nil:
		workers = j.t.tally.Rows[row]
	case j.count != nil:
		workers = int64(j.count[row])
	default:
		rule.Workers, rule.LargestShare = 0, 0
	}
	if j.employers != nil {
		employers = int(j.employers[row])
	} else {
		rule.Employers = 0
	}
	if j.most != nil {
		most = j.most(row)
	} else {
		rule.LargestShare = 0
	}
	why := rule.Unsafe(employers, workers, most, s.equality())
	for _, m := range j.sums {
		if why != "" || j.t.tally == nil {
			break
		}
		if n := m.of(row).N; n > 0 && n < r.Employers {
			why = fmt.Sprintf("%d employers add to the %s, want at least %d", n, m.name, r.Employers)
		}
	}
	if why == "" {
		return
	}
	room := j.byRange(row)
	if j.employers != nil {
		if n := float64(r.Employers) - j.shownEmployers(row); n > 0 {
			room[employersAdd] = [2]float64{n, 0}
		}
	}
	unsafe("contributors"+norm(s, r.Norm)+": "+why, room)
}

// frequency applies the minimum frequency to every count that the row shows, and
// to the contributing rows where they are known: a weighted count, or one of
// several units a row, says nothing of how few answered.
func (j *judge) frequency(row int, unsafe func(string, map[string][2]float64)) {
	s := j.rules
	f := primary.Frequency{N: int64(s.Frequency.N)}
	first := true
	for m, name := range j.names {
		if !j.counts[m] {
			continue
		}
		if n := int64(j.values[m][row]); f.Unsafe(n) {
			room := j.byRange(row)
			room[name] = [2]float64{f.Protection(n), 0}
			of := ""
			if !first {
				of = " of " + name
			}
			unsafe(fmt.Sprintf("minimum-frequency%s: %d%s, want at least %d", norm(s, s.Frequency.Norm), n, of, f.N), room)
		}
		first = false
	}
	j.disguised(row, unsafe)
	if j.t.tally == nil || !first && j.c.micro.weights == nil {
		return
	}
	if n := j.t.tally.Rows[row]; f.Unsafe(n) {
		unsafe(fmt.Sprintf("minimum-frequency%s: %d rows of the microdata, want at least %d", norm(s, s.Frequency.Norm), n, f.N), j.byRange(row))
	}
}

func sumOf(x []float64, n int) float64 {
	sum := 0.0
	for _, v := range x[:min(n, len(x))] {
		sum += v
	}
	return sum
}

func norm(s *RuleSet, own string) string {
	if own = or(own, s.Norm); own != "" {
		return " (" + own + ")"
	}
	return ""
}

type namedPercent struct {
	name string
	rule primary.PPercent
}

func (j *judge) percents() []namedPercent {
	var out []namedPercent
	if p := j.rules.PPercent; p != nil {
		out = append(out, namedPercent{fmt.Sprintf("p%% with p = %v%s", p.P, norm(j.rules, p.Norm)), primary.PPercent{P: p.P}})
	}
	if p := j.rules.PQ; p != nil {
		out = append(out, namedPercent{fmt.Sprintf("pq with p = %v, q = %v%s", p.P, p.Q, norm(j.rules, p.Norm)), primary.PPercent{P: p.P, Q: p.Q}})
	}
	return out
}

// byRange is the room of a cell that is unsafe by a count of contributors: the
// safety range, and at least one unit of a count and of a sum of nothing.
func (j *judge) byRange(row int) map[string][2]float64 {
	room := map[string][2]float64{}
	for m, name := range j.names {
		r := j.rules.SafetyRange / 100 * j.values[m][row]
		if j.counts[m] {
			r = math.Ceil(r)
		}
		if room[name] = [2]float64{r, r}; r == 0 {
			room[name] = [2]float64{1, 0} // that a few have nothing at all is known of them as well
		}
	}
	for _, m := range j.t.spec.Measures {
		if m.Is == isMean && m.Over == "" { // no count, no sum: its room cannot be checked
			name := "sum of " + or(m.Of, m.Column)
			r := j.rules.SafetyRange / 100 * j.t.f.Col(m.Column).Value(row)
			if _, ok := room[name]; !ok && r > 0 {
				room[name] = [2]float64{r, r}
			}
		}
	}
	return room
}

// employersAdd is the magnitude of employers, where they add up: no employer is
// in two categories of any dimension.
const employersAdd = "employers"

// shownEmployers is what the table shows of employers, else what is known.
func (j *judge) shownEmployers(row int) float64 {
	if shown := j.t.column(isEmployers, ""); shown != nil {
		return shown[row]
	}
	return j.employers[row]
}

// groups looks for margins whose units are all, or all but a few, in one cell.
func (j *judge) groups(row int, unsafe func(string, map[string][2]float64)) {
	s, t := j.rules, j.t
	if s.Group == nil && s.AllInOne == nil && s.Zeros == nil {
		return
	}
	n := int64(j.count[row])
	at := make([]int32, len(t.dims))
	for k := range t.dims {
		at[k] = t.nodes[k][row]
	}
	for _, m := range j.parents {
		dim := j.c.dims[m.d]
		parent := dim.Parent[at[m.k]]
		for parent >= 0 && !t.group.system.Shows(t.index, m.k, parent) {
			parent = dim.Parent[parent]
		}
		if parent < 0 {
			continue
		}
		own := at[m.k]
		at[m.k] = parent
		cell := t.cell(at)
		at[m.k] = own
		if cell < 0 {
			continue
		}
		total := int64(j.valueOf(cell))
		applies := func(along []string) bool { return len(along) == 0 || slices.Contains(along, dim.Name) }
		up := func(x float64) map[string][2]float64 { return map[string][2]float64{j.countName: {x, 0}} }
		down := func(x float64) map[string][2]float64 { return map[string][2]float64{j.countName: {0, x}} }
		if s.AllInOne != nil && applies(s.AllInOne.Along) && n > 0 && n == total {
			unsafe(fmt.Sprintf("all-in-one-category%s: all %d of the margin over %s are here", norm(s, s.AllInOne.Norm), n, dim.Name), down(1))
		}
		if s.Group != nil && applies(s.Group.Along) {
			g := primary.Group{K: int64(s.Group.K)}
			if g.Unsafe(n, total) {
				unsafe(fmt.Sprintf("group-disclosure%s: %d of the %d of the margin over %s are here", norm(s, s.Group.Norm), n, total, dim.Name), down(g.Protection(n, total)))
			}
		}
		if s.Zeros != nil && applies(s.Zeros.Along) && n == 0 && total > 0 {
			unsafe(fmt.Sprintf("zeros%s: nobody of the %d of the margin over %s is here", norm(s, s.Zeros.Norm), total, dim.Name), up(1))
		}
	}
}

// valueOf returns the count of a cell.
func (j *judge) valueOf(cell int32) float64 {
	if i := slices.Index(j.t.group.names, j.countName); i >= 0 {
		if v := j.t.group.values[i][cell]; !math.IsNaN(v) {
			return v
		}
	}
	return 0
}

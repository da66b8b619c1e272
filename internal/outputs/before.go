package outputs

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"scramblelab/internal/metric"
	"scramblelab/internal/outputs/suppress"
)

// released is what an entry of the ledger says of one run whose files left.
type released struct {
	Project  string          `json:"project"`
	Rules    string          `json:"rules_digest"`
	Released bool            `json:"released"`
	Files    []releasedFile  `json:"files"`
	Tables   []releasedTable `json:"tables"`
	// Estimates are absent in ledgers before they were kept.
	Estimates  []releasedEstimates `json:"estimates,omitempty"`
	Statements []Statement         `json:"statements,omitempty"`
}

type releasedFile struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// releasedTable holds every cell, kept back ones too: what stays secret must
// stay so after the next release.
type releasedTable struct {
	File       string            `json:"file"`
	Population string            `json:"population"`
	Within     string            `json:"within,omitempty"` // the population that it is a part of
	Where      []Filter          `json:"where,omitempty"`  // how its rows were chosen
	Dims       []releasedDim     `json:"dimensions"`
	Nodes      [][]int32         `json:"nodes"`
	Names      []string          `json:"magnitudes"`
	Counts     []bool            `json:"counts"`
	Values     [][]metric.Number `json:"values"`
	Hidden     []int32           `json:"hidden"`    // rows that were kept back
	Sensitive  []int32           `json:"sensitive"` // of these, the sensitive ones
	// Room is what each sensitive row needs per magnitude, up and down, so that
	// no later release narrows it; absent in ledgers before it was kept.
	Room [][][2]metric.Number `json:"room,omitempty"`
	// Employers are the contributors behind each row, where they are known.
	Employers []metric.Number `json:"employers,omitempty"`
	// Single says, row by row, who is the only contributor: a digest of its name,
	// "?" where only that there is one is known, "" where there are several.
	Single []string `json:"single,omitempty"`
}

type releasedDim struct {
	Name   string   `json:"name"`
	Labels []string `json:"labels"`
	Parent []int32  `json:"parent"`
	// Columns are its names in the tables and the microdata, where they differ.
	Columns []string `json:"columns,omitempty"`
}

// releasedDim is what the ledger keeps of a dimension.
func (c *check) releasedDim(d int) releasedDim {
	out := releasedDim{Name: c.dims[d].Name, Labels: c.dims[d].Labels, Parent: c.dims[d].Parent}
	for _, s := range c.rules.Dimensions {
		for _, column := range []string{s.Column, s.Microdata} {
			if s.Name == out.Name && column != s.Name && !slices.Contains(out.Columns, column) {
				out.Columns = append(out.Columns, column)
			}
		}
	}
	return out
}

// past is a table of an earlier release.
type past struct {
	name       string
	population string
	table      releasedTable
	comparable bool // its classifications are those of today
	dims       []int
	nodes      [][]int32
	hidden     []bool
	primary    []int32
	cells      []int32 // in the system of its population
}

// recall reads the earlier releases from the ledger. A ledger is a project's: an
// entry under another project's name is compared all the same.
func (c *check) recall() error {
	other, untold := map[string]bool{}, map[string]bool{}
	for _, e := range c.ledger.Entries() {
		if e.Kind != "outputs" {
			continue
		}
		var r released
		if err := json.Unmarshal(e.Body, &r); err != nil {
			return fmt.Errorf("ledger: entry %d is no output check: %w", e.Seq, err)
		}
		if !r.Released {
			continue
		}
		if r.Project != c.rules.Project && !other[r.Project] {
			other[r.Project] = true
			c.report.warn("the ledger holds releases of project %q: they are compared as well", r.Project)
		}
		at := func(file string) string { return fmt.Sprintf("%s, released %s (entry %d)", file, day(e.Time), e.Seq) }
		described := map[string]bool{}
		for _, t := range r.Tables {
			p := &past{name: at(t.File), population: t.Population, table: t}
			if err := t.check(); err != nil {
				return fmt.Errorf("ledger: entry %d: %w", e.Seq, err)
			}
			p.hidden = make([]bool, t.rows())
			for _, row := range t.Hidden {
				p.hidden[row] = true
			}
			p.primary = t.Sensitive
			c.before = append(c.before, p)
			described[filepath.Base(t.File)] = true
		}
		for _, s := range r.Estimates {
			if err := s.check(); err != nil {
				return fmt.Errorf("ledger: entry %d: %w", e.Seq, err)
			}
			described[filepath.Base(s.File)] = true
			for _, row := range s.Rows {
				c.stats = append(c.stats, &pastStat{name: at(s.File), population: s.Population, within: s.Within, counts: s.Counts, dims: s.Dims, row: row, hidden: row.Hidden, reviewed: s.Reviewed != ""})
			}
		}
		for _, f := range r.Files {
			if name := at(f.File); !described[f.File] && !untold[name] {
				untold[name] = true
				c.report.warn("%s is in the ledger without what it tells: nothing was compared with it", name)
			}
		}
	}
	c.missesPopulations()
	return nil
}

// missesPopulations names populations of which the ledger has no release: their
// first, or under another name, or in another ledger.
func (c *check) missesPopulations() {
	known := map[string]bool{}
	for _, p := range c.before {
		known[p.population] = true
	}
	for _, p := range c.stats {
		known[p.population] = true
	}
	look := func(population string) {
		if !known[population] {
			known[population] = true
			c.report.warn("the ledger holds no earlier release on the population %q: this is its first, or it had another name, or another ledger", population)
		}
	}
	for _, t := range c.rules.Tables {
		look(t.Population)
	}
	for _, e := range c.rules.Estimates {
		look(e.Population)
	}
}

// day is the date of an RFC 3339 time.
func day(t string) string { return t[:min(len(t), len("2026-01-01"))] }

func (p *past) counted() counted {
	t := &p.table
	out := counted{name: p.name, population: p.population, dims: p.dims, nodes: p.nodes, names: t.Names, counts: t.Counts, rows: t.rows(), staff: numbers(t.Employers)}
	for _, v := range t.Values {
		out.values = append(out.values, numbers(v))
	}
	return out
}

func numbers(v []metric.Number) []float64 {
	if v == nil {
		return nil
	}
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

func (t *releasedTable) rows() int {
	if len(t.Nodes) == 0 {
		return 1
	}
	return len(t.Nodes[0])
}

// check refuses a body that does not hang together; its hash says only that this
// is what was written.
func (t *releasedTable) check() error {
	n := t.rows()
	ok := len(t.Nodes) == len(t.Dims) && len(t.Names) == len(t.Values) && len(t.Names) == len(t.Counts)
	for k, nodes := range t.Nodes {
		ok = ok && len(nodes) == n && k < len(t.Dims) && t.Dims[k].ok()
		for _, node := range nodes {
			ok = ok && node >= 0 && int(node) < len(t.Dims[k].Labels)
		}
	}
	for _, v := range t.Values {
		ok = ok && len(v) == n
	}
	for _, rows := range [][]int32{t.Hidden, t.Sensitive} {
		for _, row := range rows {
			ok = ok && row >= 0 && int(row) < n
		}
	}
	ok = ok && (t.Single == nil || len(t.Single) == n)
	ok = ok && (t.Room == nil || len(t.Room) == len(t.Sensitive)) && (t.Employers == nil || len(t.Employers) == n)
	for _, r := range t.Room {
		ok = ok && len(r) == len(t.Names)
	}
	if !ok {
		return fmt.Errorf("table %s does not hang together", t.File)
	}
	return nil
}

// translate gives earlier tables the classifications of today. Categories that
// were not used today are added; where the hierarchy differs, the two cannot be
// linked, and a supervisor must look.
func (c *check) translate() {
	for _, p := range c.before {
		p.comparable = true
		type pair struct {
			d     int
			nodes []int32
		}
		var pairs []pair
		for k, was := range p.table.Dims {
			d, code, ok := c.adopt(p.name, was)
			if !ok {
				p.comparable = false
				break
			}
			nodes := make([]int32, len(p.table.Nodes[k]))
			for i, n := range p.table.Nodes[k] {
				nodes[i] = code[n]
			}
			pairs = append(pairs, pair{d, nodes})
		}
		slices.SortFunc(pairs, func(a, b pair) int { return a.d - b.d })
		for _, x := range pairs {
			p.dims, p.nodes = append(p.dims, x.d), append(p.nodes, x.nodes)
		}
	}
	for _, p := range c.stats {
		p.translate(c)
	}
}

// adopt finds an earlier classification among today's, or adds it.
func (c *check) adopt(release string, was releasedDim) (d int, code []int32, ok bool) {
	d = slices.IndexFunc(c.dims, func(d suppress.Dimension) bool { return d.Name == was.Name })
	name := was.Name
	for i, spec := range c.rules.Dimensions {
		switch {
		case slices.Contains(spec.Was, was.Name):
			d = i
		case d == i && slices.Contains(spec.Not, was.Name):
			name += ", as it was"
			d = slices.IndexFunc(c.dims, func(d suppress.Dimension) bool { return d.Name == name })
		}
	}
	if d < 0 || !c.uses(d) {
		for i, spec := range c.rules.Dimensions {
			if i != d && c.uses(i) && !slices.Contains(spec.Not, was.Name) && sameLabels(c.dims[i].Labels, was.Labels) {
				c.report.hold("dimension %s has the categories that %s had in %s: say was: [%[2]s] in the rules if it is the same, else not: [%[2]s]", spec.Name, was.Name, release)
			}
		}
	}
	if d < 0 {
		d = len(c.dims)
		c.dims = append(c.dims, suppress.Dimension{Name: name, Labels: slices.Clone(was.Labels), Parent: slices.Clone(was.Parent)})
	}
	if code, ok = c.merge(d, was); !ok {
		c.report.hold("%s: dimension %s had another hierarchy then, so that the two cannot be compared", release, was.Name)
	}
	return d, code, ok
}

// uses reports whether something of today is about a dimension.
func (c *check) uses(d int) bool {
	name := c.dims[d].Name
	return slices.ContainsFunc(c.rules.Tables, func(t TableSpec) bool { return slices.Contains(t.Dimensions, name) }) ||
		slices.ContainsFunc(c.rules.Estimates, func(e EstimateSpec) bool { return slices.Contains(e.Dimensions, name) || e.Cell[name] != nil })
}

// sameLabels reports whether most categories of two classifications, totals
// aside, have the same labels.
func sameLabels(a, b []string) bool {
	both := 0
	for _, l := range a[1:] {
		if slices.Contains(b[1:], l) {
			both++
		}
	}
	return both >= 2 && 5*both >= 4*min(len(a)-1, len(b)-1)
}

// merge finds the categories of an earlier classification in today's, adding
// those that are missing.
func (c *check) merge(d int, was releasedDim) (code []int32, ok bool) {
	dim := &c.dims[d]
	at := map[string]int32{}
	for n, l := range dim.Labels {
		at[l] = int32(n)
	}
	code = make([]int32, len(was.Labels))
	for n, l := range was.Labels {
		parent := int32(-1)
		if was.Parent[n] >= 0 {
			parent = code[was.Parent[n]]
		}
		now, known := at[l]
		if n == 0 {
			now, known = 0, true // the total, whatever it is called
		}
		if !known {
			if parent < 0 {
				return nil, false
			}
			now = int32(len(dim.Labels))
			at[l] = now
			dim.Labels, dim.Parent = append(dim.Labels, l), append(dim.Parent, parent)
		}
		if dim.Parent[now] != parent {
			return nil, false
		}
		code[n] = now
	}
	return code, true
}

// gatherPast puts an earlier table in the cells: what was published is fixed,
// what was sensitive stays so.
func (c *check) gatherPast(g *group, p *past, cells []int32) {
	p.cells = cells
	t := &p.table
	for m, name := range t.Names {
		all := g.magnitude(name, t.Counts[m])
		for row, cell := range cells {
			v := float64(t.Values[m][row])
			if old := all[cell]; !math.IsNaN(old) && !math.IsNaN(v) && math.Abs(old-v) > 1e-6*math.Max(1, math.Abs(old)) {
				if !p.hidden[row] {
					c.report.Differences = append(c.report.Differences, Difference{
						File: p.table.File, Cell: g.system.Name(cell), Against: p.name, Units: old - v, Exact: true,
						Sentence: fmt.Sprintf("%s of the same population was %v then and is %v now", name, v, old),
					})
					c.report.hold("%s: %s of %s was %v then and is %v now: a population that changes is another one, name it so", p.name, name, g.system.Name(cell), v, old)
				}
				continue
			}
			all[cell] = v
		}
	}
	for row, cell := range cells {
		switch {
		case !p.hidden[row]:
			g.fixed[cell] = true
		case !g.today[cell]:
			g.hidden[cell] = true
		}
	}
	for i, row := range p.primary {
		room := map[string][2]float64{}
		for m, name := range t.Names {
			if t.Room != nil {
				room[name] = [2]float64{float64(t.Room[i][m][0]), float64(t.Room[i][m][1])}
			}
		}
		g.want(cells[row], "kept back in "+p.name, room)
	}
	// What was published stays so, even if another release kept it back.
	for cell, f := range g.fixed {
		if f {
			g.hidden[cell] = false
		}
	}
}

// entry is what this run adds to the ledger.
func (c *check) entry() released {
	out := released{Project: c.rules.Project, Rules: c.report.Rules, Released: c.report.Released, Files: c.written, Tables: []releasedTable{}}
	if !out.Released {
		return out
	}
	for _, t := range c.tables {
		r := releasedTable{File: t.spec.File, Population: t.spec.Population, Within: c.relatives.within[t.spec.Population], Where: c.chosen(t), Single: c.singleOf(t), Nodes: t.nodes, Hidden: []int32{}, Sensitive: []int32{}}
		for _, d := range t.dims {
			r.Dims = append(r.Dims, c.releasedDim(d))
		}
		names, values, counts := t.additive()
		r.Names, r.Counts = names, counts
		for _, v := range values {
			n := make([]metric.Number, len(v))
			for i, x := range v {
				n[i] = metric.Number(x)
			}
			r.Values = append(r.Values, n)
		}
		for row, v := range t.rows {
			if v.status != Safe {
				r.Hidden = append(r.Hidden, int32(row))
				if v.status != Secondary {
					r.Sensitive = append(r.Sensitive, int32(row))
					room := make([][2]metric.Number, len(names))
					if n := t.group.needs[t.group.system.Tables[t.index].Cells[row]]; n != nil {
						for m, name := range names {
							room[m] = [2]metric.Number{metric.Number(n.room[name][0]), metric.Number(n.room[name][1])}
						}
					}
					r.Room = append(r.Room, room)
				}
			}
		}
		for _, n := range t.contributors() {
			r.Employers = append(r.Employers, metric.Number(n))
		}
		out.Tables = append(out.Tables, r)
	}
	for _, e := range c.others {
		out.Estimates = append(out.Estimates, c.enter(e))
	}
	out.Statements = c.report.Statements
	return out
}

package outputs

import (
	"encoding/json"
	"fmt"
	"math"
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
}

type releasedDim struct {
	Name   string   `json:"name"`
	Labels []string `json:"labels"`
	Parent []int32  `json:"parent"`
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

// recall reads the earlier releases of the project from the ledger.
func (c *check) recall() error {
	for _, e := range c.ledger.Entries() {
		if e.Kind != "outputs" {
			continue
		}
		var r released
		if err := json.Unmarshal(e.Body, &r); err != nil {
			return fmt.Errorf("ledger: entry %d is no output check: %w", e.Seq, err)
		}
		if r.Project != c.rules.Project || !r.Released {
			continue
		}
		for _, t := range r.Tables {
			p := &past{name: fmt.Sprintf("%s, released %s (entry %d)", t.File, e.Time[:10], e.Seq), population: t.Population, table: t}
			if err := t.check(); err != nil {
				return fmt.Errorf("ledger: entry %d: %w", e.Seq, err)
			}
			p.hidden = make([]bool, t.rows())
			for _, row := range t.Hidden {
				p.hidden[row] = true
			}
			p.primary = t.Sensitive
			c.before = append(c.before, p)
		}
	}
	return nil
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
		ok = ok && len(nodes) == n && len(t.Dims[k].Labels) == len(t.Dims[k].Parent)
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
			d := slices.IndexFunc(c.dims, func(d suppress.Dimension) bool { return d.Name == was.Name })
			if d < 0 {
				d = len(c.dims)
				c.dims = append(c.dims, suppress.Dimension{Name: was.Name, Labels: slices.Clone(was.Labels), Parent: slices.Clone(was.Parent)})
			}
			code, ok := c.merge(d, was)
			if !ok {
				p.comparable = false
				c.report.hold("%s: dimension %s had another hierarchy then, so that the two cannot be compared", p.name, was.Name)
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
func (c *check) gatherPast(g *group, p *past, cells []int32, inToday []bool) {
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
		case !inToday[cell]:
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
		r := releasedTable{File: t.spec.File, Population: t.spec.Population, Nodes: t.nodes, Hidden: []int32{}, Sensitive: []int32{}}
		for _, d := range t.dims {
			r.Dims = append(r.Dims, releasedDim{c.dims[d].Name, c.dims[d].Labels, c.dims[d].Parent})
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
	return out
}

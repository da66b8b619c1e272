package outputs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/metric"
)

// releasedEstimates holds what each row of a file of estimates tells of which
// cells, rows that were taken out too.
type releasedEstimates struct {
	File       string          `json:"file"`
	Population string          `json:"population"`
	Within     string          `json:"within,omitempty"`
	Counts     string          `json:"counts"` // what n counts; "" if nobody said so
	Dims       []releasedDim   `json:"dimensions"`
	Reviewed   string          `json:"reviewed,omitempty"`
	Rows       []releasedStats `json:"rows"`
}

// releasedStats is one row: whom it is about and what else it tells, each a list
// of categories per dimension, empty where it is not restricted.
type releasedStats struct {
	Name   string        `json:"name"`
	Tells  [][][]int32   `json:"tells"`
	N      metric.Number `json:"n"`
	Exact  metric.Number `json:"exact"` // count of the last of tells
	Hidden bool          `json:"hidden,omitempty"`
	Why    string        `json:"not_linked,omitempty"`
}

// pastStat is a row of an earlier release.
type pastStat struct {
	name       string
	population string
	within     string
	counts     string
	dims       []releasedDim
	row        releasedStats
	hidden     bool
	reviewed   bool // a supervisor let it pass

	about region // nil where it cannot be compared
	tells []region
	n     float64
	exact float64
}

func (s *releasedEstimates) check() error {
	ok := true
	for _, r := range s.Rows {
		ok = ok && len(r.Tells) > 0
		for _, t := range r.Tells {
			ok = ok && len(t) == len(s.Dims)
			for k := range t {
				for _, n := range t[k] {
					ok = ok && n >= 0 && k < len(s.Dims) && int(n) < len(s.Dims[k].Labels)
				}
			}
		}
	}
	for _, d := range s.Dims {
		ok = ok && d.ok()
	}
	if !ok {
		return fmt.Errorf("estimates %s do not hang together: written by another version?", s.File)
	}
	return nil
}

// ok reports whether a classification is a tree with parents before children.
func (d *releasedDim) ok() bool {
	ok := len(d.Labels) == len(d.Parent) && len(d.Parent) > 0 && d.Parent[0] == -1
	for n, p := range d.Parent {
		ok = ok && (n == 0 || p >= 0 && int(p) < n)
	}
	return ok
}

// enter is what the ledger keeps of a file of estimates.
func (c *check) enter(e *estimates) releasedEstimates {
	out := releasedEstimates{
		File: e.spec.File, Population: e.spec.Population, Within: c.relatives.within[e.spec.Population], Counts: e.spec.Counts, Reviewed: e.spec.Reviewed,
		Dims: []releasedDim{}, Rows: []releasedStats{},
	}
	for d := range c.dims {
		out.Dims = append(out.Dims, c.releasedDim(d))
	}
	for row, s := range e.shown {
		r := releasedStats{Name: e.label(row), N: metric.Number(s.n), Exact: metric.Number(s.exact), Hidden: e.rows[row].status != Safe, Why: s.why}
		for _, reg := range slices.Concat(s.tells, s.model) {
			t := make([][]int32, len(c.dims))
			copy(t, reg)
			r.Tells = append(r.Tells, t)
		}
		if len(s.model) > 0 {
			r.Exact = metric.Number(math.NaN())
		}
		out.Rows = append(out.Rows, r)
	}
	return out
}

// translate finds today's dimensions of an earlier row; a dimension that
// restricts nothing is not looked for.
func (p *pastStat) translate(c *check) {
	p.n, p.exact = float64(p.row.N), float64(p.row.Exact)
	if p.row.Why != "" || p.counts == "" {
		if !p.hidden {
			c.report.warn("%s, %s left without being linked with the tables: nothing was compared with it", p.name, p.row.Name)
		}
		return
	}
	dim, code := make([]int, len(p.dims)), make([][]int32, len(p.dims))
	for k := range p.dims {
		if !slices.ContainsFunc(p.row.Tells, func(t [][]int32) bool { return len(t[k]) > 0 }) {
			continue
		}
		var ok bool
		if dim[k], code[k], ok = c.adopt(p.name, p.dims[k]); !ok {
			return
		}
	}
	for _, t := range p.row.Tells {
		r := make(region, len(c.dims))
		for k, nodes := range t {
			for _, n := range nodes {
				r[dim[k]] = append(r[dim[k]], code[k][n])
			}
		}
		p.tells = append(p.tells, r)
	}
	p.about = p.tells[0]
}

// digest names a contributor in the ledger.
func digest(name string) string {
	sum := sha256.Sum256([]byte("scramblelab single contributor\n" + name))
	return hex.EncodeToString(sum[:8])
}

// unknown is somebody of whom only that they are alone is known.
const unknown = "?"

// singleOf says, row by row, who is the only contributor.
func (c *check) singleOf(t *table) []string {
	out := make([]string, len(t.rows))
	employers, count := t.column(isEmployers, ""), t.column(isCount, "")
	for row := range out {
		switch {
		case t.tally != nil:
			if who := t.tally.Single(row); who >= 0 {
				out[row] = digest(c.micro.nameOf(c.rules.Microdata, who))
			}
		case employers != nil && employers[row] == 1, employers == nil && count != nil && count[row] == 1:
			out[row] = unknown
		}
	}
	return out
}

// nameOf returns the holding or employer that a contributor is.
func (m *microdata) nameOf(spec *Microdata, who int32) string {
	if m.rowOf == nil {
		m.rowOf = slices.Repeat([]int32{-1}, m.contributors)
		for i, k := range m.contributor {
			if k >= 0 {
				m.rowOf[k] = int32(i)
			}
		}
	}
	row := int(m.rowOf[who])
	if spec.Holding != "" {
		col := m.f.Col(spec.Holding)
		if name := text(col, row); name != "" && name != "NaN" && (!col.Coded() || col.I[row] >= 0) {
			return "holding " + name
		}
	}
	return "employer " + text(m.f.Col(spec.Employer), row)
}

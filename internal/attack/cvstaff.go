package attack

import (
	"slices"
	"sync"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

const (
	stageStaff   rng.Stage = 0xa77ac6
	stageMiscode rng.Stage = 0xa77ac7
)

// CV is what a public curriculum vitae tells of one job: the diploma, and the
// first and the last year in which the person was counted among the staff. Codes
// are those of the released columns, -1 where the release has no such column.
type CV struct{ Level, Field, Start, End int32 }

// CVTarget is an employer of which some staff is known.
type CVTarget struct {
	Employer int32
	CVs      []CV
	Rows     []int32 // row of the jobs from which a CV's diploma is, its last year
}

// StaffOptions say which CVs an intruder finds.
type StaffOptions struct {
	Most    int     // CVs of one employer, at least 1
	CountOn string  // when the release counts a person; "" is 31 December
	Years   []int32 // years that the release shows, nil for all of the data
	Field   bool    // the release shows fields
}

// DrawStaff draws, for every employer named, at most Most of the persons who
// were on its staff in the years asked for, uniformly and in random order: the
// first k of them are what the intruder cv-k knows. A person who came back has
// one CV, from the first to the last year. Employers without staff have no CVs.
// The jobs must name workers.
func DrawStaff(d *linked.Data, employers []int32, o StaffOptions, key rng.Sim) []CVTarget {
	employer, year := d.Jobs.Col(linked.Employer).I, d.Jobs.Col(linked.Year).I
	worker := d.Jobs.Col(linked.Worker)
	level, field := codes(d.Jobs, linked.Level), codes(d.Jobs, linked.Field)
	weight := weightOf(d, o.CountOn)
	out := make([]CVTarget, len(employers))
	for k, e := range employers {
		out[k].Employer = e
		lo, _ := slices.BinarySearch(employer, e)
		hi, _ := slices.BinarySearch(employer, e+1)
		at := map[int64]int{}
		type spell struct{ start, end, row int32 }
		var staff []spell
		for i := lo; i < hi; i++ {
			if weight(i) <= 0 || o.Years != nil && !slices.Contains(o.Years, year[i]) {
				continue
			}
			id := identity(worker, i)
			j, known := at[id]
			if !known {
				j = len(staff)
				at[id] = j
				staff = append(staff, spell{start: year[i]})
			}
			staff[j].end, staff[j].row = year[i], int32(i)
		}
		for _, s := range rng.Sample(key.Stream(stageStaff, uint64(uint32(e))), staff, min(o.Most, len(staff))) {
			c := CV{Level: level(int(s.row)), Field: -1, Start: s.start, End: s.end}
			if o.Field {
				c.Field = field(int(s.row))
			}
			out[k].CVs, out[k].Rows = append(out[k].CVs, c), append(out[k].Rows, s.row)
		}
	}
	return out
}

func identity(c frame.Column, i int) int64 {
	if c.L != nil {
		return c.L[i]
	}
	return int64(c.I[i])
}

// Miscode returns the targets with the diploma of a share of their CVs replaced
// by that of a random other CV: what people write and what the register codes
// are not the same. Years stay.
func Miscode(targets []CVTarget, share float64, key rng.Sim) []CVTarget {
	var pool []CV
	for _, t := range targets {
		pool = append(pool, t.CVs...)
	}
	out := slices.Clone(targets)
	s := key.Stream(stageMiscode, 0)
	for i := range out {
		out[i].CVs = slices.Clone(out[i].CVs)
		for j := range out[i].CVs {
			if s.Bool(share) {
				other := pool[s.IntN(len(pool))]
				out[i].CVs[j].Level, out[i].CVs[j].Field = other.Level, other.Field
			}
		}
	}
	return out
}

// diploma is a cell of the released tables within an employer and a year.
type diploma struct{ level, field int32 }

// visit is the released head count of a diploma at one serial in one year.
type visit struct {
	unit, slot int32
	n          float64
}

// StaffPaths are the released cells as head counts over the years, diploma by
// diploma.
type StaffPaths struct {
	serials []int32
	years   []int32
	staff   [][]float64         // [unit][slot] head count, 0 without staff
	visits  map[diploma][]visit // by unit, then slot
	share   map[diploma]float64
	persist float64 // chance that a resident of a cell, or his like, is there a year later
	yearly  float64 // chance that a worker is listed where he belongs, drawn anew each year
	lasting float64 // the same, drawn once for all years
	lock    sync.Mutex
	chains  map[chainKey]*chain
	swapped float64 // share of those listed whom a swap of the year brought there
}

// NewStaffPaths reads the cells of a release as an intruder does who knows as
// much of the method as knowledge says. keep names the years that count, nil for
// all; where serials are fresh every year it must name one.
//
// Head counts are taken at their face, classes of them at their midpoints; cells
// that were folded away are absent.
func NewStaffPaths(r Release, knowledge string, keep []int32) (*StaffPaths, error) {
	units, err := observe(r, keep)
	if err != nil {
		return nil, err
	}
	p := &StaffPaths{chains: map[chainKey]*chain{}, visits: map[diploma][]visit{}, share: map[diploma]float64{}}
	for _, u := range units {
		for _, o := range u.years {
			p.years = append(p.years, o.year)
		}
	}
	slices.Sort(p.years)
	p.years = slices.Compact(p.years)
	at := map[int32]int32{}
	for k, u := range units {
		p.serials, at[u.serial] = append(p.serials, u.serial), int32(k)
		row := make([]float64, len(p.years))
		for _, o := range u.years {
			row[p.slot(o.year)] = o.n
		}
		p.staff = append(p.staff, row)
	}
	p.addVisits(r, at)
	p.yearly, p.lasting = r.Method.stays(knowledge)
	p.swapped = 1 - p.yearly/r.Method.share()
	p.persist = p.persistence()
	return p, nil
}

// Units returns the number of serials.
func (p *StaffPaths) Units() int { return len(p.serials) }

func (p *StaffPaths) slot(year int32) int {
	s, ok := slices.BinarySearch(p.years, year)
	if !ok {
		return -1
	}
	return s
}

func (p *StaffPaths) addVisits(r Release, at map[int32]int32) {
	f := r.Tables.Cells
	serial, workers := f.Col(publish.Serial), f.Col(publish.Workers)
	level, field, year := codes(f, linked.Level), codes(f, linked.Field), codes(f, linked.Year)
	var counts classes
	if workers.Coded() {
		counts = classesOf(workers.Dict, true)
	}
	total := 0.0
	for i := range f.Rows() {
		y := int32(0)
		if r.Periods {
			y = year(i)
		}
		slot := p.slot(y)
		unit, known := at[serial.I[i]]
		n := workers.Value(i)
		if workers.Coded() && workers.I[i] >= 0 {
			n = counts.mid[workers.I[i]]
		}
		if slot < 0 || !known || !(n > 0) {
			continue
		}
		d := diploma{level(i), field(i)}
		p.visits[d] = append(p.visits[d], visit{unit, int32(slot), max(1, float64(int(n+0.5)))})
		p.share[d] += n
		total += n
	}
	for d, v := range p.visits {
		slices.SortFunc(v, func(a, b visit) int {
			if a.unit != b.unit {
				return int(a.unit - b.unit)
			}
			return int(a.slot - b.slot)
		})
		// A person outside the fragment may have a diploma that nobody inside has
		// by right: one more of them, for all years, keeps rare ones from being
		// taken for proof.
		p.share[d] = (p.share[d] + float64(len(p.years))) / total
	}
}

// turnover is the share of the staff that leaves in a year, as everybody knows
// of Belgian jobs.
const turnover = 0.2

// persistence is estimated by regressing a cell's head count, less what is
// expected of an employer of that size, on that of the year before; a swap leaves
// of the slope only those listed rightly in both years.
func (p *StaffPaths) persistence() float64 {
	var both, square float64
	for _, d := range p.diplomas() {
		v := p.visits[d]
		for i, a := range v {
			if a.n > mostResidents || int(a.slot)+1 >= len(p.years) || p.staff[a.unit][a.slot+1] == 0 {
				continue
			}
			next := 0.0
			if i+1 < len(v) && v[i+1].unit == a.unit && v[i+1].slot == a.slot+1 {
				next = v[i+1].n
			}
			more := a.n - float64(p.share[d]*p.staff[a.unit][a.slot])
			both += float64(more * (next - float64(p.share[d]*p.staff[a.unit][a.slot+1])))
			square += float64(more * more)
		}
	}
	if square == 0 {
		return 1 - turnover
	}
	listed := max(0.05, (1-p.swapped)*p.yearly)
	return min(0.97, max(0.02, both/square/listed))
}

// diplomas are the released ones in order: sums over them must not depend on
// the order of a map.
func (p *StaffPaths) diplomas() []diploma {
	out := make([]diploma, 0, len(p.visits))
	for d := range p.visits {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b diploma) int {
		if a.level != b.level {
			return int(a.level - b.level)
		}
		return int(a.field - b.field)
	})
	return out
}

// stays returns the chance that a worker's level and field stand where he
// works: drawn anew each year, and drawn once for all years.
func (m Method) stays(knowledge string) (yearly, lasting float64) {
	once, anew := m, m
	once.Swaps, anew.Swaps = nil, nil
	for _, w := range m.Swaps {
		if w.Within && !w.Apart && !slices.Contains(w.Bundle, linked.Employer) && w.moves(linked.Level) && w.moves(linked.Field) {
			continue // colleagues who exchange whole diplomas leave every count as it was
		}
		if !w.moves(linked.Level) && !w.moves(linked.Field) {
			continue
		}
		// Wages do not matter for who is listed where.
		w.Bundle = slices.DeleteFunc(slices.Clone(w.Bundle), func(b string) bool { return b == linked.Wage })
		if w.Lasting {
			once.Swaps = append(once.Swaps, w)
		} else {
			anew.Swaps = append(anew.Swaps, w)
		}
	}
	return m.share() * (1 - anew.displaced(knowledge)), 1 - once.displaced(knowledge)
}

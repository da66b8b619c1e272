package swap

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// checkOrder refuses a frame that is not in canonical order, since draws would
// then depend on how the rows happened to be read.
func checkOrder(f *frame.Frame) error {
	employer, year := f.Col(linked.Employer).I, f.Col(linked.Year).I
	var worker []int32
	if w, ok := f.Lookup(linked.Worker); ok {
		if w.I == nil && f.Rows() > 0 {
			return fmt.Errorf("swap: column %q is %v: workers are a category or an integer", linked.Worker, w.Kind)
		}
		worker = w.I
	}
	return par.Chunks(context.Background(), f.Rows(), chunkRows, func(_, lo, hi int) error {
		for i := max(1, lo); i < hi; i++ {
			d := cmp.Compare(employer[i-1], employer[i])
			if d == 0 {
				d = cmp.Compare(year[i-1], year[i])
			}
			if d == 0 && worker != nil {
				d = cmp.Compare(worker[i-1], worker[i])
			}
			if d > 0 {
				return fmt.Errorf("swap: row %d is not in canonical order: sort the frame with linked.Canonical first", i)
			}
		}
		return nil
	})
}

// units are what changes places. Without start, unit u is row u.
type units struct {
	n     int
	start []int32 // rows of unit u are rows[start[u]:start[u+1]]
	rows  []int32
}

func (u *units) of(i int32) []int32 { return u.rows[u.start[i]:u.start[i+1]] }

// byWorker groups rows by worker in the order of workers' codes, or by worker
// and the values of another column; a row whose worker is missing stands alone.
// Rows of a unit are in the order of years. It leaves the room of its codes to
// the next coding.
func byWorker(ctx context.Context, coder *coder, and string) (units, error) {
	f := coder.tables[0]
	c, err := coder.encode(ctx, []string{linked.Worker})
	if err != nil {
		return units{}, err
	}
	b, err := sortByCode(ctx, c)
	if err != nil {
		return units{}, err
	}
	coder.room = c.codes
	worker, year := f.Col(linked.Worker), f.Col(linked.Year).I
	apart := make([]int32, 0)
	if and != "" {
		apart = f.Col(and).I
	}
	u := units{rows: b.items, start: make([]int32, 0, b.len()+1)}
	for k := range b.len() {
		rows := b.items[b.bounds[k]:b.bounds[k+1]]
		slices.SortStableFunc(rows, func(x, y int32) int {
			if and != "" {
				if d := cmp.Compare(apart[x], apart[y]); d != 0 {
					return d
				}
			}
			return cmp.Compare(year[x], year[y])
		})
		for i, r := range rows {
			alone := worker.Missing(int(r))
			if i == 0 || alone || and != "" && apart[r] != apart[rows[i-1]] {
				u.start = append(u.start, b.bounds[k]+int32(i))
			}
		}
	}
	u.n = len(u.start)
	u.start = append(u.start, int32(len(b.items)))
	return u, nil
}

// byEmployer groups rows by employer and the values of some columns, in the
// order of their first rows.
func byEmployer(f *frame.Frame, and []string) units {
	employer := f.Col(linked.Employer).I
	u := units{rows: Identity(f.Rows())}
	for lo, hi := 0, 0; lo < f.Rows(); lo = hi {
		for hi = lo; hi < f.Rows() && employer[hi] == employer[lo]; hi++ {
		}
		own := u.rows[lo:hi]
		by := func(a, b int32) int {
			for _, n := range and {
				if d := f.Col(n).Compare(int(a), int(b)); d != 0 {
					return d
				}
			}
			return 0
		}
		slices.SortStableFunc(own, by)
		for i := range own {
			if i == 0 || by(own[i-1], own[i]) != 0 {
				u.start = append(u.start, int32(lo+i))
			}
		}
	}
	u.n = len(u.start)
	u.start = append(u.start, int32(f.Rows()))
	return u
}

// oneJobEach reports whether no worker has two rows in a year.
func oneJobEach(f *frame.Frame) bool {
	worker, year := f.Col(linked.Worker), f.Col(linked.Year)
	if f.Rows() == 0 {
		return true
	}
	wLow, wHigh := slices.Min(worker.I), slices.Max(worker.I)
	yLow, yHigh := slices.Min(year.I), slices.Max(year.I)
	years := int64(yHigh) - int64(yLow) + 1
	if bits := (int64(wHigh) - int64(wLow) + 1) * years; bits > 256*int64(f.Rows())+1<<16 {
		return false // numbers too sparse for a bitmap: let the caller group them
	}
	seen := make([]uint64, ((int64(wHigh)-int64(wLow)+1)*years+63)/64)
	for i, w := range worker.I {
		if worker.Missing(i) {
			continue
		}
		at := (int64(w)-int64(wLow))*years + int64(year.I[i]) - int64(yLow)
		if seen[at>>6]>>(at&63)&1 == 1 {
			return false
		}
		seen[at>>6] |= 1 << (at & 63)
	}
	return true
}

// engine holds what the pairings of one step share: units, strata and the
// employers of rows.
type engine struct {
	f        *frame.Frame
	o        Options
	employer []int32
	rowCodes coding // strata of rows: same, the employer within, the year for persons; without codes where all rows are one
	cols     []frame.Column
	units    units
	codes    coding    // strata of units
	strata   buckets   // units by stratum; for persons unused
	targeted *targeted // the last preparation of a targeted swap
	rooms    *rooms
	work     sync.Pool // of *piece
}

func newEngine(ctx context.Context, f *frame.Frame, o Options) (*engine, error) {
	e := &engine{f: f, o: o, employer: f.Col(linked.Employer).I, units: units{n: f.Rows()}, rooms: &rooms{}, work: sync.Pool{New: func() any { return new(piece) }}}
	names := e.strataNames()
	for _, n := range names {
		e.cols = append(e.cols, f.Col(n))
	}
	coder, err := newCoder(f)
	if err != nil {
		return nil, err
	}
	several := o.Unit == PersonYear && f.Has(linked.Worker) && !oneJobEach(f)
	switch and := linked.Employer; {
	case several:
		and = linked.Year
		fallthrough
	case o.Unit == Spell:
		e.units, err = byWorker(ctx, coder, and)
	case o.Unit == Person:
		e.units, err = byWorker(ctx, coder, "")
	}
	if err != nil {
		return nil, err
	}
	if e.rowCodes.k = 1; len(names) > 0 {
		if e.rowCodes, err = coder.encode(ctx, names); err != nil {
			return nil, err
		}
	}
	e.codes = e.rowCodes
	switch {
	case o.Unit.overYears():
		return e, nil
	case o.Unit == EmployerRegion:
		e.units = byEmployer(f, o.Bundle)
		e.codeUnits()
	case several:
		e.codeUnits()
	}
	if e.codes.codes == nil { // all rows are one stratum
		e.strata = buckets{bounds: []int32{0, int32(f.Rows())}}
		if o.FixMissing {
			e.strata.items = Identity(f.Rows())
		}
		return e, nil
	}
	e.strata, err = sortByCode(ctx, e.codes)
	return e, err
}

// rooms keeps the memory of strata for the next ones. A [sync.Pool] would hold
// some for every processor.
type rooms struct {
	sync.Mutex
	free []*stratum
}

func (r *rooms) get() *stratum {
	r.Lock()
	defer r.Unlock()
	if n := len(r.free); n > 0 {
		g := r.free[n-1]
		r.free = r.free[:n-1]
		return g
	}
	return &stratum{}
}

func (r *rooms) put(g *stratum) {
	r.Lock()
	defer r.Unlock()
	r.free = append(r.free, g)
}

// strataNames are the columns that span the strata of rows, sorted so that
// addresses do not depend on how the plan orders them.
func (e *engine) strataNames() []string {
	names := slices.Clone(e.o.Same)
	if (e.o.Unit.overYears() || e.o.Unit == EmployerRegion) && !slices.Contains(names, linked.Year) {
		names = append(names, linked.Year)
	}
	if e.o.Scope == WithinEmployer && !slices.Contains(names, linked.Employer) {
		names = append(names, linked.Employer)
	}
	slices.Sort(names)
	return names
}

// codeUnits gives a unit of one row that row's stratum, and units of several
// rows one stratum for each combination of their rows' strata. Rows of a unit
// are put in the order of their strata, so that partners match job by job.
func (e *engine) codeUnits() {
	code := func(r int32) uint32 {
		if e.rowCodes.codes == nil {
			return 0
		}
		return e.rowCodes.codes[r]
	}
	e.codes = coding{codes: make([]uint32, e.units.n), k: e.rowCodes.k}
	several := map[string]uint32{}
	var key []byte
	for u := range e.units.n {
		rows := e.units.of(int32(u))
		if len(rows) == 1 {
			e.codes.codes[u] = code(rows[0])
			continue
		}
		slices.SortStableFunc(rows, func(a, b int32) int {
			return cmp.Compare(code(a), code(b))
		})
		key = key[:0]
		for _, r := range rows {
			key = binary.LittleEndian.AppendUint32(key, code(r))
		}
		c, ok := several[string(key)]
		if !ok {
			c = uint32(e.codes.k)
			several[string(key)] = c
			e.codes.k++
		}
		e.codes.codes[u] = c
	}
}

// rowsOf returns the rows of a unit.
func (e *engine) rowsOf(u int32, one *[1]int32) []int32 {
	if e.units.start == nil {
		one[0] = u
		return one[:]
	}
	return e.units.of(u)
}

// addressOf is the address of the stratum of a unit.
func (e *engine) addressOf(u int32) uint64 {
	var one [1]int32
	rows := e.rowsOf(u, &one)
	h := address(e.cols, rows[0])
	for _, r := range rows[1:] {
		h = rng.Mix(h, address(e.cols, r))
	}
	return h
}

// batches cuts strata into runs of about chunkRows units.
func batches(bounds []int32) [][2]int {
	var out [][2]int
	for lo := 0; lo < len(bounds)-1; {
		hi := lo + 1
		for hi < len(bounds)-1 && bounds[hi]-bounds[lo] < chunkRows {
			hi++
		}
		out = append(out, [2]int{lo, hi})
		lo = hi
	}
	return out
}

// draw makes the permutation of rows of one pairing.
func (e *engine) draw(ctx context.Context, m Method, cols []string, key rng.Secret, stage string) (Permutation, *PairingReport, error) {
	pr := &PairingReport{Columns: cols, Units: int64(e.units.n)}
	p := make(Permutation, e.f.Rows())
	err := par.Chunks(ctx, len(p), chunkRows, func(_, lo, hi int) error {
		for i := range p[lo:hi] {
			p[lo+i] = int32(lo + i)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if e.o.Unit.overYears() {
		err = e.cycle(ctx, p, pr, key, stage)
	} else {
		var d drawer
		if d, err = m.prepare(ctx, e, cols); err == nil {
			err = e.drawUnits(ctx, d, p, pr, key, stage)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	if slices.Contains(cols, linked.Employer) {
		if err := e.undoCollisions(ctx, p, m.Pairs, pr); err != nil {
			return nil, nil, err
		}
	}
	if err := e.keepSums(ctx, p, cols, pr, key, stage); err != nil {
		return nil, nil, err
	}
	return p, pr, e.verify(ctx, p, m.Pairs && !e.o.Unit.overYears())
}

// complete reports whether no row of a unit misses a value of the bundle, or
// whether that does not matter.
func (e *engine) complete(u int32) bool {
	if !e.o.FixMissing {
		return true
	}
	var one [1]int32
	for _, r := range e.rowsOf(u, &one) {
		for _, n := range e.o.Bundle {
			if c := e.f.Col(n); c.Missing(int(r)) {
				return false
			}
		}
	}
	return true
}

// gather shows a method the units of stratum k that may move, and returns the
// number of the others.
func (e *engine) gather(g *stratum, k int) (fixed int64) {
	if e.strata.items == nil { // all rows
		g.reset(nil, nil)
		g.n, g.whole = e.f.Rows(), true
	} else {
		members := e.strata.items[e.strata.bounds[k]:e.strata.bounds[k+1]]
		if e.o.FixMissing {
			all := members
			members = g.complete[:0]
			for _, u := range all {
				if e.complete(u) {
					members = append(members, u)
				}
			}
			g.complete, fixed = members, int64(len(all)-len(members))
		}
		first := members
		if e.units.start != nil {
			g.firsts = slices.Grow(g.firsts[:0], len(members))[:len(members)]
			first = g.firsts
			for i, u := range members {
				first[i] = e.units.rows[e.units.start[u]]
			}
		}
		g.reset(members, first)
	}
	if g.across {
		g.employer = slices.Grow(g.employer[:0], g.n)[:g.n]
		for i := range g.employer {
			g.employer[i] = e.employer[g.row(int32(i))]
		}
	}
	return fixed
}

// eachStratum adds up what f adds to its sums over all strata with several
// units, in their order.
func (e *engine) eachStratum(ctx context.Context, f func(g *stratum, sum []float64), n int) ([]float64, error) {
	work := batches(e.strata.bounds)
	parts, err := par.Map(ctx, len(work), func(w int) ([]float64, error) {
		sum, g := make([]float64, n), e.rooms.get()
		defer e.rooms.put(g)
		g.across = false
		for k := work[w][0]; k < work[w][1]; k++ {
			if e.gather(g, k); g.n > 1 {
				f(g, sum)
			}
		}
		return sum, nil
	})
	total := make([]float64, n)
	for _, p := range parts {
		for i, x := range p {
			total[i] += x
		}
	}
	return total, err
}

// drawUnits draws the donors of units within strata, strata in parallel.
func (e *engine) drawUnits(ctx context.Context, draw drawer, p Permutation, pr *PairingReport, key rng.Secret, stage string) error {
	type tally struct {
		alone, odd, outside, far, fixed, atRisk int64
		expected                                float64
	}
	work := batches(e.strata.bounds)
	tallies, err := par.Map(ctx, len(work), func(w int) (tally, error) {
		var t tally
		g := e.rooms.get()
		defer e.rooms.put(g)
		g.rate, g.across = e.o.Rate, e.o.Scope == AcrossEmployers
		var s *rng.Stream
		for k := work[w][0]; k < work[w][1]; k++ {
			t.fixed += e.gather(g, k)
			if g.n <= 1 {
				t.alone += int64(g.n)
				continue
			}
			first := int32(0)
			if !g.whole {
				first = g.members[0]
			}
			if at := e.addressOf(first); s == nil {
				s = key.Stream(stage, at)
			} else {
				key.Reseed(s, stage, at)
			}
			d := draw(g, s)
			t.odd, t.outside, t.far, t.expected = t.odd+d.odd, t.outside+d.outside, t.far+d.far, t.expected+d.expected
			t.atRisk += d.atRisk
			if e.units.start == nil {
				g.exchange(p, d)
				continue
			}
			for i := 0; i+1 < len(d.pairs); i += 2 {
				if !e.exchange(p, g.members[d.pairs[i]], g.members[d.pairs[i+1]]) {
					t.outside += 2
				}
			}
			for i, u := range d.to {
				to, from := e.units.of(g.members[u]), e.units.of(g.members[d.from[i]])
				for j := range to {
					p[to[j]] = from[j]
				}
			}
		}
		return t, nil
	})
	if err != nil {
		return err
	}
	var all tally
	for _, t := range tallies {
		all.alone, all.odd, all.outside = all.alone+t.alone, all.odd+t.odd, all.outside+t.outside
		all.far, all.fixed, all.expected = all.far+t.far, all.fixed+t.fixed, all.expected+t.expected
		pr.AtRisk += t.atRisk
	}
	pr.Strata = int64(e.strata.len())
	pr.Expected = all.expected / float64(max(1, pr.Units))
	pr.unswappable(AloneInStratum, all.alone)
	pr.unswappable(OddOneLeft, all.odd)
	pr.unswappable(NoPartnerOutside, all.outside)
	pr.unswappable(NoPartnerNear, all.far)
	pr.unswappable(MissingValue, all.fixed)
	return nil
}

// exchange lets two units of several rows change places row by row. It refuses partners across
// employers of whom a second job shares an employer.
func (e *engine) exchange(p Permutation, a, b int32) bool {
	x, y := e.units.of(a), e.units.of(b)
	if e.o.Scope == AcrossEmployers {
		for k := range x {
			if e.employer[x[k]] == e.employer[y[k]] {
				return false
			}
		}
	}
	for k := range x {
		p[x[k]], p[y[k]] = y[k], x[k]
	}
	return true
}

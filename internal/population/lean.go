package population

import (
	"math"

	"scramblelab/internal/calibration"
	"scramblelab/internal/rng"
)

// lean is what the planted shifts have reached in an employer's staff so far.
type lean struct {
	tilt []float64 // log shift of each class
	age  float64   // years
}

// wish is how an employer's hires of a year lean.
type wish struct {
	shift  []float64 // towards each class of cells
	peak   float64   // the largest of them
	young  float64   // share of openings for those under calibration.Age.YoungHire
	notOld float64   // share of the others that take nobody from Age.OldFrom on
}

const (
	mostLean = 1.5 // log odds by which the hires of a year may lean towards a class
)

// lean returns how an employer's hires must lean so that its stock has the
// planted shifts of this year, and nil where none is planted. What the stock
// has already is remembered.
func (s *skeleton) lean(id int32, year, stayers, hires int) *wish {
	e := &s.employers[id]
	k, ok := s.own(e, year)
	sells := s.buyers(id, year)
	have := s.leans[id]
	if !ok && sells == nil && have == nil {
		return nil
	}
	if have == nil {
		have = &lean{tilt: make([]float64, len(s.world.tilt))}
		s.leans[id] = have
	}
	w := &wish{shift: make([]float64, len(s.world.tilt)), peak: math.Inf(-1)}
	var age, young float64
	if ok {
		age, young = s.world.Age[k], s.world.YoungHires[k]
	}
	up := 0.0 // log odds of bachelors and masters
	if sells != nil {
		for j, share := range sells {
			up += float64(s.world.SupplierHigh[j] * share)
		}
		// A share p moves by p(1-p) per unit of its log odds.
		p := min(.95, max(.05, s.c.Sectors[e.sector].High/100))
		up /= p * (1 - p)
	}
	w.young = young / (1 - s.c.Age.YoungShare)
	m, h := float64(stayers), float64(hires)
	copies := m / (m + s.concentration(stayers+hires))
	for c, row := range s.world.tilt {
		x := 0.0
		if ok {
			x = row[k]
		}
		if s.world.high[c] {
			x += up
		}
		more := min(mostLean, max(-mostLean, (float64(x*(m+h))-float64(have.tilt[c]*m))/h))
		w.shift[c] = more - float64(copies*have.tilt[c]) // who copies a stayer leans already
		have.tilt[c] = (float64(have.tilt[c]*m) + float64(more*h)) / (m + h)
		w.peak = max(w.peak, w.shift[c])
	}
	// Hires are younger than the staff, and effects on head counts and separations
	// make more or fewer of them.
	more := 0.0
	if ok {
		more = s.world.HeadCount[k] + s.world.Separation[k]
		if k > 0 && year == int(e.event)+k {
			more -= s.world.HeadCount[k-1]
		} else if k > 0 {
			more -= s.world.HeadCount[k]
		}
	}
	have.age -= more * (s.c.Age.Mean[1] - float64(s.c.Age.HireAge))
	younger := s.c.Age.YoungGap * young // by the hires of the young alone
	if need := -(float64(age*(m+h)) - float64(have.age*m)) / h; need > younger {
		w.notOld = min(1, (need-younger)/s.c.Age.OldGap)
		younger += float64(s.c.Age.OldGap * w.notOld)
	}
	have.age = (float64(have.age*m) - float64(younger*h)) / (m + h)
	return w
}

// under draws the age from which an opening takes nobody, 0 for none.
func (w *wish) under(a *calibration.Age, r *rng.Stream) uint8 {
	switch {
	case w == nil:
		return 0
	case w.young > 0 && r.Bool(w.young):
		return uint8(a.YoungHire)
	case w.notOld > 0 && r.Bool(w.notOld):
		return uint8(a.OldFrom)
	}
	return 0
}

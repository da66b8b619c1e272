package population

import (
	"math"
	"slices"

	"scramblelab/internal/rng"
)

// bookYear is what the books of one closing know of staff. It differs from the
// register by definition: other closing dates, and people whom one of the two
// counts and the other does not (working owners and interns, staff abroad,
// suspended contracts, joiners and leavers of the day).
type bookYear struct {
	staff, entries, exits int64
	average, fte, wages   float64
	parts                 [4][]int64 // staff by working time, sex, study level, status
	fteStudy              [4]int64   // hundredths
}

// habits are how an employer keeps its books.
type habits struct {
	month      int     // in which its book years close
	extra      float64 // staff counted beyond the register, constant
	lean       float64 // standard normal: the part of its counting errors that stays
	affiliated bool    // has a parent or a subsidiary
	parent     bool
	group      float64 // size of its group against its own
}

func (s *skeleton) habitsOf(id int32, r *rng.Stream) habits {
	s.key.Reseed(r, stageBooks, uint64(id)|1<<60)
	a, h := &s.c.Accounts, habits{month: 12, group: 1}
	u := r.Float64()
	for _, c := range a.Closing {
		if u -= c.Share; u < 0 {
			h.month = c.Month
			break
		}
	}
	e := &s.employers[id]
	size := e.size(min(int(e.last), max(int(e.first), s.o.From)))
	if r.Bool(a.Extra) {
		h.extra = 1
	}
	if branch := r.Bool(a.Branch); branch && size >= a.BranchFrom {
		h.extra += size * a.BranchPart * r.Float64()
	}
	h.lean = r.QuickNormal()
	h.affiliated = r.Bool(min(a.AffiliatedMost, a.Affiliated+float64(a.AffiliatedBy*math.Log(size))))
	h.parent = r.Bool(a.Parent)
	if z := math.Abs(r.QuickNormal()); h.affiliated {
		h.group = math.Exp(a.GroupSD * z)
	}
	return h
}

// closing is the last day of the book year that closes in a year, and of the one
// before. The first book years of an employer, and of the window, are those of
// the calendar.
func (w *writer) closing(e *employer, h *habits, year int) (last, before int32) {
	first := max(int(e.first), w.o.From)
	end := func(y int) int32 {
		if h.month == 12 || y <= first {
			return w.day1(y+1) - 1
		}
		return w.day1(y) + int32(math.Round(float64(h.month)*365.25/12)) - 1
	}
	return end(year), end(year - 1)
}

// book fills the book year of an employer. The register's sums of the calendar
// years are scaled to the closing date.
func (w *writer) book(e *employer, h *habits, year int, r *rng.Stream) bookYear {
	b := &w.sums[year-w.o.From]
	last, before := w.closing(e, h, year)
	out := bookYear{staff: int64(b.staff), entries: int64(b.entries), exits: int64(b.exits), wages: float64(b.wages)}
	length := float64(w.day1(year+1) - w.day1(year))
	out.average = float64(b.days) / length
	ratio := 0.0 // full-time equivalents per head
	if b.days > 0 {
		ratio = float64(b.fteDays) / 100 / float64(b.days)
	}
	if calendar := w.day1(year+1) - 1; last != calendar || before != w.day1(year)-1 {
		var days int64
		out.staff, out.entries, out.exits = 0, 0, 0
		for _, sp := range w.sorted {
			if sp.from <= last && sp.to > last {
				out.staff++
			}
			if sp.from > before && sp.from <= last {
				out.entries++
			}
			if sp.to > before && sp.to <= last {
				out.exits++
			}
			days += int64(max(0, min(sp.to, last)-max(sp.from, before+1)+1))
		}
		out.average = float64(days) / float64(last-before)
		here := float64(last-w.day1(year)+1) / length // of this year's wages
		out.wages *= here
		if year > w.o.From && before < w.day1(year)-1 {
			p := &w.sums[year-1-w.o.From]
			out.wages += float64(p.wages) * float64(w.day1(year)-1-before) / float64(w.day1(year)-w.day1(year-1))
		}
	}
	a := &w.c.Accounts
	n := float64(out.staff)
	sd := math.Sqrt(float64(a.CountRoot*a.CountRoot*n) + float64(a.CountBase*a.CountBase*n*n))
	off := h.extra + sd*(float64(math.Sqrt(a.CountStays)*h.lean)+float64(math.Sqrt(1-a.CountStays)*r.QuickNormal()))
	reported := max(min(out.staff, 1), out.staff+int64(math.Round(off)))
	out.average = max(0, out.average+float64(reported-out.staff))
	out.staff, out.fte = reported, out.average*ratio
	for k, counts := range [4][]int32{{b.full, b.part}, {b.men, b.women}, b.study[:], b.status[:]} {
		out.parts[k] = w.share(k, counts, reported, r)
	}
	for k, n := range b.study {
		if n > 0 {
			out.fteStudy[k] = int64(math.Round(float64(b.fteStudy[k]) * float64(out.parts[2][k]) / float64(n)))
		} else {
			out.fteStudy[k] = int64(math.Round(100 * ratio * float64(out.parts[2][k])))
		}
	}
	return out
}

// share divides total heads in proportion to counts: whole parts, and the rest
// by systematic sampling of the remainders.
func (w *writer) share(k int, counts []int32, total int64, r *rng.Stream) []int64 {
	out, sum := w.room[k][:0], int64(0)
	for _, c := range counts {
		sum += int64(c)
	}
	u := 0.0
	if sum != total {
		u = r.Float64()
	}
	at := 0.0
	for _, c := range counts {
		if sum == total || sum == 0 {
			out = append(out, int64(c))
			continue
		}
		next := at + float64(float64(c)*float64(total)/float64(sum))
		out = append(out, int64(math.Floor(next+u))-int64(math.Floor(at+u)))
		at = next
	}
	if rest := total - sumOf(out); rest != 0 { // rounding of the last bound, or nobody to take parts from
		k := slices.Index(out, slices.Max(out))
		out[k] += rest
	}
	w.room[k] = out
	return out
}

func sumOf(v []int64) (sum int64) {
	for _, x := range v {
		sum += x
	}
	return sum
}

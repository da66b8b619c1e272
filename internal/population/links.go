package population

import (
	"context"
	"math"
	"runtime"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// sale is what a seller sold to a customer in a year.
type sale struct {
	customer int32
	year     int16
	main     bool // one of the seller's five largest of the year, or a large part of what the customer buys
	amount   int64
}

// links emits the sales of sellers, one after the other, with its own buffers.
type links struct {
	*skeleton
	seed, drawn uint64      // of the seller's random words
	seen        []seenBuyer // by employer
	floors      int         // generation of the floors in it
	now         int32
	stretch     []smallLink
	alive       []int32 // indices of stretches that last
	sales       []sale
	doubtful    []sale // that may be a large part of what their customers buy
	limits      []float64
	room        []sale // of all sellers of a chunk
	order       []uint64
	life        [16][16]uint16 // by sixteenth of the weights: chance of a link to outlast so many years, of 2^16
	weights     [1024]float32
	parts       []yearSales
	bought      *purchaseBuffer
}

// seenBuyer is what a draw of small links asks of a buyer, together so that it is
// read at once, and the seller's year in which it was last seen.
type seenBuyer struct {
	asBuyer
	stamp int32
}

// smallLink is a stretch of years in which a seller sells to a buyer beside its
// main ones; weight is relative to the seller's others.
type smallLink struct {
	buyer    int32
	weight   float32
	floor    float32 // no less is a large part of what the buyer buys in any year
	from, to int16
}

// yearSales is what a year of a seller is divided by.
type yearSales struct {
	places           [mainPlaces]float64
	sales, others    float64
	weight           float64 // of all small links
	perWeight, limit float64 // euro per unit of it, and the most that a small link may have
	mains            int     // main links with a reported amount
}

func (s *skeleton) newLinks() *links {
	l := &links{skeleton: s, seen: make([]seenBuyer, len(s.employers)), parts: make([]yearSales, s.o.To-s.o.From+1)}
	for id, b := range s.net.asBuyer {
		l.seen[id].asBuyer = b
	}
	for q := range l.life {
		x, p := s.c.Network.KeepSmall, 0x1p16
		keep := x[0] + float64((x[1]-x[0])*(float64(q)+.5)/float64(len(l.life)))
		for k := range l.life[q] {
			p *= keep
			l.life[q][k] = uint16(p)
		}
	}
	for k := range l.weights { // quantiles of a log-normal
		z := math.Sqrt2 * math.Erfinv(2*(float64(k)+.5)/float64(len(l.weights))-1)
		l.weights[k] = float32(math.Exp(s.c.Network.SmallSD * z))
	}
	return l
}

// word returns the next 64 random bits of the seller's small links.
func (l *links) word() uint64 {
	l.drawn++
	return rng.Mix(l.seed, l.drawn)
}

// divide sets what a seller's years are divided by, and reports its number of
// buyers of a year.
func (l *links) divide(id int32, year int, luck float64) (part *yearSales, buyers int) {
	buyers, part = l.reachOf(id, year), &l.parts[year-l.o.From]
	part.places, part.others = l.split(buyers, luck)
	part.sales, part.weight, part.mains = l.turnover(id, year)*l.c.Network.Sales, 0, 0
	part.limit = part.sales * .95 * part.places[mainPlaces-1]
	return part, buyers
}

// draw draws the stretches of a seller's small links: those with which it
// answers main suppliers of its own, and random ones up to its number of buyers.
func (l *links) draw(id int32) {
	s, w, x := l.skeleton, l.net, &l.c.Network
	e := &s.employers[id]
	l.stretch, l.alive = l.stretch[:0], l.alive[:0]
	l.seed, l.drawn = s.key.Uint64(stageSmallLinks, uint64(id)), 0
	luck := s.luckOf(id)
	mains := w.mains[w.at[id]:w.at[id+1]]
	back := w.back[w.from[id]:w.from[id+1]]
	var batch [drawBatch]drawnBuyer
	for year := max(s.o.From, int(e.first)); year <= int(e.last); year++ {
		part, buyers := l.divide(id, year, luck)
		l.now++
		now := l.now
		l.seen[id].stamp = now
		count := 0
		for i := range mains {
			if int(mains[i].from) <= year && year <= int(mains[i].to) {
				l.seen[mains[i].buyer].stamp = now
				count++
			}
		}
		if part.others == 0 {
			for _, k := range l.alive {
				p := &l.stretch[k]
				p.to = min(p.to, int16(year-1))
			}
			l.alive = l.alive[:0]
			continue
		}
		keep := l.alive[:0]
		for _, k := range l.alive {
			p := &l.stretch[k]
			if int(p.to) < year {
				continue
			}
			b := &l.seen[p.buyer]
			if b.stamp == now {
				p.to = int16(year - 1)
				continue
			}
			b.stamp = now
			keep = append(keep, k)
			count++
		}
		l.alive = keep
		begin := func(buyer int32, to int, bitsOfWeight uint64) {
			b := &l.seen[buyer]
			b.stamp = now
			if to = min(to, int(e.last), int(b.last)); to > year {
				l.alive = append(l.alive, int32(len(l.stretch)))
			}
			l.stretch = append(l.stretch, smallLink{buyer, l.weights[bitsOfWeight&1023] * b.factor, b.floor, int16(year), int16(to)})
			count++
		}
		for _, k := range back {
			if m := &w.mains[k]; int(m.from) == year && l.seen[m.seller].stamp != now && float64(l.word()>>11)*0x1p-53 < x.Return {
				begin(m.seller, int(m.to), l.word())
			}
		}
		large := 0x1p10 * min(.95, x.Large*math.Exp(x.LargeBy*math.Log(float64(buyers)/x.TopAt)))
		m := &w.years[year-s.o.From]
		for tries := 3 * (buyers - count); count < buyers && tries > 0; {
			some := batch[:min(tries, buyers-count, drawBatch)]
			tries -= len(some)
			for i := range some {
				a := l.word()
				some[i].bits = a
				some[i].find(m, e, float64(a>>54) < large, a, l.word())
			}
			for i := range some { // each look-up waits for memory, together they wait once
				some[i].look()
			}
			for i := range some {
				some[i].seen = l.seen[max(0, some[i].buyer)].stamp
			}
			for i := range some {
				c, a := some[i].buyer, some[i].bits
				if c < 0 || some[i].seen == now || l.seen[c].stamp == now {
					continue
				}
				last := year
				life := &l.life[a>>50&15]
				for k, u := 0, uint16(a>>28); k < len(life) && u < life[k]; k++ {
					last++
				}
				begin(c, last, a>>44)
			}
		}
	}
	l.weigh(int(e.last))
}

// weigh adds up the weights of small links by year.
func (l *links) weigh(last int) {
	for i := range l.stretch {
		p := &l.stretch[i]
		for y := p.from; y <= p.to; y++ {
			l.parts[int(y)-l.o.From].weight += float64(p.weight)
		}
	}
	for y := range l.parts[:last-l.o.From+1] {
		if p := &l.parts[y]; p.weight > 0 {
			p.perWeight = p.sales * p.others / p.weight
		}
	}
}

// mainAmounts calls f with the seller's sales to its main buyers, once its years
// are divided. Sales under the threshold of the listing are not reported.
func (l *links) mainAmounts(id int32, f func(customer int32, year int, amount int64)) {
	least := l.c.Network.Least
	for _, m := range l.net.mains[l.net.at[id]:l.net.at[id+1]] {
		for y := int(m.from); y <= int(m.to); y++ {
			part := &l.parts[y-l.o.From]
			if a := part.sales * part.places[m.place]; a >= least {
				part.mains++
				f(m.buyer, y, int64(a))
			}
		}
	}
}

// small is what a small link sells in the year. None outdoes a main one.
func (p *yearSales) small(weight float32) float64 { return min(p.perWeight*float64(weight), p.limit) }

// of returns the sales of a seller by customer and year: all of them, or the
// main ones if purchases are known. The slice is valid until the next call.
func (l *links) of(id int32) []sale {
	l.sales = l.sales[:0]
	if r := l.net.reach[id]; r != r {
		return nil
	}
	if p := l.net.purchases; p != nil {
		all := l.net.kept[int(id)-l.net.keptFrom]
		l.limits = sized(l.limits, len(all))
		for i := range all { // each look-up waits for memory, together they wait once
			l.limits[i] = l.c.Network.MainPart * float64(p.of(all[i].customer, int(all[i].year)))
		}
		for i := range all {
			if all[i].main || float64(all[i].amount) >= l.limits[i] {
				l.sales = append(l.sales, all[i])
			}
		}
	} else {
		l.draw(id)
		l.mainAmounts(id, func(customer int32, year int, amount int64) {
			l.sales = append(l.sales, sale{customer, int16(year), false, amount})
		})
		for i := range l.stretch {
			p := &l.stretch[i]
			for y := int(p.from); y <= int(p.to); y++ {
				if a := l.parts[y-l.o.From].small(p.weight); a >= l.c.Network.Least {
					l.sales = append(l.sales, sale{p.buyer, int16(y), false, int64(a)})
				}
			}
		}
	}
	return l.sorted()
}

// sorted returns the sales by customer and year, of which no two have the same.
func (l *links) sorted() []sale {
	const indexBits, yearBits = 26, 6 // a window has at most 64 years
	l.order = sized(l.order, len(l.sales))
	for i := range l.sales {
		p := &l.sales[i]
		l.order[i] = uint64(p.customer)<<(yearBits+indexBits) | uint64(int(p.year)-l.o.From)<<indexBits | uint64(i)
	}
	slices.Sort(l.order)
	l.doubtful = sized(l.doubtful, len(l.sales))
	for k, x := range l.order {
		l.doubtful[k] = l.sales[x&(1<<indexBits-1)]
	}
	return l.doubtful
}

// candidates draws a seller's sales, books them on the customers' purchases but
// for those to main buyers, which are booked, and returns those that may be main
// ones: of each year the five largest, which are marked, and those that are a large
// part of what the customer is known to buy so far.
func (l *links) candidates(id int32) []sale {
	l.sales = l.sales[:0]
	l.draw(id)
	l.mainAmounts(id, func(customer int32, year int, amount int64) {
		l.sales = append(l.sales, sale{customer, int16(year), false, amount})
	})
	for i := range l.sales {
		// No small link outdoes a main one.
		l.sales[i].main = l.parts[int(l.sales[i].year)-l.o.From].mains == mainPlaces
	}
	least, years := l.c.Network.Least, len(l.parts)
	l.doubtful = l.doubtful[:0]
	for i := range l.stretch {
		p := &l.stretch[i]
		waiting := l.bought.room(p.buyer, years)
		for y := int(p.from) - l.o.From; y <= int(p.to)-l.o.From; y++ {
			part := &l.parts[y]
			a := part.small(p.weight)
			if a < least {
				continue
			}
			amount := int64(a)
			waiting = append(waiting, l.bought.waits(p.buyer, y, amount))
			if part.mains < mainPlaces {
				l.sales = append(l.sales, sale{p.buyer, int16(y + l.o.From), false, amount})
			} else if a >= float64(p.floor) {
				l.doubtful = append(l.doubtful, sale{p.buyer, int16(y + l.o.From), false, amount})
			}
		}
		l.bought.wait(p.buyer, waiting)
	}
	l.limits = sized(l.limits, len(l.doubtful))
	for i := range l.doubtful { // each look-up waits for memory, together they wait once
		x := &l.doubtful[i]
		l.limits[i] = float64(l.net.purchases.floorsOf(x.customer)[int(x.year)-l.o.From])
	}
	for i := range l.doubtful {
		if float64(l.doubtful[i].amount) >= l.limits[i] {
			l.sales = append(l.sales, l.doubtful[i])
		}
	}
	l.mark()
	return l.sales
}

// mark marks the five largest sales of each year with fewer than five main ones,
// the lower customer of equal ones first.
func (l *links) mark() {
	years := l.o.To - l.o.From + 1
	var top [64][mainPlaces]int
	for y := range years {
		top[y] = [mainPlaces]int{-1, -1, -1, -1, -1}
	}
	for i := range l.sales {
		p := &l.sales[i]
		y := int(p.year) - l.o.From
		if l.parts[y].mains == mainPlaces {
			continue
		}
		at := i
		for j, k := range top[y] {
			if k < 0 || l.sales[at].before(&l.sales[k]) {
				top[y][j], at = at, k
				if at < 0 {
					break
				}
			}
		}
	}
	for _, row := range top[:years] {
		for _, k := range row {
			if k >= 0 {
				l.sales[k].main = true
			}
		}
	}
}

// before reports whether p outranks q among the sales of a year.
func (p *sale) before(q *sale) bool {
	return p.amount > q.amount || p.amount == q.amount && p.customer < q.customer
}

// takeFloors copies the floors of a generation.
func (l *links) takeFloors(generation int) {
	if l.floors == generation {
		return
	}
	l.floors = generation
	for id := range l.seen {
		l.seen[id].floor = l.net.asBuyer[id].floor
	}
}

// purchaseChunk is how many sellers' purchases are added up at a time.
const purchaseChunk = 512

// drawPurchases adds up what every employer buys in every year, over all links,
// and keeps the sales of sellers from to before that may be main ones: the sums
// so far say which cannot.
func (s *skeleton) drawPurchases(ctx context.Context, from, before int) error {
	w, n := s.net, len(s.employers)
	w.kept, w.keptFrom, w.purchases = make([][]sale, before-from), from, newPurchases(n, s.o)
	free := make(chan *links, runtime.GOMAXPROCS(0)) // buffers to be used again
	// round runs f over the chunks number first, first + step, ...
	generation := 0
	round := func(first, step int, f func(l *links, lo, hi int)) error {
		err := par.Do(ctx, par.Count(max(0, par.Count(n, purchaseChunk)-first), step), func(k int) error {
			var l *links
			select {
			case l = <-free:
			default:
				l = s.newLinks()
				l.bought = w.purchases.buffer()
			}
			l.takeFloors(generation)
			lo := (first + k*step) * purchaseChunk
			f(l, lo, min(n, lo+purchaseChunk))
			l.bought.flush()
			select {
			case free <- l:
			default:
			}
			return nil
		})
		if err != nil {
			return err
		}
		generation++
		w.purchases.makeFloors()
		return par.Chunks(ctx, n, 1<<14, func(_, lo, hi int) error {
			w.purchases.setFloors(lo, hi, s.c.Network.MainPart)
			for id := lo; id < hi; id++ {
				e, floors := &s.employers[id], w.purchases.floorsOf(int32(id))
				w.asBuyer[id].floor = slices.Min(floors[max(s.o.From, int(e.first))-s.o.From : max(s.o.From, int(e.last))-s.o.From+1])
			}
			return nil
		})
	}
	if err := round(0, 1, s.bookMains); err != nil {
		return err
	}
	keep := func(l *links, lo, hi int) {
		all := l.room[:0]
		var at [purchaseChunk + 1]int
		for id := lo; id < hi; id++ {
			if r := w.reach[id]; r == r {
				if c := l.candidates(int32(id)); id >= from && id < before {
					all = append(all, c...)
				}
			}
			at[id-lo+1] = len(all)
		}
		l.room = all
		all = slices.Clone(all)
		for id := max(lo, from); id < min(hi, before); id++ {
			w.kept[id-from] = all[at[id-lo]:at[id-lo+1]]
		}
	}
	const first = 16 // one chunk in so many begins, later rounds are as large as all before
	if err := round(0, first, keep); err != nil {
		return err
	}
	for step := first; step > 1; step /= 2 {
		if err := round(step/2, step, keep); err != nil {
			return err
		}
	}
	return nil
}

// bookMains books the purchases from main suppliers lo to hi.
func (s *skeleton) bookMains(l *links, lo, hi int) {
	for id := int32(lo); id < int32(hi); id++ {
		if s.net.at[id] == s.net.at[id+1] {
			continue
		}
		e, luck := &s.employers[id], s.luckOf(id)
		for year := max(s.o.From, int(e.first)); year <= int(e.last); year++ {
			l.divide(id, year, luck)
		}
		l.mainAmounts(id, func(customer int32, year int, amount int64) { l.bought.add(customer, year-s.o.From, amount) })
	}
}

// prepareLinks readies the drawing of all links, which the rest of the skeleton
// does without, and where main ones are listed the sums that tell them; the links
// of sellers from to before are to be asked for.
func (s *skeleton) prepareLinks(ctx context.Context, from, before int) error {
	if s.net == nil {
		return nil
	}
	err := par.Do(ctx, len(s.net.years), func(y int) error {
		s.net.years[y].small = s.newBuyerTable(s.o.From+y, s.c.Network.AttachSmall)
		return nil
	})
	if err != nil || s.o.Suppliers == "full" {
		return err
	}
	return s.drawPurchases(ctx, from, before)
}

// suppliersFrame returns the links that the options ask for: all of them, the
// main ones, or none.
func (s *skeleton) suppliersFrame(ctx context.Context) (*frame.Frame, error) {
	if err := s.prepareLinks(ctx, 0, len(s.employers)); err != nil {
		return nil, err
	}
	var all linkColumns
	n := len(s.employers)
	err := par.InOrder(ctx, par.Count(n, networkChunk), func(chunk int) (*linkColumns, error) {
		c := &linkColumns{}
		s.listLinks(c, chunk*networkChunk, min(n, (chunk+1)*networkChunk))
		return c, ctx.Err()
	}, func(_ int, c *linkColumns) error {
		all.supplier, all.customer = append(all.supplier, c.supplier...), append(all.customer, c.customer...)
		all.year, all.amount = append(all.year, c.year...), append(all.amount, c.amount...)
		return nil
	})
	return all.frame(), err
}

// linkColumns are the vectors of the suppliers table while it is being filled.
type linkColumns struct {
	supplier, customer, year []int32
	amount                   []int64
	from                     *links // its buffers
}

// listLinks fills columns with the links of sellers lo to hi, once links are
// prepared.
func (s *skeleton) listLinks(c *linkColumns, lo, hi int) {
	c.supplier, c.customer, c.year, c.amount = c.supplier[:0], c.customer[:0], c.year[:0], c.amount[:0]
	if s.net == nil {
		return
	}
	if c.from == nil && s.net.purchases == nil {
		c.from = s.newLinks()
	} else if c.from == nil {
		c.from = &links{skeleton: s}
	}
	for id := lo; id < hi; id++ {
		for _, p := range c.from.of(int32(id)) {
			c.supplier, c.customer = append(c.supplier, int32(id+1)), append(c.customer, p.customer+1)
			c.year, c.amount = append(c.year, int32(p.year)), append(c.amount, p.amount)
		}
	}
}

func (c *linkColumns) frame() *frame.Frame {
	return frame.Must(frame.Ints("supplier_id", c.supplier), frame.Ints("customer_id", c.customer),
		frame.Ints("year", c.year), frame.Longs("amount", c.amount))
}

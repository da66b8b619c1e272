package population

import (
	"context"
	"math"
	"slices"
	"sync/atomic"

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
	r       rng.Stream
	stamp   []int32 // by employer: the seller's year in which it was last seen as a buyer
	now     int32
	stretch []smallLink
	alive   []int32 // indices of stretches that last
	sales   []sale
	life    [16][16]uint16 // by sixteenth of the weights: chance of a link to outlast so many years, of 2^16
	weights [1024]float32
	large   []float64 // by year of the window: share of small links drawn among the large
	parts   []yearSales
}

// smallLink is a stretch of years in which a seller sells to a buyer beside its
// main ones; weight is relative to the seller's others.
type smallLink struct {
	buyer    int32
	weight   float32
	from, to int16
}

// yearSales is what a year of a seller is divided by.
type yearSales struct {
	places        [mainPlaces]float64
	sales, others float64
	weight        float64 // of all small links
}

func (s *skeleton) newLinks() *links {
	l := &links{skeleton: s, stamp: make([]int32, len(s.employers)), parts: make([]yearSales, s.o.To-s.o.From+1)}
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

// draw draws the stretches of a seller's small links: those with which it
// answers main suppliers of its own, and random ones up to its number of buyers.
func (l *links) draw(id int32) {
	s, w, x := l.skeleton, l.net, &l.c.Network
	e := &s.employers[id]
	l.stretch, l.alive = l.stretch[:0], l.alive[:0]
	s.key.Reseed(&l.r, stageSmallLinks, uint64(id))
	luck := s.luckOf(id)
	mains := w.mains[w.at[id]:w.at[id+1]]
	back := w.back[w.from[id]:w.from[id+1]]
	for year := max(s.o.From, int(e.first)); year <= int(e.last); year++ {
		buyers := s.reachOf(id, year)
		part := &l.parts[year-s.o.From]
		part.places, part.others = s.split(buyers, luck)
		part.sales, part.weight = s.turnover(id, year)*x.Sales, 0
		l.now++
		l.stamp[id] = l.now
		count := 0
		for i := range mains {
			if int(mains[i].from) <= year && year <= int(mains[i].to) {
				l.stamp[mains[i].buyer] = l.now
				count++
			}
		}
		keep := l.alive[:0]
		for _, k := range l.alive {
			p := &l.stretch[k]
			if int(p.to) < year {
				continue
			}
			if b := p.buyer; l.stamp[b] == l.now || !w.present(b, year) {
				p.to = int16(year - 1)
				continue
			}
			l.stamp[p.buyer] = l.now
			keep = append(keep, k)
			count++
		}
		l.alive = keep
		if part.others == 0 {
			for _, k := range l.alive {
				l.stretch[k].to = int16(year - 1)
			}
			l.alive = l.alive[:0]
			continue
		}
		begin := func(buyer int32, to int, bitsOfWeight uint64) {
			l.stamp[buyer] = l.now
			l.alive = append(l.alive, int32(len(l.stretch)))
			weight := l.weights[bitsOfWeight&1023] * w.buys[buyer]
			l.stretch = append(l.stretch, smallLink{buyer, weight, int16(year), int16(min(to, int(e.last)))})
			count++
		}
		for _, k := range back {
			if m := &w.mains[k]; int(m.from) == year && l.stamp[m.seller] != l.now && l.r.Bool(x.Return) {
				begin(m.seller, int(m.to), l.r.Uint64())
			}
		}
		large := min(.95, x.Large*math.Exp(x.LargeBy*math.Log(float64(buyers)/x.TopAt)))
		m := &w.years[year-s.o.From]
		for tries := 3 * (buyers - count); count < buyers && tries > 0; tries-- {
			a := l.r.Uint64()
			c := m.draw(s, e, float64(a>>54) < 0x1p10*large, a, l.r.Uint64())
			if c < 0 || l.stamp[c] == l.now {
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
	l.weigh()
}

// weigh adds up the weights of small links by year.
func (l *links) weigh() {
	for i := range l.stretch {
		p := &l.stretch[i]
		for y := p.from; y <= p.to; y++ {
			l.parts[int(y)-l.o.From].weight += float64(p.weight)
		}
	}
}

// recall takes the small links of a seller that were kept.
func (l *links) recall(id int32) {
	e, luck := &l.employers[id], l.luckOf(id)
	for year := max(l.o.From, int(e.first)); year <= int(e.last); year++ {
		part := &l.parts[year-l.o.From]
		part.places, part.others = l.split(l.reachOf(id, year), luck)
		part.sales, part.weight = l.turnover(id, year)*l.c.Network.Sales, 0
	}
	l.stretch = append(l.stretch[:0], l.net.kept[int(id)-l.net.keptFrom]...)
	l.weigh()
}

// amounts calls f with every sale of the seller that was drawn last. No small
// link outdoes a main one, and sales under the threshold of the listing are
// not reported.
func (l *links) amounts(id int32, f func(customer int32, year int, amount int64)) {
	s, least := l.skeleton, l.c.Network.Least
	for _, m := range l.net.mains[l.net.at[id]:l.net.at[id+1]] {
		for y := int(m.from); y <= int(m.to); y++ {
			part := &l.parts[y-s.o.From]
			if a := part.sales * part.places[m.place]; a >= least {
				f(m.buyer, y, int64(a))
			}
		}
	}
	for i := range l.stretch {
		p := &l.stretch[i]
		for y := int(p.from); y <= int(p.to); y++ {
			part := &l.parts[y-s.o.From]
			a := part.sales * min(part.others*float64(p.weight)/part.weight, .95*part.places[mainPlaces-1])
			if a >= least {
				f(p.buyer, y, int64(a))
			}
		}
	}
}

// of returns the sales of a seller by customer and year: all of them, or the
// main ones if purchases are known. The slice is valid until the next call.
func (l *links) of(id int32) []sale {
	l.sales = l.sales[:0]
	if r := l.net.reach[id]; r != r {
		return nil
	}
	if k := int(id) - l.net.keptFrom; k >= 0 && k < len(l.net.kept) {
		l.recall(id)
	} else {
		l.draw(id)
	}
	l.amounts(id, func(customer int32, year int, amount int64) {
		l.sales = append(l.sales, sale{customer, int16(year), false, amount})
	})
	if l.net.purchases != nil {
		l.mark()
		l.sales = slices.DeleteFunc(l.sales, func(p sale) bool { return !p.main })
	}
	slices.SortFunc(l.sales, func(a, b sale) int {
		if a.customer != b.customer {
			return int(a.customer) - int(b.customer)
		}
		return int(a.year) - int(b.year)
	})
	return l.sales
}

// mark marks main links: of each year the five largest, the lower customer of
// equal ones first, and those that are a large part of the customer's purchases.
func (l *links) mark() {
	years := l.o.To - l.o.From + 1
	var top [64][mainPlaces]int
	for y := range years {
		top[y] = [mainPlaces]int{-1, -1, -1, -1, -1}
	}
	for i := range l.sales {
		p := &l.sales[i]
		y := int(p.year) - l.o.From
		p.main = float64(p.amount) >= l.c.Network.MainPart*float64(l.net.purchases[int(p.customer)*years+y])
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

// drawPurchases adds up what every employer buys in every year, over all links,
// and keeps the small links of sellers from to before.
func (s *skeleton) drawPurchases(ctx context.Context, from, before int) error {
	s.net.kept, s.net.keptFrom = make([][]smallLink, before-from), from
	years := s.o.To - s.o.From + 1
	sums := make([]int64, len(s.employers)*years)
	err := par.Chunks(ctx, len(s.employers), networkChunk, func(_, lo, hi int) error {
		l := s.newLinks()
		for id := lo; id < hi; id++ {
			if r := s.net.reach[id]; r != r {
				continue
			}
			l.draw(int32(id))
			l.amounts(int32(id), func(customer int32, year int, amount int64) {
				atomic.AddInt64(&sums[int(customer)*years+year-s.o.From], amount)
			})
			if id >= from && id < before {
				s.net.kept[id-from] = slices.Clone(l.stretch)
			}
		}
		return nil
	})
	s.net.purchases = sums
	return err
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
	return s.linksOf(ctx, 0, len(s.employers))
}

// linksOf returns the links of sellers lo to hi, once links are prepared.
func (s *skeleton) linksOf(ctx context.Context, lo, hi int) (*frame.Frame, error) {
	type columns struct {
		supplier, customer, year []int32
		amount                   []int64
	}
	var all columns
	if s.net != nil {
		err := par.InOrder(ctx, par.Count(hi-lo, networkChunk), func(chunk int) (columns, error) {
			var c columns
			l := s.newLinks()
			for id := lo + chunk*networkChunk; id < min(hi, lo+(chunk+1)*networkChunk); id++ {
				for _, p := range l.of(int32(id)) {
					c.supplier, c.customer = append(c.supplier, int32(id+1)), append(c.customer, p.customer+1)
					c.year, c.amount = append(c.year, int32(p.year)), append(c.amount, p.amount)
				}
			}
			return c, ctx.Err()
		}, func(_ int, c columns) error {
			all.supplier, all.customer = append(all.supplier, c.supplier...), append(all.customer, c.customer...)
			all.year, all.amount = append(all.year, c.year...), append(all.amount, c.amount...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return frame.New(frame.Ints("supplier_id", all.supplier), frame.Ints("customer_id", all.customer),
		frame.Ints("year", all.year), frame.Longs("amount", all.amount))
}

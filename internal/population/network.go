package population

import (
	"context"
	"math"

	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// network is who buys from whom. The few main buyers of each seller are drawn
// once and kept: planted effects on suppliers run through them. The many small
// links are drawn from the seller's own stream whenever it is emitted
// ([links.of]), so that they need no memory and any block of sellers can be
// written anywhere.
type network struct {
	reach   []float32 // by employer: log number of buyers at one head; NaN for those that do not sell to the frame
	asBuyer []asBuyer // by employer
	mains   []mainLink
	at      []int32        // by employer: its first main link; one more at the end
	back    []int32        // main links by buyer,
	from    []int32        // and where each buyer's begin
	years   []buyerMarkets // by year of the window
	// purchases are known where main links are to be told from others, and with
	// them the sales of sellers keptFrom on that may be main ones.
	purchases *purchases
	kept      [][]sale
	keptFrom  int
}

// asBuyer is what a draw of small links asks of a buyer.
type asBuyer struct {
	factor float32 // on what it buys from one seller
	floor  float32 // no less is a large part of what it buys in any year
	last   int16   // year-end with staff
}

// mainLink is a stretch of years in which a buyer holds one of the first places
// of a seller.
type mainLink struct {
	seller, buyer int32
	from, to      int16
	place         uint8
}

const (
	networkChunk = 2048
	mainPlaces   = 5
)

// turnover is an employer's sales of a year in euro, from its latent size, so
// that planted effects on staff leave the network alone.
func (s *skeleton) turnover(id int32, year int) float64 { return s.sales[s.salesAt[id]+int32(year)] }

// bookSales computes the turnover of all employers, which nearly everything asks
// for.
func (s *skeleton) bookSales() {
	n, total := len(s.employers), int32(0)
	s.salesAt = make([]int32, n)
	for id := range s.employers {
		e := &s.employers[id]
		s.salesAt[id] = total - int32(e.first)
		total += int32(len(e.latent))
	}
	s.sales = make([]float64, total)
	_ = par.Chunks(context.Background(), n, networkChunk, func(_, lo, hi int) error {
		for id := int32(lo); id < int32(hi); id++ {
			for year := int(s.employers[id].first); year <= int(s.employers[id].last); year++ {
				s.sales[s.salesAt[id]+int32(year)] = s.salesOf(id, year)
			}
		}
		return nil
	})
}

func (s *skeleton) salesOf(id int32, year int) float64 {
	e := &s.employers[id]
	u := float64(s.key.Uint64(stageAccounts, entityYear(id, year))>>11) * 0x1p-53
	x, size := &s.c.Accounts, e.size(year)
	beyond := s.c.Sectors[e.sector].Sales * math.Exp(float64(e.sales)+float64(x.SalesBySize*math.Log(size/x.SalesAt)))
	return size * 1000 * (x.SalesLeast + beyond) * math.Exp(s.priceOf(year)-s.priceOf(s.c.Window.Anchors[1])+2*x.Spread*(u-.5))
}

// drawNetwork draws the number of buyers of every seller and its main buyers.
func (s *skeleton) drawNetwork(ctx context.Context) error {
	if s.o.Suppliers == "none" {
		return nil
	}
	n := len(s.employers)
	w := &network{reach: make([]float32, n), asBuyer: make([]asBuyer, n)}
	s.net = w
	s.drawReach()
	years := s.o.To - s.o.From + 1
	sectors := s.sectorBits()
	w.years = make([]buyerMarkets, years)
	if err := par.Do(ctx, years, func(y int) error {
		m := &w.years[y]
		m.main = s.newBuyerTable(s.o.From+y, s.c.Network.AttachMain)
		m.buyers, m.sectorOf = len(m.main.entries)/2, sectors
		m.ownArea = uint32(0x1p16 * s.c.Network.SameArea)
		return nil
	}); err != nil {
		return err
	}
	s.exposure = make([][][5]float64, n)
	parts := make([][]mainLink, par.Count(n, networkChunk))
	err := par.Chunks(ctx, n, networkChunk, func(chunk, lo, hi int) error {
		var r rng.Stream
		for id := lo; id < hi; id++ {
			parts[chunk] = s.drawMains(int32(id), &r, parts[chunk])
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.index(n, parts)
	return nil
}

// index joins the main links, which come sorted by seller, and sorts them by
// buyer besides.
func (w *network) index(n int, parts [][]mainLink) {
	w.at, w.from = make([]int32, n+1), make([]int32, n+1)
	for _, p := range parts {
		w.mains = append(w.mains, p...)
	}
	for _, l := range w.mains {
		w.at[l.seller+1]++
		w.from[l.buyer+1]++
	}
	for i := range n {
		w.at[i+1] += w.at[i]
		w.from[i+1] += w.from[i]
	}
	w.back = make([]int32, len(w.mains))
	next := append([]int32(nil), w.from...)
	for i, l := range w.mains {
		w.back[next[l.buyer]] = int32(i)
		next[l.buyer]++
	}
}

// drawReach decides who sells to the frame and to how many: log-linear in size
// with a spread, scaled by sector so that links have the wanted number and each
// buyer's suppliers the wanted mix of sectors.
func (s *skeleton) drawReach() {
	w, x := s.net, &s.c.Network
	mid := (s.o.From + s.o.To) / 2
	sectors := len(s.c.Sectors)
	have, into := make([]float64, sectors), make([]float64, sectors)
	present := 0.0
	var r rng.Stream
	for id := range s.employers {
		e := &s.employers[id]
		year := min(max(mid, int(e.first)), int(e.last))
		w.asBuyer[id] = asBuyer{factor: float32(math.Pow(e.size(year), x.BuyBySize)), last: e.last}
		s.key.Reseed(&r, stageNetwork, uint64(id)|1<<62)
		w.reach[id] = float32(math.NaN())
		if sells := r.Bool(s.c.Sectors[e.sector].Network); sells {
			w.reach[id] = float32(x.DegreeSD * r.Normal())
			if e.present(mid) {
				have[e.sector] += math.Exp(float64(w.reach[id]) + float64(x.DegreeBy*math.Log(e.size(mid))))
			}
		}
		if e.present(mid) {
			present++
			into[e.sector] += math.Pow(e.size(mid), x.AttachSmall)
		}
	}
	total := 0.0
	for _, d := range into {
		total += d
	}
	links := min(x.Degree, present/mainPlaces) * present
	scale := make([]float64, sectors)
	for a := range scale {
		share := 0.0
		for b := range into {
			share += into[b] / total * s.supplierShare(a, b)
		}
		scale[a] = math.Log(max(1e-9, links*share/max(1, have[a])))
	}
	for id := range s.employers {
		w.reach[id] += float32(scale[s.employers[id].sector])
	}
	s.buyerSectors = make([][]float64, sectors)
	for a := range s.buyerSectors {
		row := make([]float64, sectors)
		for b := range row {
			row[b] = into[b] / total * s.supplierShare(a, b)
		}
		s.buyerSectors[a] = cumulate(row)
	}
}

// supplierShare is the share of sector a among the suppliers of a buyer of
// sector b.
func (s *skeleton) supplierShare(a, b int) float64 {
	x, own := &s.c.Network, s.c.Network.Own[s.c.Sectors[b].Code]
	p := (1 - own) * x.Mix[s.c.Sectors[a].Code]
	if a == b {
		p += own
	}
	return p
}

// reachOf is the number of buyers that a seller has in a year.
func (s *skeleton) reachOf(id int32, year int) int {
	k := math.Exp(float64(s.net.reach[id]) + float64(s.c.Network.DegreeBy*math.Log(s.employers[id].size(year))))
	return max(1, min(int(math.Round(k)), s.net.years[year-s.o.From].buyers/4))
}

// split divides a seller's sales among its main buyers, largest first, and the
// others together; luck is the seller's own departure. The others are never so
// many that one of them would have to be a main buyer.
func (s *skeleton) split(buyers int, luck float64) (places [mainPlaces]float64, others float64) {
	x := &s.c.Network
	if buyers == 1 {
		places[0] = 1
		return places, 0
	}
	places[0] = min(x.TopLimits[1], max(x.TopLimits[0], x.TopShare+float64(x.TopByDegree*math.Log(float64(buyers)/x.TopAt))+float64(x.TopSD*luck)))
	weight, sum := 1.0, 0.0
	for j := 1; j < min(mainPlaces, buyers); j++ {
		places[j] = weight
		sum, weight = sum+weight, weight*x.Decay
	}
	next := 1 - places[0]
	if buyers > mainPlaces {
		next *= x.Next
	}
	// The second must not exceed the first.
	next = min(next, places[0]*sum)
	total := places[0] + next
	for j := 1; j < mainPlaces; j++ {
		places[j] *= next / sum
	}
	if buyers > mainPlaces {
		others = min(1-total, x.OthersMost*float64(buyers-mainPlaces)*places[mainPlaces-1])
	}
	total += others
	for j := range places {
		places[j] /= total
	}
	return places, others / total
}

// luckOf is a seller's own departure from the usual split.
func (s *skeleton) luckOf(id int32) float64 {
	r := s.key.Stream(stageNetwork, uint64(id)|1<<61)
	return r.Normal()
}

// drawMains fills the first places of a seller year by year: a buyer stays with
// a fixed probability, more so the largest, and is replaced by one that is large
// enough to take what it sells, if a few draws find one.
func (s *skeleton) drawMains(id int32, r *rng.Stream, out []mainLink) []mainLink {
	e, x := &s.employers[id], &s.c.Network
	if s.net.reach[id] != s.net.reach[id] {
		return out
	}
	s.key.Reseed(r, stageNetwork, uint64(id))
	luck := s.luckOf(id)
	var held [mainPlaces]int32 // index in out of the link that holds the place, -1 for none
	for j := range held {
		held[j] = -1
	}
	for year := max(s.o.From, int(e.first)); year <= int(e.last); year++ {
		sales := s.turnover(id, year) * x.Sales
		places, _ := s.split(s.reachOf(id, year), luck)
		for j := range held {
			keep := x.KeepMain
			if j == 0 {
				keep = x.KeepTop
			}
			if places[j] == 0 {
				held[j] = -1
				continue
			}
			if k := held[j]; k >= 0 && s.employers[out[k].buyer].present(year) && r.Bool(keep) {
				out[k].to = int16(year)
			} else {
				held[j] = -1
				if c := s.drawMain(id, year, places[j]*sales, held[:], out, r); c >= 0 {
					held[j] = int32(len(out))
					out = append(out, mainLink{id, c, int16(year), int16(year), uint8(j)})
				}
			}
			if held[j] < 0 {
				continue
			}
			if k, ok := at(year, int(s.employers[out[held[j]].buyer].event)); ok {
				if s.exposure[id] == nil {
					s.exposure[id] = make([][5]float64, int(e.last)-int(e.first)+1)
				}
				s.exposure[id][year-int(e.first)][k] += places[j]
			}
		}
	}
	return out
}

// drawMain returns a buyer that can take the amount, else the largest of those
// looked at; -1 if all were the seller or buyers of it already.
func (s *skeleton) drawMain(id int32, year int, amount float64, held []int32, out []mainLink, r *rng.Stream) int32 {
	best, size := int32(-1), 0.0
	e, m := &s.employers[id], &s.net.years[year-s.o.From]
	for looked := 0; looked < s.c.Network.Tries; looked++ {
		c := m.draw(e, true, r.Uint64(), r.Uint64())
		known := c == id || c < 0
		for _, h := range held {
			known = known || h >= 0 && out[h].buyer == c
		}
		if known {
			continue
		}
		t := s.turnover(c, year) * s.c.Network.Sales
		if t > size {
			best, size = c, t
		}
		if t >= amount {
			break
		}
	}
	return best
}

// exposureOf returns the shares of an employer's sales to the frame that go to
// main buyers at each event time, nil where there are none.
func (s *skeleton) exposureOf(id int32, year int) *[5]float64 {
	if s.exposure == nil || s.exposure[id] == nil {
		return nil
	}
	y := year - int(s.employers[id].first)
	if y < 0 || y >= len(s.exposure[id]) {
		return nil
	}
	return &s.exposure[id][y]
}

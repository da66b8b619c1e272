package population

import (
	"cmp"
	"context"
	"math"
	"slices"

	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

// link is one seller's sales to one of its main buyers in one year.
type link struct {
	supplier, customer int32
	year               int32
	amount             int64
}

const networkChunk = 2048

// turnover is an employer's sales of a year in euro, from its latent size, so
// that planted effects on staff leave the network alone.
func (s *skeleton) turnover(id int32, year int) float64 {
	e := &s.employers[id]
	u := float64(s.key.Uint64(stageAccounts, entityYear(id, year))>>11) * 0x1p-53
	return e.size(year) * s.c.Sectors[e.sector].Sales * 1000 * math.Exp(float64(e.sales)+s.priceOf(year)-s.priceOf(s.c.Window.Anchors[1])+2*s.c.Accounts.Spread*(u-.5))
}

// drawNetwork links sellers to their main buyers: up to five, the largest
// first, each kept from year to year with a fixed probability and replaced by a
// buyer drawn in proportion to a power of its size, often of the same region.
func (s *skeleton) drawNetwork(ctx context.Context) error {
	if s.o.Suppliers == "none" {
		return nil
	}
	regions := len(s.c.Regions)
	years := s.o.To - s.o.From + 1
	ids, cums := make([][][]int32, years), make([][][]float64, years)
	err := par.Do(ctx, years, func(y int) error {
		ids[y], cums[y] = make([][]int32, regions+1), make([][]float64, regions+1)
		for id := range s.employers {
			e := &s.employers[id]
			if !e.present(s.o.From + y) {
				continue
			}
			w := math.Pow(e.size(s.o.From+y), s.c.Network.Attach)
			for _, r := range [2]int{int(e.region), regions} {
				last := 0.0
				if n := len(cums[y][r]); n > 0 {
					last = cums[y][r][n-1]
				}
				ids[y][r], cums[y][r] = append(ids[y][r], int32(id)), append(cums[y][r], last+w)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.exposure = make([][][5]float64, len(s.employers))
	parts := make([][]link, par.Count(len(s.employers), networkChunk))
	err = par.Chunks(ctx, len(s.employers), networkChunk, func(chunk, lo, hi int) error {
		var r rng.Stream
		for id := lo; id < hi; id++ {
			s.key.Reseed(&r, stageNetwork, uint64(id))
			mine := len(parts[chunk])
			parts[chunk] = s.sellTo(int32(id), ids, cums, &r, parts[chunk])
			slices.SortFunc(parts[chunk][mine:], func(a, b link) int {
				return cmp.Or(cmp.Compare(a.customer, b.customer), cmp.Compare(a.year, b.year))
			})
		}
		return nil
	})
	s.links = slices.Concat(parts...)
	return err
}

func (s *skeleton) sellTo(id int32, ids [][][]int32, cums [][][]float64, r *rng.Stream, out []link) []link {
	e, n := &s.employers[id], s.c.Network
	if !r.Bool(s.c.Sectors[e.sector].Network) {
		return out
	}
	buyers := 1 + pick(cumulate(n.Buyers[:]), r.Float64())
	top := min(n.TopRange[1], max(n.TopRange[0], n.TopShare+float64(n.TopSD*r.Normal())))
	shares := make([]float64, buyers)
	sum, w := top, 1.0
	shares[0] = top
	for j := 1; j < buyers; j++ {
		shares[j] = (1 - top) * w * (1 - n.Decay) * n.Rest
		sum, w = sum+shares[j], w*n.Decay
	}
	held := make([]int32, buyers)
	for j := range held {
		held[j] = -1
	}
	for year := max(s.o.From, int(e.first)); year <= int(e.last); year++ {
		y := year - s.o.From
		sales := s.turnover(id, year)
		for j := range held {
			if c := held[j]; c < 0 || !s.employers[c].present(year) || !r.Bool(n.Keep) {
				held[j] = s.drawBuyer(id, held, ids[y], cums[y], int(e.region), r)
			}
			c := held[j]
			if c < 0 {
				continue
			}
			out = append(out, link{id, c, int32(year), int64(max(1, math.Round(sales*shares[j])))})
			if k, ok := at(year, int(s.employers[c].event)); ok {
				if s.exposure[id] == nil {
					s.exposure[id] = make([][5]float64, int(e.last)-int(e.first)+1)
				}
				s.exposure[id][year-int(e.first)][k] += shares[j] / sum
			}
		}
	}
	return out
}

// drawBuyer returns a buyer that is neither the seller nor one of its present
// buyers, -1 if a few draws find none.
func (s *skeleton) drawBuyer(id int32, held []int32, ids [][]int32, cums [][]float64, region int, r *rng.Stream) int32 {
	for range 8 {
		table := len(ids) - 1
		if r.Bool(s.c.Network.SameRegion) && len(ids[region]) > 0 {
			table = region
		}
		c := ids[table][pick(cums[table], r.Float64())]
		known := c == id
		for _, h := range held {
			known = known || h == c
		}
		if !known {
			return c
		}
	}
	return -1
}

// exposureOf returns the shares of an employer's listed sales that go to buyers
// at each event time, nil where there are none.
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

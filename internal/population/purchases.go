package population

import (
	"math"
	"sync"
)

// purchases are what every employer buys in every year of the window, added up
// by several goroutines.
type purchases struct {
	years, from int
	sums        []int64      // employer x year
	floors      []float32    // employer x year: no less is a large part of the purchases
	locks       []sync.Mutex // by shelf
}

// A shelf is a run of employers whose sums fit into a processor's cache.
const (
	shelfBits = 10
	shelfRoom = 256 // purchases that wait for their shelf
)

func newPurchases(employers int, o Options) *purchases {
	years := o.To - o.From + 1
	return &purchases{years: years, from: o.From, sums: make([]int64, employers*years), locks: make([]sync.Mutex, employers>>shelfBits+1)}
}

// of returns what an employer buys in a year.
func (p *purchases) of(id int32, year int) int64 { return p.sums[int(id)*p.years+year-p.from] }

// floorsOf returns an employer's floors by year of the window.
func (p *purchases) floorsOf(id int32) []float32 { return p.floors[int(id)*p.years:][:p.years] }

// makeFloors makes room for floors.
func (p *purchases) makeFloors() { p.floors = sized(p.floors, len(p.sums)) }

// setFloors takes a part of the purchases of employers lo to hi so far as the
// least that can be that part of the final ones, rounded down.
func (p *purchases) setFloors(lo, hi int, part float64) {
	for i := lo * p.years; i < hi*p.years; i++ {
		f := part * float64(p.sums[i])
		if p.floors[i] = float32(f); float64(p.floors[i]) > f {
			p.floors[i] = math.Nextafter32(p.floors[i], 0)
		}
	}
}

// purchaseBuffer collects purchases of one goroutine by shelf.
type purchaseBuffer struct {
	*purchases
	waiting [][]waitingPurchase
}

// waitingPurchase is an amount in euro and its place on the shelf, in the lower
// shelfBits + 6 bits: a window has at most 64 years.
type waitingPurchase uint64

const placeBits = shelfBits + 6

func (p *purchases) buffer() *purchaseBuffer {
	b := &purchaseBuffer{p, make([][]waitingPurchase, len(p.locks))}
	all := make([]waitingPurchase, len(p.locks)*shelfRoom)
	for k := range b.waiting {
		b.waiting[k], all = all[:0:shelfRoom], all[shelfRoom:]
	}
	return b
}

// add books an amount; year counts from the first of the window.
func (b *purchaseBuffer) add(id int32, year int, amount int64) {
	b.wait(id, append(b.room(id, 1), b.waits(id, year, amount)))
}

// room returns what waits for the shelf of an employer, with room for n more
// that are handed back to wait.
func (b *purchaseBuffer) room(id int32, n int) []waitingPurchase {
	if w := b.waiting[id>>shelfBits]; len(w)+n <= cap(w) {
		return w
	}
	b.put(int(id >> shelfBits))
	return b.waiting[id>>shelfBits]
}

func (b *purchaseBuffer) wait(id int32, w []waitingPurchase) { b.waiting[id>>shelfBits] = w }

func (b *purchaseBuffer) waits(id int32, year int, amount int64) waitingPurchase {
	return waitingPurchase(amount)<<placeBits | waitingPurchase(int(id)&(1<<shelfBits-1)*b.years+year)
}

// put adds what waits for a shelf to it.
func (b *purchaseBuffer) put(k int) {
	sums := b.sums[k<<shelfBits*b.years:]
	b.locks[k].Lock()
	for _, w := range b.waiting[k] {
		sums[w&(1<<placeBits-1)] += int64(w >> placeBits)
	}
	b.locks[k].Unlock()
	b.waiting[k] = b.waiting[k][:0]
}

// flush adds all that waits.
func (b *purchaseBuffer) flush() {
	for k := range b.waiting {
		b.put(k)
	}
}

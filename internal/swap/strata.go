package swap

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/par"
	"scramblelab/internal/rng"
)

const chunkRows = 1 << 16

// coding numbers the combinations of some columns: rows that agree on all of
// them, missing being a value, have one code below k. Codes are in the order of
// the columns' own codes, and not every code below k need occur.
type coding struct {
	codes []uint32
	k     int
}

// coder codes rows by columns, and looks at the span of each column once.
type coder struct {
	tables []*frame.Frame
	rows   int
	spans  map[string]digits
	room   []uint32 // for the next codes, where it is large enough
}

// digits are the lowest value of a column and the number of digits it takes.
type digits struct {
	low   int64
	radix uint64
}

func newCoder(tables ...*frame.Frame) (*coder, error) {
	k := &coder{tables: tables, spans: map[string]digits{}}
	for _, f := range tables {
		k.rows += f.Rows()
	}
	if int64(k.rows) > math.MaxInt32 {
		return nil, fmt.Errorf("swap: %d rows, want at most %d", k.rows, math.MaxInt32)
	}
	return k, nil
}

// encode codes the rows of several tables, one below the other.
func encode(ctx context.Context, tables []*frame.Frame, names []string) (coding, error) {
	k, err := newCoder(tables...)
	if err != nil {
		return coding{}, err
	}
	return k.encode(ctx, names)
}

func (k *coder) encode(ctx context.Context, names []string) (coding, error) {
	c := coding{codes: k.room, k: 1}
	if k.room = nil; len(c.codes) == k.rows {
		clear(c.codes)
	} else {
		c.codes = make([]uint32, k.rows)
	}
	if len(names) == 0 {
		return c, nil
	}
	product, span := uint64(1), make([]digits, len(names))
	for i, name := range names {
		d, err := k.span(ctx, name)
		if err != nil {
			return coding{}, err
		}
		if span[i] = d; product <= k.limit() { // else it might overflow
			product *= d.radix
		}
	}
	if product > k.limit() {
		for _, name := range names {
			if err := k.extend(ctx, &c, name); err != nil {
				return coding{}, err
			}
		}
		return c, nil
	}
	c.k = int(product)
	at := 0
	for _, f := range k.tables {
		codes := c.codes[at : at+f.Rows()]
		at += f.Rows()
		err := par.Chunks(ctx, len(codes), pieceRows, func(_, lo, hi int) error {
			for i, name := range names { // column by column while the codes are near
				addDigit(codes[lo:hi], f.Col(name), lo, span[i])
			}
			return nil
		})
		if err != nil {
			return coding{}, err
		}
	}
	return c, nil
}

// span looks at a column once.
func (k *coder) span(ctx context.Context, name string) (digits, error) {
	if d, ok := k.spans[name]; ok {
		return d, nil
	}
	low, radix, err := span(ctx, k.tables, name)
	if err != nil {
		return digits{}, err
	}
	k.spans[name] = digits{low, radix}
	return k.spans[name], nil
}

// addDigit tells the rows from lo on apart by one more column.
func addDigit(codes []uint32, c frame.Column, lo int, d digits) {
	missing := frame.NoInt
	if c.Coded() {
		missing = frame.NoCode
	}
	r, base := uint32(d.radix), uint32(d.low)-1 // wraps round as the difference does
	v := c.I[lo : lo+len(codes)]
	for i, x := range v {
		digit := uint32(x) - base
		if x == missing {
			digit = 0
		}
		codes[i] = codes[i]*r + digit
	}
}

// limit is the number of codes up to which a table over all of them is worth
// its room.
func (k *coder) limit() uint64 { return uint64(min(max(1<<20, 2*k.rows), 1<<30)) }

// extend tells rows apart by one more column, in mixed radix; where the product
// of radices is huge the codes are renumbered first.
func (k *coder) extend(ctx context.Context, c *coding, name string) error {
	d, err := k.span(ctx, name)
	if err != nil {
		return err
	}
	if uint64(c.k)*d.radix > k.limit() {
		c.renumber()
	}
	if uint64(c.k)*d.radix > k.limit() {
		c.join(k.tables, name, d.low, d.radix)
		return nil
	}
	at := 0
	for _, f := range k.tables {
		codes, col := c.codes[at:at+f.Rows()], f.Col(name)
		at += f.Rows()
		err := par.Chunks(ctx, len(codes), chunkRows, func(_, lo, hi int) error {
			addDigit(codes[lo:hi], col, lo, d)
			return nil
		})
		if err != nil {
			return err
		}
	}
	c.k *= int(d.radix)
	return nil
}

// digit is 0 for a missing value and 1, 2, … from low upwards.
func digit(v int32, low int64, missing int32) uint64 {
	if v == missing {
		return 0
	}
	return uint64(int64(v)-low) + 1
}

// span returns the lowest value of a column and the number of digits it takes.
func span(ctx context.Context, tables []*frame.Frame, name string) (low int64, radix uint64, err error) {
	low, high := int64(math.MaxInt32), int64(math.MinInt32)
	for _, f := range tables {
		c, ok := f.Lookup(name)
		if !ok {
			return 0, 0, fmt.Errorf("swap: no column %q among %q", name, f.Names())
		}
		if c.Kind == frame.Float || c.Kind == frame.Long {
			return 0, 0, fmt.Errorf("swap: column %q is %v: counts need a coded or integer column", name, c.Kind)
		}
		if c.Coded() {
			if d := tables[0].Col(name).Dict; d != c.Dict {
				return 0, 0, fmt.Errorf("swap: column %q has different codebooks in the tables compared", name)
			}
			low, high = min(low, 0), max(high, int64(c.Dict.Len())-1)
			continue
		}
		type limits struct{ low, high int64 }
		parts := make([]limits, par.Count(len(c.I), chunkRows))
		err := par.Chunks(ctx, len(c.I), chunkRows, func(k, lo, hi int) error {
			l := limits{math.MaxInt32, math.MinInt32}
			for _, v := range c.I[lo:hi] {
				if v != frame.NoInt {
					l.low, l.high = min(l.low, int64(v)), max(l.high, int64(v))
				}
			}
			parts[k] = l
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
		for _, l := range parts {
			low, high = min(low, l.low), max(high, l.high)
		}
	}
	if high < low {
		return 0, 1, nil // every value is missing
	}
	return low, uint64(high-low) + 2, nil
}

// renumber leaves out codes that do not occur, where these are many.
func (c *coding) renumber() {
	number := make([]uint32, c.k)
	for _, v := range c.codes {
		number[v] = 1
	}
	k := uint32(0)
	for v, used := range number {
		if used != 0 {
			number[v] = k
			k++
		}
	}
	if 2*int(k) > c.k {
		return // little is gained
	}
	for i, v := range c.codes {
		c.codes[i] = number[v]
	}
	c.k = int(k)
}

// join adds a column whose digits are too many for an array, by sorting.
func (c *coding) join(tables []*frame.Frame, name string, low int64, radix uint64) {
	keys := make([]uint64, 0, len(c.codes))
	for _, f := range tables {
		col := f.Col(name)
		missing := frame.NoInt
		if col.Coded() {
			missing = frame.NoCode
		}
		for _, v := range col.I {
			keys = append(keys, uint64(c.codes[len(keys)])*radix+digit(v, low, missing))
		}
	}
	distinct := slices.Clone(keys)
	slices.Sort(distinct)
	distinct = slices.Compact(distinct)
	for i, key := range keys {
		at, _ := slices.BinarySearch(distinct, key)
		c.codes[i] = uint32(at)
	}
	c.k = len(distinct)
}

// address is the address of a stratum's stream: a hash of the labels and
// values of one of its rows, whatever their codes or positions are.
func address(cols []frame.Column, row int32) uint64 {
	h := uint64(len(cols))
	for _, c := range cols {
		switch {
		case c.Missing(int(row)):
			h = rng.Mix(h, 1)
		case c.Coded():
			f := fnv.New64a()
			f.Write([]byte(c.Dict.Label(c.I[row])))
			h = rng.Mix(rng.Mix(h, 2), f.Sum64())
		default:
			h = rng.Mix(rng.Mix(h, 3), uint64(int64(c.I[row])))
		}
	}
	return h
}

// buckets are the items 0 … n-1 sorted by code, equal codes in their order:
// bucket b is items[bounds[b]:bounds[b+1]], and none is empty.
type buckets struct {
	items  []int32
	bounds []int32
}

func (b buckets) len() int { return len(b.bounds) - 1 }

// sortByCode is a counting sort in parallel over fixed chunks.
func sortByCode(ctx context.Context, c coding) (buckets, error) {
	n := len(c.codes)
	size := max(chunkRows, (n+31)/32)
	if c.k > 1<<18 {
		size = max(1, n) // counts by chunk would take more room than they save
	}
	chunks := par.Count(n, size)
	counts := make([][]int32, chunks)
	err := par.Chunks(ctx, n, size, func(k, lo, hi int) error {
		at := make([]int32, c.k)
		for _, v := range c.codes[lo:hi] {
			at[v]++
		}
		counts[k] = at
		return nil
	})
	if err != nil {
		return buckets{}, err
	}
	used := 1
	for v := range c.k {
		for _, at := range counts {
			if at[v] > 0 {
				used++
				break
			}
		}
	}
	out := buckets{items: make([]int32, n), bounds: append(make([]int32, 0, used), 0)}
	next := int32(0)
	for v := range c.k {
		for _, at := range counts {
			next, at[v] = next+at[v], next
		}
		if next > out.bounds[len(out.bounds)-1] {
			out.bounds = append(out.bounds, next)
		}
	}
	err = par.Chunks(ctx, n, size, func(k, lo, hi int) error {
		at := counts[k]
		for i := lo; i < hi; i++ {
			v := c.codes[i]
			out.items[at[v]] = int32(i)
			at[v]++
		}
		return nil
	})
	return out, err
}

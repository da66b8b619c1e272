package tabio

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"scramblelab/internal/frame"
)

const (
	pageRows       = 1 << 17
	dictionaryMax  = 4 << 20 // bytes of labels beyond which a column is written plain
	dictionarySpan = 1 << 16 // distance of numbers beyond which they are written plain
	dictionaryUse  = 4       // rows per distinct value from which a dictionary pays
	worthwhile     = .97     // share of its size that a page may keep for compression to pay
)

// columnChunk is one column of a row group: its pages, and what the footer says
// of them, with offsets from the first.
type columnChunk struct {
	data          []byte
	meta          format.ColumnMetaData
	hasDictionary bool
}

// chunkEncoder appends pages to a chunk. Its buffers serve one chunk after the
// other.
type chunkEncoder struct {
	columnChunk
	codec   *zstd.Codec
	tried   bool // whether it pays to compress the pages of the chunk is known
	raw     bool // it does not
	words   []byte
	levels  []byte
	values  []byte // of a page, encoded
	place   []int32
	indexes []int32
	runs    []byte // places in the dictionary, encoded
	packed  []byte // a page, compressed
	body    []byte
}

// encodeChunk encodes one column of a row group.
func (e *chunkEncoder) encodeChunk(c frame.Column, node parquet.Node) (columnChunk, error) {
	e.columnChunk, e.tried, e.raw, e.words = columnChunk{}, false, false, e.words[:0]
	e.meta = format.ColumnMetaData{
		Type: format.Type(node.Type().Kind()), PathInSchema: []string{c.Name}, Codec: format.Zstd, NumValues: int64(c.Len()),
	}
	var err error
	switch {
	case c.Coded():
		err = e.codes(c)
	case c.Kind == frame.Float:
		err = e.floats(c.F)
	case c.Kind == frame.Long:
		err = e.longs(c)
	case c.Decimals > 0 && node.Type().Kind() == parquet.Int64:
		wide := make([]int64, len(c.I))
		for i, v := range c.I {
			if wide[i] = int64(v); v == frame.NoInt {
				wide[i] = frame.NoLong
			}
		}
		err = e.plainLongs(wide)
	default:
		err = e.ints(c)
	}
	e.meta.Encoding = []format.Encoding{format.RLE, format.Plain}
	if e.hasDictionary {
		e.meta.Encoding = append(e.meta.Encoding, format.RLEDictionary)
	}
	e.meta.TotalCompressedSize = int64(len(e.data))
	return e.columnChunk, err
}

// eachPage calls f for runs of pageRows rows.
func eachPage(n int, f func(lo, hi int) error) error {
	for lo := 0; lo < n; lo += pageRows {
		if err := f(lo, min(n, lo+pageRows)); err != nil {
			return err
		}
	}
	return nil
}

// ints encodes whole numbers and dates of 32 bits, by a dictionary in ascending
// order where there are few.
func (e *chunkEncoder) ints(c frame.Column) error {
	if c.Kind == frame.Date {
		if err := checkDates(c); err != nil {
			return err
		}
	} else if i := firstWide(c.I); c.Decimals > 0 && i >= 0 {
		return fmt.Errorf("row %d needs more than nine digits: make it a long column", i+1)
	}
	lo, hi, missing := spanOf(c.I)
	some := len(c.I) - missing
	e.statistics(missing, some > 0, binary.LittleEndian.AppendUint32(nil, uint32(lo)), binary.LittleEndian.AppendUint32(nil, uint32(hi)))
	if some > 0 && int64(hi)-int64(lo) < dictionarySpan {
		span := int(hi-lo) + 1
		e.mark(c.I, lo, span)
		n := 0
		for k, p := range e.place[:span] {
			if p != 0 {
				e.words = binary.LittleEndian.AppendUint32(e.words, uint32(lo+int32(k)))
				e.place[k] = int32(n)
				n++
			}
		}
		if n <= max(1, some/dictionaryUse) {
			return e.byDictionary(c.I, lo, span, n)
		}
		e.words = e.words[:0]
	}
	return eachPage(len(c.I), func(lo, hi int) error {
		e.levels, e.values = room(e.levels, hi-lo), room(e.values, 4*(hi-lo))
		if missing == 0 {
			for i, v := range c.I[lo:hi] {
				binary.LittleEndian.PutUint32(e.values[4*i:], uint32(v))
			}
			return e.page(format.Plain, hi-lo, 0)
		}
		k := 0
		for i, v := range c.I[lo:hi] {
			if v == frame.NoInt {
				e.levels[i] = 0
				continue
			}
			e.levels[i] = 1
			binary.LittleEndian.PutUint32(e.values[4*k:], uint32(v))
			k++
		}
		e.values = e.values[:4*k]
		return e.page(format.Plain, hi-lo, hi-lo-k)
	})
}

// spanOf returns the least and the largest of whole numbers, and how many are
// missing. A number is missing about as often as not in dates of hiring, so that
// it is counted without a branch.
func spanOf(v []int32) (lo, hi int32, missing int) {
	const least = math.MinInt32 + 1 // frame.NoInt lies below, and above all others once this is taken off
	low, hi := uint32(math.MaxUint32), int32(math.MinInt32)
	for _, x := range v {
		low, hi = min(low, uint32(x)-least&math.MaxUint32), max(hi, x)
		missing += int((uint64(uint32(x)^uint32(1<<31)) - 1) >> 63)
	}
	if missing == len(v) {
		return math.MaxInt32, math.MinInt32, missing
	}
	return int32(low + least&math.MaxUint32), hi, missing
}

// mark sets place[x-base] to 1 for every x there is among v from base on and
// below base+span, and to 0 for the others; the place behind is for all values
// outside, which are the missing ones.
func (e *chunkEncoder) mark(v []int32, base int32, span int) {
	e.place = room(e.place, span+1)
	clear(e.place)
	place, last := e.place, uint32(span)
	for _, x := range v {
		place[min(uint32(x)-uint32(base), last)] = 1
	}
	place[span] = 0
}

// codes encodes labels, by a dictionary of those in use in codebook order unless
// nearly every row has its own.
func (e *chunkEncoder) codes(c frame.Column) error {
	labels := c.Dict.Labels()
	missing, most := 0, int32(-1)
	for _, k := range c.I {
		most = max(most, k)
		missing += int(uint32(k) >> 31)
	}
	if int(most) >= len(labels) {
		i := slices.IndexFunc(c.I, func(k int32) bool { return int(k) >= len(labels) })
		return fmt.Errorf("row %d has code %d, the codebook has %d labels", i+1, c.I[i], len(labels))
	}
	e.statistics(missing, false, nil, nil)
	e.mark(c.I, 0, len(labels))
	n := 0
	for k, p := range e.place[:len(labels)] {
		if p != 0 {
			if err := checkLabel(k, labels[k]); err != nil {
				return err
			}
			e.words = appendText(e.words, labels[k])
			e.place[k] = int32(n)
			n++
		}
	}
	if len(e.words) <= dictionaryMax && n <= max(len(c.I)/2, 1) {
		return e.byDictionary(c.I, 0, len(labels), n)
	}
	e.words = e.words[:0]
	return eachPage(len(c.I), func(lo, hi int) error {
		e.levels, e.values = room(e.levels, hi-lo), e.values[:0]
		nulls := 0
		for i, k := range c.I[lo:hi] {
			if k < 0 {
				e.levels[i] = 0
				nulls++
				continue
			}
			e.levels[i] = 1
			e.values = appendText(e.values, labels[k])
		}
		return e.page(format.Plain, hi-lo, nulls)
	})
}

func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}

func (e *chunkEncoder) longs(c frame.Column) error {
	const most = 1e18 // a decimal in 64 bits has at most 18 digits
	for i, v := range c.L {
		if c.Decimals > 0 && v != frame.NoLong && (v <= -most || v >= most) {
			return fmt.Errorf("row %d needs more than 18 digits: write it with fewer decimals", i+1)
		}
	}
	return e.plainLongs(c.L)
}

func (e *chunkEncoder) plainLongs(v []int64) error {
	lo, hi, some := int64(math.MaxInt64), int64(math.MinInt64), 0
	for _, x := range v {
		if x != frame.NoLong {
			lo, hi = min(lo, x), max(hi, x)
			some++
		}
	}
	e.statistics(len(v)-some, some > 0, binary.LittleEndian.AppendUint64(nil, uint64(lo)), binary.LittleEndian.AppendUint64(nil, uint64(hi)))
	return eachPage(len(v), func(lo, hi int) error {
		e.levels, e.values = room(e.levels, hi-lo), room(e.values, 8*(hi-lo))
		k := 0
		for i, x := range v[lo:hi] {
			if x == frame.NoLong {
				e.levels[i] = 0
				continue
			}
			e.levels[i] = 1
			binary.LittleEndian.PutUint64(e.values[8*k:], uint64(x))
			k++
		}
		e.values = e.values[:8*k]
		return e.page(format.Plain, hi-lo, hi-lo-k)
	})
}

func (e *chunkEncoder) floats(v []float64) error {
	nulls := 0
	for _, x := range v {
		if x != x {
			nulls++
		}
	}
	e.statistics(nulls, false, nil, nil)
	return eachPage(len(v), func(lo, hi int) error {
		e.values, e.levels = e.values[:0], e.levels[:0]
		nulls := 0
		for _, x := range v[lo:hi] {
			if x != x {
				e.levels = append(e.levels, 0)
				nulls++
				continue
			}
			e.levels = append(e.levels, 1)
			e.values = binary.LittleEndian.AppendUint64(e.values, math.Float64bits(x))
		}
		return e.page(format.Plain, hi-lo, nulls)
	})
}

// byDictionary writes a page of n words and pages of places in it: the place of
// v is place[v-base]. Values outside base and base+span are missing.
func (e *chunkEncoder) byDictionary(v []int32, base int32, span, n int) error {
	e.hasDictionary = true
	var err error
	if e.packed, err = e.codec.Encode(e.packed[:0], e.words); err != nil {
		return err
	}
	header := format.PageHeader{Type: format.DictionaryPage, UncompressedPageSize: int32(len(e.words)), CompressedPageSize: int32(len(e.packed)),
		CRC: int32(crc32.ChecksumIEEE(e.packed))}
	header.DictionaryPageHeader = thrift.New(format.DictionaryPageHeader{NumValues: int32(n), Encoding: format.Plain})
	if err := e.put(header, e.packed); err != nil {
		return err
	}
	e.meta.DataPageOffset = int64(len(e.data))
	width := bits.Len(uint(max(n-1, 0)))
	runs := rle.Encoding{BitWidth: width}
	place, last, all := e.place, uint32(span), e.meta.Statistics.NullCount == 0
	return eachPage(len(v), func(lo, hi int) error {
		e.levels, e.indexes = room(e.levels, hi-lo), room(e.indexes, hi-lo)
		k := hi - lo
		if all {
			for i, x := range v[lo:hi] {
				e.indexes[i] = place[min(uint32(x)-uint32(base), last)]
			}
		} else {
			k = 0
			levels, indexes := e.levels, e.indexes
			for i, x := range v[lo:hi] { // what is missing is written over
				at := min(uint32(x)-uint32(base), last)
				indexes[k] = place[at]
				present := (uint64(at) - uint64(last)) >> 63
				levels[i] = byte(present)
				k += int(present)
			}
		}
		e.values = append(e.values[:0], byte(width))
		if width > 0 && k > 0 {
			// The encoder starts a vector of its own where it is given none to append to.
			packed, err := runs.EncodeInt32(e.runs[:0], e.indexes[:k])
			if err != nil {
				return err
			}
			e.runs, e.values = packed, append(e.values, packed...)
		} else if k > 0 {
			e.values = binary.AppendUvarint(e.values, uint64(k)<<1)
		}
		return e.page(format.RLEDictionary, hi-lo, hi-lo-k)
	})
}

// room returns a vector of n elements, in the memory of v where it suffices.
func room[T any](v []T, n int) []T { return slices.Grow(v[:0], n)[:n] }

// page appends a data page of what stands in values and levels.
func (e *chunkEncoder) page(encoding format.Encoding, rows, nulls int) error {
	var err error
	if nulls == 0 { // one run of ones
		e.body = append(binary.AppendUvarint(e.body[:0], uint64(rows)<<1), 1)
	} else {
		ones := rle.Encoding{BitWidth: 1}
		if e.body, err = ones.EncodeLevels(e.body[:0], e.levels); err != nil {
			return err
		}
	}
	top := len(e.body)
	if !e.raw {
		if e.packed, err = e.codec.Encode(e.packed[:0], e.values); err != nil {
			return err
		}
	}
	if !e.tried { // on the first page: places of odd width rarely repeat byte by byte
		e.tried, e.raw = true, float64(len(e.packed)) > worthwhile*float64(len(e.values))
	}
	if e.raw {
		e.body = append(e.body, e.values...)
	} else {
		e.body = append(e.body, e.packed...)
	}
	body := e.body
	header := format.PageHeader{Type: format.DataPageV2, UncompressedPageSize: int32(top + len(e.values)), CompressedPageSize: int32(len(body)),
		CRC: int32(crc32.ChecksumIEEE(body))}
	header.DataPageHeaderV2 = thrift.New(format.DataPageHeaderV2{NumValues: int32(rows), NumNulls: int32(nulls), NumRows: int32(rows), Encoding: encoding,
		DefinitionLevelsByteLength: int32(top), IsCompressed: thrift.New(!e.raw), Statistics: format.Statistics{NullCount: int64(nulls)}})
	return e.put(header, body)
}

func (e *chunkEncoder) put(header format.PageHeader, body []byte) error {
	b, err := thrift.Marshal(&thrift.CompactProtocol{}, &header)
	if err != nil {
		return err
	}
	e.meta.TotalUncompressedSize += int64(len(b)) + int64(header.UncompressedPageSize)
	if pages := (int(e.meta.NumValues) + pageRows - 1) / pageRows; len(e.data)+len(b)+len(body) > cap(e.data) {
		e.data = slices.Grow(e.data, (len(b)+len(body))*pages*9/8) // pages are alike
	}
	e.data = append(append(e.data, b...), body...)
	return nil
}

func (e *chunkEncoder) statistics(nulls int, bounds bool, lo, hi []byte) {
	e.meta.Statistics.NullCount = int64(nulls)
	if bounds {
		e.meta.Statistics.MinValue, e.meta.Statistics.MaxValue = lo, hi
	}
}

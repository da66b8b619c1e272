package escrow

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// Digest is the SHA-256 of the original data in canonical order: names, kinds,
// codebooks and values of all tables. It proves later that the same original is
// at hand. It never leaves the building: whoever holds a candidate for the
// original could confirm it.
func Digest(d *linked.Data) string {
	h := sha256.New()
	for _, f := range []*frame.Frame{d.Jobs, d.Firms, d.Accounts} {
		if f == nil {
			number(h, 0)
			continue
		}
		number(h, uint64(len(f.Columns())+1))
		number(h, uint64(f.Rows()))
		for _, c := range f.Columns() {
			column(h, c)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func number(h hash.Hash, v uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	h.Write(b[:])
}

func text(h hash.Hash, s string) {
	number(h, uint64(len(s)))
	h.Write([]byte(s))
}

func column(h hash.Hash, c frame.Column) {
	text(h, c.Name)
	number(h, uint64(c.Kind)<<8|uint64(c.Decimals))
	if c.Coded() {
		number(h, uint64(c.Dict.Len()))
		for _, l := range c.Dict.Labels() {
			text(h, l)
		}
	}
	buf := make([]byte, 0, 1<<16)
	flush := func() {
		if len(buf) > 1<<16-16 {
			h.Write(buf)
			buf = buf[:0]
		}
	}
	for _, v := range c.I {
		buf = binary.LittleEndian.AppendUint32(buf, uint32(v))
		flush()
	}
	for _, v := range c.L {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(v))
		flush()
	}
	for _, v := range c.F {
		buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(v))
		flush()
	}
	h.Write(buf)
}

package population

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"

	"scramblelab/internal/folder"
	"scramblelab/internal/frame"
	"scramblelab/internal/par"
	"scramblelab/internal/progress"
	"scramblelab/internal/tabio"
)

// Written says how many rows [GenerateTo] wrote, and how many events the whole
// population has.
type Written struct {
	Employers, Accounts, Suppliers, Jobs int
	Events                               int
}

// GenerateTo draws a population and writes its folder without ever holding all
// jobs: the tables are those of [Generate] and [Population.Write], and row groups
// are blocks of employers with about a million jobs. Given a shard it draws the
// whole skeleton, since workers move between employers, and writes the blocks of
// that shard alone. tell may be nil.
func GenerateTo(ctx context.Context, dir string, o Options, shard Shard, w WriteOptions, tell progress.Func) (*Written, error) {
	return generateTo(ctx, dir, o, shard, w, blockRows, tell)
}

func generateTo(ctx context.Context, dir string, o Options, shard Shard, w WriteOptions, block int, tell progress.Func) (_ *Written, err error) {
	if err := errors.Join(o.Validate(), shard.Validate(), w.Validate()); err != nil {
		return nil, err
	}
	if w.Counterfactual && !shard.whole() {
		return nil, errors.New("population: a part of a population has no twin: leave out the shard or the counterfactual")
	}
	if err := w.Check(dir); err != nil {
		return nil, err
	}
	s, err := drawAll(ctx, o.Normal(), tell)
	if err != nil {
		return nil, err
	}
	e, err := newEmitter(ctx, s)
	if err != nil {
		return nil, err
	}
	if w.Counterfactual {
		e.tally = newTally(s)
	}
	out, err := folder.Create(dir, w.folder())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	d, err := newDelivery(e, out.Path(), w, e.blocks(block), shard)
	if err != nil {
		return nil, err
	}
	defer d.abandon()
	if err := d.write(ctx, tell); err != nil {
		return nil, err
	}
	truth, err := s.truth(ctx)
	if err != nil {
		return nil, err
	}
	if w.Counterfactual {
		effects, err := d.writeTwin(ctx, out.Path(), w, block, truth, tell)
		if err != nil {
			return nil, err
		}
		truth.Effects = append(truth.Effects, effects...)
	}
	if !shard.whole() {
		truth.Shard = shard.String()
	}
	if err := writeDocuments(out.Path(), d.ext, s.o.Figures, truth); err != nil {
		return nil, err
	}
	if err := out.Commit(); err != nil {
		return nil, err
	}
	return &Written{d.rows("employers"), d.rows("accounts"), d.rows("suppliers"), d.rows("jobs"), truth.Events}, nil
}

// delivery writes the blocks of a shard.
type delivery struct {
	*emitter
	ext    string
	at     []int // bounds of blocks
	lo, hi int   // blocks of the shard
	files  map[string]*tabio.Writer
	books  books
}

func newDelivery(e *emitter, dir string, w WriteOptions, at []int, shard Shard) (*delivery, error) {
	d := &delivery{emitter: e, ext: w.extension(), at: at, files: map[string]*tabio.Writer{}}
	d.lo, d.hi = shard.of(len(at) - 1)
	for _, name := range tableNames {
		f, err := tabio.NewWriter(filepath.Join(dir, name+d.ext), layoutOf(e.c, name))
		if err != nil {
			d.abandon()
			return nil, err
		}
		d.files[name] = f
	}
	return d, nil
}

func (d *delivery) abandon() {
	for _, f := range d.files {
		f.Abandon()
	}
}

func (d *delivery) rows(table string) int { return d.files[table].Rows() }

// write writes all tables. Groups follow from the accounts of buyers, which may
// belong to other shards: those are emitted as well, and only their investment
// is kept.
func (d *delivery) write(ctx context.Context, tell progress.Func) error {
	first, last := d.at[d.lo], d.at[d.hi]
	others := d.buyersOutside(first, last)
	done := counter(tell, "workers", last-first+len(others))
	if err := d.readBooks(ctx, others, done); err != nil {
		return err
	}
	if err := d.writeBlocks(ctx, done); err != nil {
		return err
	}
	if err := d.writeSkeleton(ctx, tell); err != nil {
		return err
	}
	for _, name := range tableNames {
		if err := d.files[name].Close(); err != nil {
			return err
		}
	}
	return nil
}

// writeBlocks emits, encodes and writes jobs and accounts, several blocks at a
// time.
func (d *delivery) writeBlocks(ctx context.Context, done func(int)) error {
	type pieces struct {
		jobs, accounts *tabio.Piece
		invested       books
	}
	free := make(chan *sheet, runtime.GOMAXPROCS(0)) // sheets to be used again
	return par.InOrder(ctx, d.hi-d.lo, func(b int) (pieces, error) {
		lo, hi := d.at[d.lo+b], d.at[d.lo+b+1]
		var to *sheet
		select {
		case to = <-free:
		default:
			to = &sheet{jobs: &jobColumns{}}
		}
		to.jobs.resize(d.jobAt[hi] - d.jobAt[lo])
		to.accounts = newAccountColumns(d.accountAt[hi] - d.accountAt[lo])
		if err := d.emit(ctx, lo, hi, to, done); err != nil {
			return pieces{}, err
		}
		var p pieces
		var err error
		if p.jobs, err = d.files["jobs"].Encode(ctx, d.jobsFrame(to.jobs)); err != nil {
			return p, err
		}
		accounts := frame.Must(to.accounts.cols...)
		p.invested.add(accounts)
		p.accounts, err = d.files["accounts"].Encode(ctx, accounts)
		select {
		case free <- to:
		default:
		}
		return p, err
	}, func(_ int, p pieces) error {
		d.books.join(&p.invested)
		return errors.Join(d.files["jobs"].Append(p.jobs), d.files["accounts"].Append(p.accounts))
	})
}

// writeSkeleton writes suppliers and employers, in the same blocks.
func (d *delivery) writeSkeleton(ctx context.Context, tell progress.Func) error {
	if err := d.prepareLinks(ctx, d.at[d.lo], d.at[d.hi]); err != nil {
		return err
	}
	groups := newSides(len(d.employers), d.books.frame())
	free := make(chan *linkColumns, runtime.GOMAXPROCS(0)) // columns to be used again
	tell.Step("writing", 0, d.hi-d.lo)
	err := par.InOrder(ctx, d.hi-d.lo, func(b int) (*tabio.Piece, error) {
		var c *linkColumns
		select {
		case c = <-free:
		default:
			c = &linkColumns{}
		}
		d.listLinks(c, d.at[d.lo+b], d.at[d.lo+b+1])
		suppliers := c.frame()
		groups.addLinks(suppliers, d.c.Network.MainBuyer) // of other sellers than those of other blocks
		piece, err := d.files["suppliers"].Encode(ctx, suppliers)
		select {
		case free <- c:
		default:
		}
		return piece, err
	}, func(b int, p *tabio.Piece) error {
		tell.Step("writing", b, d.hi-d.lo)
		return d.files["suppliers"].Append(p)
	})
	if err != nil {
		return err
	}
	groups.finish()
	err = par.InOrder(ctx, d.hi-d.lo, func(b int) (*tabio.Piece, error) {
		return d.files["employers"].Encode(ctx, ownLabels(d.employersFrame(groups, d.at[d.lo+b], d.at[d.lo+b+1])))
	}, func(_ int, p *tabio.Piece) error { return d.files["employers"].Append(p) })
	if err != nil {
		return err
	}
	tell.Step("writing", d.hi-d.lo, d.hi-d.lo)
	return nil
}

// ownLabels gives columns with more labels than rows a codebook of those in use.
func ownLabels(f *frame.Frame) *frame.Frame {
	for _, c := range f.Columns() {
		if !c.Coded() || c.Dict.Len() <= f.Rows() {
			continue
		}
		text := make([]string, f.Rows())
		for i, k := range c.I {
			if k >= 0 {
				text[i] = c.Dict.Label(k)
			}
		}
		own := frame.Strings(c.Name, text)
		own.Kind = c.Kind
		f = f.With(own)
	}
	return f
}

// buyersOutside returns the employers outside [lo, hi) that are main buyers of one
// inside, on which its group depends: no other reaches a tenth of its sales,
// in ascending order.
func (d *delivery) buyersOutside(lo, hi int) []int32 {
	if lo == 0 && hi == len(d.employers) {
		return nil
	}
	buys := make([]bool, len(d.employers))
	if d.net != nil {
		for _, l := range d.net.mains[d.net.at[lo]:d.net.at[hi]] {
			buys[l.buyer] = true
		}
	}
	var out []int32
	for id, b := range buys {
		if b && (id < lo || id >= hi) {
			out = append(out, int32(id))
		}
	}
	return out
}

// readBooks emits employers of other shards and keeps their investment.
func (d *delivery) readBooks(ctx context.Context, ids []int32, done func(int)) error {
	const chunk = 64
	return par.InOrder(ctx, par.Count(len(ids), chunk), func(c int) (books, error) {
		var b books
		w := &writer{emitter: d.emitter, sheet: &sheet{jobs: &jobColumns{}}}
		for _, id := range ids[c*chunk : min(len(ids), (c+1)*chunk)] {
			w.jobs.resize(d.jobAt[id+1] - d.jobAt[id])
			w.accounts = newAccountColumns(d.accountAt[id+1] - d.accountAt[id])
			w.employer(id, 0, 0)
			b.add(frame.Must(w.accounts.cols...))
			done(1)
		}
		return b, ctx.Err()
	}, func(_ int, b books) error {
		d.books.join(&b)
		return nil
	})
}

// books are what the detection of events reads of accounts.
type books struct {
	employer, year      []int32
	tangible, machinery []int64
}

func (b *books) add(accounts *frame.Frame) {
	b.employer = append(b.employer, accounts.Col("employer_id").I...)
	b.year = append(b.year, accounts.Col("year").I...)
	b.tangible = append(b.tangible, accounts.Col("tangible_investment").L...)
	b.machinery = append(b.machinery, accounts.Col("machinery_investment").L...)
}

func (b *books) join(o *books) {
	b.employer, b.year = append(b.employer, o.employer...), append(b.year, o.year...)
	b.tangible, b.machinery = append(b.tangible, o.tangible...), append(b.machinery, o.machinery...)
}

func (b *books) frame() *frame.Frame {
	return frame.Must(frame.Ints("employer_id", b.employer), frame.Ints("year", b.year),
		frame.Longs("tangible_investment", b.tangible), frame.Longs("machinery_investment", b.machinery))
}

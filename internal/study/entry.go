package study

import (
	"fmt"
	"path/filepath"
	"time"

	"scramblelab/internal/escrow"
	"scramblelab/internal/linked"
	"scramblelab/internal/plan"
	"scramblelab/internal/release"
)

// entry is what a study writes into the ledger of escrows.
type entry struct {
	book       *escrow.Book
	drawing    escrow.Drawing
	population escrow.Population
	number     int // in the ledger, once it is recorded
}

// LedgerFile is the file that the keys of a study are entered in.
func (o Options) LedgerFile() string {
	if o.Ledger != "" {
		return o.Ledger
	}
	return filepath.Join(filepath.Dir(o.Out+".escrow"), escrow.BookName)
}

// Commands that draw keys.
const (
	commandRelease = "release"
	commandRun     = "run"
)

// enter settles under which key a study scrambles, whose serials it gives and
// whether it may: a recipient who has a release of the same people gets no
// second key. Only a release to a named recipient under a key of the system
// binds; everything else is recorded.
func enter(p plan.Plan, d *linked.Data, k *keys, command string, o Options) (*entry, error) {
	book, err := escrow.OpenBook(o.LedgerFile(), o.Out)
	if err != nil {
		return nil, err
	}
	e := &entry{book: book}
	e.population = escrow.Population{Digest: escrow.Digest(d), Employers: d.Jobs.Col(linked.Employer).Dict.Labels()}
	if p.Data.Generate != nil { // the next run generates other people of the same names
		e.population.World = e.population.Digest
	}
	e.drawing = escrow.Drawing{
		Command: command, Scramble: p.ScrambleDigest(), Plan: p.Digest(), Population: e.population.Digest,
		Phase: release.PhaseOne, Recipient: p.Project.Recipient, Simulation: o.Seed != nil, ApprovedBy: o.Approve,
	}
	if o.Reuse != "" {
		old, err := escrow.Load(o.Reuse, o.Identities...)
		if err != nil {
			return nil, err
		}
		switch {
		case old.DataDigest != e.population.Digest:
			return nil, fmt.Errorf("%s was made from other data than this plan reads: its key is for that population alone", o.Reuse)
		case old.Scramble != e.drawing.Scramble:
			return nil, fmt.Errorf("%s is of a plan that scrambles or publishes otherwise (digest %.12s, this plan %.12s): two scrambles of the same people average out, so its key is for that one; take schema, release and scramble from the plan it was made from", o.Reuse, old.Scramble, e.drawing.Scramble)
		}
		k.secret, e.drawing.Reused = old.Key, true
		// A key made from a number stays one.
		e.drawing.Simulation = e.drawing.Simulation || old.Seeded
	}
	e.drawing.Binds = command == commandRelease && !e.drawing.Simulation && p.NamesRecipient()
	e.drawing.Key = escrow.Fingerprint(k.secret)
	e.drawing.Delivery = 1
	if !e.drawing.Simulation || o.Reuse != "" { // the same number makes the same release
		e.drawing.Delivery = book.NextDelivery(e.drawing.Key, e.drawing.Phase, e.drawing.Recipient)
	}
	_, err = book.Check(e.drawing, e.population)
	return e, err
}

// delivery is whose serials a study gives.
func (e *entry) delivery() release.Delivery {
	return release.Delivery{Phase: e.drawing.Phase, Recipient: e.drawing.Recipient, Number: e.drawing.Delivery}
}

// keysDrawn counts the keys that were drawn for this scramble of this
// population, this one included; 0 for simulations, which must give the same
// files whenever they run.
func (e *entry) keysDrawn() int {
	if e.drawing.Simulation {
		return 0
	}
	n := e.book.Drawn(e.drawing.Scramble, e.drawing.Population)
	if !e.book.Knows(e.drawing) {
		n++
	}
	return n
}

// warnings say what the ledger makes of a study.
func (e *entry) warnings() []string {
	var out []string
	if n := e.keysDrawn(); n > 1 {
		out = append(out, fmt.Sprintf("%d keys were drawn for this scramble of this population: if this one was kept for its results, they are better than those of the next key; judge the plan on all of them", n))
	}
	if e.drawing.Command == commandRelease && !e.drawing.Simulation && !e.drawing.Binds {
		out = append(out, "the plan names no recipient (project.recipient): the key is recorded, and a second one for the same people will not be refused")
	}
	if overlaps, err := e.book.Check(e.drawing, e.population); err == nil && len(overlaps) == 0 && len(e.drawing.ApprovedBy) > 0 {
		out = append(out, "nothing had to be approved: --approve was not recorded")
	}
	return out
}

// record enters the key; see commit.
func (e *entry) record() (err error) {
	e.number, err = e.book.Record(time.Now(), e.drawing, e.population)
	return err
}

// withdraw notes that the release of a recorded key was never made.
func (e *entry) withdraw() error {
	return e.book.Withdraw(time.Now(), e.number, "the release could not be put in its place")
}

// Package release writes and reads the folder that leaves the building: two
// tables under meaningless serial numbers, a manifest, a codebook and import
// scripts, and nothing else. Rows are sorted by serial, serials are a keyed
// random permutation, and every codebook is complete or sorted, so the order of
// anything says nothing of the original.
//
// It refuses to open a folder that is not whole and undamaged.
package release

import (
	"fmt"
	"strconv"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/publish"
	"scramblelab/internal/rng"
)

// SerialMap says whom a serial stands for: serial s is Employers[s-1], and with
// PerYear that employer in Years[s-1] only. It belongs in the escrow.
type SerialMap struct {
	Employers []int32
	Years     []int32 // nil without PerYear
	PerYear   bool
}

// Phases of a study, of [Delivery].
const (
	PhaseOne = "one" // a scrambled fragment
	PhaseTwo = "two" // the layout of the whole population
)

// Delivery says whose serials they are. Serials of two deliveries have nothing
// to do with each other, even under the same key.
type Delivery struct {
	Phase     string
	Recipient string
	Number    int // of the recipient's deliveries in the phase, from 1
}

// key of the serials of a delivery.
func (d Delivery) key(of rng.Secret) rng.Secret {
	return of.Derive("serials").Derive("phase " + d.Phase).Derive("recipient " + d.Recipient).Derive("delivery " + strconv.Itoa(d.Number))
}

// Serialise replaces employers by serials 1..n, a random permutation under the
// key, phase, recipient and number of the delivery, and sorts both tables by serial and year. With perYear every employer
// gets another serial each year, so that nothing follows it over time; without
// a year column perYear changes nothing. Tables must be sorted by employer and
// year, as [publish.Publish] leaves them.
func Serialise(t *publish.Tables, key rng.Secret, d Delivery, perYear bool) (*publish.Tables, SerialMap, error) {
	if key.IsZero() {
		return nil, SerialMap{}, fmt.Errorf("release: no key: use rng.NewSecret, or a seed for simulations")
	}
	perYear = perYear && t.Employers.Has(linked.Year)
	by := []string{linked.Employer}
	if perYear {
		by = append(by, linked.Year)
	}
	for _, f := range []*frame.Frame{t.Employers, t.Cells} {
		if !f.Has(linked.Employer) || perYear && !f.Has(linked.Year) {
			return nil, SerialMap{}, fmt.Errorf("release: a table has columns %q: want %q first", f.Names(), by)
		}
	}
	runs := t.Employers.Runs(by...)
	n := max(0, len(runs)-1)
	order := make([]int32, n) // record of each serial
	for i := range order {
		order[i] = int32(i)
	}
	rng.Shuffle(d.key(key).Stream("permutation", 0), order)

	emp := t.Employers.Col(linked.Employer)
	m := SerialMap{PerYear: perYear, Employers: make([]int32, n)}
	if perYear {
		m.Years = make([]int32, n)
	}
	for s, r := range order {
		row := runs[r]
		m.Employers[s] = emp.I[row]
		if perYear {
			m.Years[s] = t.Employers.Col(linked.Year).I[row]
		}
	}
	record := func(f *frame.Frame, row, other int32) int { // compares a row with a row of employers
		for _, c := range by {
			a, b := f.Col(c).I[row], t.Employers.Col(c).I[other]
			if a != b {
				if a < b {
					return -1
				}
				return 1
			}
		}
		return 0
	}
	// Cells of each record: both tables are sorted, so one pass finds them.
	cellRuns := t.Cells.Runs(by...)
	cells := make([][2]int32, n)
	k := 0
	for i := 0; i+1 < len(cellRuns); i++ {
		for k < n && record(t.Cells, cellRuns[i], runs[k]) > 0 {
			k++
		}
		if k == n || record(t.Cells, cellRuns[i], runs[k]) != 0 {
			return nil, SerialMap{}, fmt.Errorf("release: row %d of cells has an employer without a row in employers, or the tables are not sorted", cellRuns[i]+1)
		}
		cells[k] = [2]int32{cellRuns[i], cellRuns[i+1]}
		k++
	}
	for i := 1; i < n; i++ {
		if record(t.Employers, runs[i-1], runs[i]) >= 0 {
			return nil, SerialMap{}, fmt.Errorf("release: employers are not sorted by %q", by)
		}
	}
	out := &publish.Tables{
		Employers: reorder(t.Employers, order, func(r int32) [2]int32 { return [2]int32{runs[r], runs[r+1]} }),
		Cells:     reorder(t.Cells, order, func(r int32) [2]int32 { return cells[r] }),
	}
	return out, m, nil
}

// reorder puts the rows of records in the order of their serials and names the
// serial in place of the employer.
func reorder(f *frame.Frame, order []int32, rowsOf func(record int32) [2]int32) *frame.Frame {
	rows, serial := make([]int32, 0, f.Rows()), make([]int32, 0, f.Rows())
	for s, r := range order {
		for b := rowsOf(r); b[0] < b[1]; b[0]++ {
			rows, serial = append(rows, b[0]), append(serial, int32(s)+1)
		}
	}
	cols := []frame.Column{frame.Ints(publish.Serial, serial)}
	return frame.Must(append(cols, f.Without(linked.Employer).Take(rows).Columns()...)...)
}

package population

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/spike"
)

// sides are the groups of all employers and what they follow from.
type sides struct {
	event []int32   // detected year by employer, missing if none
	group []int32   // code of linked.GroupDict
	role  []int32   // code of RoleDict
	share []float64 // share of listed sales to automating buyers
}

// deriveSides puts employers 1..n into groups. Those whose accounts show an
// event are the intervention. A supplier joins the side of its largest buyer
// and of each buyer with at least mainBuyer of its listed sales, over all years
// together, so that it can stand on both. The others are controls.
func deriveSides(n int, accounts, suppliers *frame.Frame, mainBuyer float64) *sides {
	d := newSides(n, accounts)
	d.addLinks(suppliers, mainBuyer)
	d.finish()
	return d
}

// newSides finds the employers that automate; their suppliers are to be added.
func newSides(n int, accounts *frame.Frame) *sides {
	d := &sides{make([]int32, n), make([]int32, n), make([]int32, n), make([]float64, n)}
	for i := range n {
		d.event[i], d.role[i] = frame.NoInt, code(RoleDict, "other")
		d.group[i] = code(linked.GroupDict, "control")
	}
	for _, e := range spike.FromAccounts(accounts, spike.Columns{}) {
		d.event[e.Employer-1] = e.Year
	}
	return d
}

// addLinks puts sellers into groups, all of whose links must stand in the table.
// It may be called for several tables at a time.
func (d *sides) addLinks(suppliers *frame.Frame, mainBuyer float64) {
	seller, buyer, amount := suppliers.Col("supplier_id").I, suppliers.Col("customer_id").I, suppliers.Col("amount").L
	var bought []boughtBy
	for lo, hi := 0, 0; lo < len(seller); lo = hi {
		bought = bought[:0]
		for hi = lo; hi < len(seller) && seller[hi] == seller[lo]; hi++ {
			if k := len(bought) - 1; k >= 0 && bought[k].buyer == buyer[hi] {
				bought[k].amount += amount[hi]
			} else {
				bought = append(bought, boughtBy{buyer[hi], amount[hi]})
			}
		}
		d.join(seller[lo]-1, merged(bought), mainBuyer)
	}
}

// boughtBy is what a buyer bought from one seller in all years.
type boughtBy struct {
	buyer  int32
	amount int64
}

// merged adds up what stands apart of one buyer.
func merged(v []boughtBy) []boughtBy {
	byBuyer := func(a, b boughtBy) int { return cmp.Compare(a.buyer, b.buyer) }
	if slices.IsSortedFunc(v, byBuyer) {
		return v
	}
	slices.SortFunc(v, byBuyer)
	k := 0
	for _, x := range v[1:] {
		if x.buyer == v[k].buyer {
			v[k].amount += x.amount
			continue
		}
		k++
		v[k] = x
	}
	return v[:k+1]
}

// finish puts the employers that automate on their side, whatever they sell.
func (d *sides) finish() {
	for i := range d.event {
		if d.event[i] != frame.NoInt {
			d.group[i], d.role[i] = code(linked.GroupDict, "intervention"), code(RoleDict, "automating")
		}
	}
}

// join sets the group of a seller from its buyers, in ascending order.
func (d *sides) join(seller int32, bought []boughtBy, mainBuyer float64) {
	top := &bought[0]
	automating, total := int64(0), int64(0)
	for i := range bought {
		b := &bought[i]
		if b.amount > top.amount {
			top = b
		}
		total += b.amount
		if d.event[b.buyer-1] != frame.NoInt {
			automating += b.amount
		}
	}
	treated, control := false, false
	for i := range bought {
		if b := &bought[i]; b == top || float64(b.amount) >= mainBuyer*float64(total) {
			event := d.event[b.buyer-1] != frame.NoInt
			treated, control = treated || event, control || !event
		}
	}
	d.share[seller] = float64(automating) / float64(total)
	if treated {
		d.role[seller] = code(RoleDict, "supplier")
		d.group[seller] = code(linked.GroupDict, "intervention")
		if control {
			d.group[seller] = code(linked.GroupDict, "both")
		}
	}
}

func code(d *frame.Dict, label string) int32 {
	c, ok := d.Code(label)
	if !ok {
		panic(fmt.Sprintf("population: no label %q", label))
	}
	return c
}

// employersFrame returns employers lo to hi.
func (s *skeleton) employersFrame(d *sides, lo, hi int) *frame.Frame {
	n := hi - lo
	ints := func() []int32 { return make([]int32, n) }
	id, nace, region, founded, closed, event, exposed, clean := ints(), ints(), ints(), ints(), ints(), ints(), ints(), ints()
	effect := make([]float64, n)
	enterprise, registration := make([]string, n), make([]string, n)
	r := s.key.Stream(stageNumbers, 0)
	a, b, c := 1+r.IntN(numberPrime-1), r.IntN(numberPrime), r.IntN(numberPrime)
	for i := range n {
		k := lo + i
		e := &s.employers[k]
		id[i], nace[i], region[i], founded[i] = int32(k+1), int32(e.sector), int32(e.region), int32(e.founded)
		closed[i], event[i], exposed[i], clean[i] = yearOrNone(e.exit), frame.NoInt, frame.NoInt, 1
		if s.outcome&actsOnOwner != 0 {
			event[i] = yearOrNone(e.event)
		}
		if s.outcome == factual {
			exposed[i] = yearOrNone(s.exposedFrom[k])
		}
		if event[i] != frame.NoInt || exposed[i] != frame.NoInt {
			clean[i] = 0
		}
		effect[i] = math.Round(float64(e.psi)*1e6) / 1e6
		enterprise[i] = enterpriseNumber(int((uint64(a)*uint64(k) + uint64(b)) % numberPrime))
		registration[i] = strconv.FormatUint(100_000_000+(uint64(a)*uint64(k)+uint64(c))%numberPrime*61, 10)
	}
	return frame.Must(
		frame.Ints("employer_id", id),
		frame.Strings("enterprise_number", enterprise),
		frame.Strings("registration_number", registration),
		frame.Codes("nace", sectorDict(s.c), nace),
		frame.Codes("region", regionDict(s.c), region),
		frame.Ints("founded", founded),
		frame.Ints("closed", closed),
		frame.Codes("group", linked.GroupDict, d.group[lo:hi]),
		frame.Codes("role", RoleDict, d.role[lo:hi]),
		frame.Ints("automation_year", event),
		frame.Floats("firm_effect", effect),
		frame.Ints("exposed_from", exposed),
		frame.Codes("clean_control", CleanDict, clean),
	)
}

// numberPrime is the largest prime below ten million: multiplication by a
// number below it is a permutation.
const numberPrime = 9_999_991

// enterpriseNumber returns the k-th ten-digit number of a range that was never
// issued (it starts with 9), with valid check digits: 97 minus the first eight
// digits modulo 97.
func enterpriseNumber(k int) string {
	eight := 90_000_000 + k
	return strconv.Itoa(eight*100 + 97 - eight%97)
}

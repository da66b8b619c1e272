package realism

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

const (
	noNetwork = "the folder has no supplier links in that year"
	mainOnly  = "the folder has the main buyers alone, not the full network"
)

func (e evidence) wholeNetwork() string {
	switch {
	case total(e.links) == 0:
		return noNetwork
	case !e.full:
		return mainOnly
	}
	return ""
}

func topBuyer(e evidence, _ Target) (float64, string) {
	if r := e.wholeNetwork(); r != "" {
		return math.NaN(), r
	}
	return ratio(e.topShare[e.y], e.sellers[e.y], noNetwork)
}

func topFive(e evidence, _ Target) (float64, string) {
	if r := e.wholeNetwork(); r != "" {
		return math.NaN(), r
	}
	return ratio(e.top5Share[e.y], e.sellers[e.y], noNetwork)
}

// topOfFive is the top buyer's part of the five largest, which the main
// network shows too.
func topOfFive(e evidence, _ Target) (float64, string) {
	return ratio(e.topShare[e.y], e.top5Share[e.y], noNetwork)
}

func sameRegion(e evidence, _ Target) (float64, string) {
	return ratio(e.sums.sameRegion[e.y], e.links[e.y], noNetwork)
}

func meanDegree(e evidence, _ Target) (float64, string) {
	if r := e.wholeNetwork(); r != "" {
		return math.NaN(), r
	}
	return ratio(e.links[e.y], e.employers[e.y], noEmployers)
}

func meanLink(e evidence, _ Target) (float64, string) {
	if r := e.wholeNetwork(); r != "" {
		return math.NaN(), r
	}
	return ratio(e.value[e.y], e.links[e.y], noNetwork)
}

// degreeExponent is the maximum-likelihood exponent of the CCDF of degrees.
func degreeExponent(side int) func(evidence, Target) (float64, string) {
	return func(e evidence, _ Target) (float64, string) {
		if r := e.wholeNetwork(); r != "" {
			return math.NaN(), r
		}
		d := row(e.degree, e.y*sides+side, 2)
		return ratio(d[0], d[1], noNetwork)
	}
}

// linksKept is the share of last year's links that are there again.
func linksKept(full bool) func(evidence, Target) (float64, string) {
	return func(e evidence, _ Target) (float64, string) {
		if r := e.wholeNetwork(); full && r != "" {
			return math.NaN(), r
		}
		if !full && e.full {
			return math.NaN(), "the folder has the full network, in which main buyers are not marked"
		}
		return ratio(e.kept[e.y], e.keptBase[e.y], noNetwork)
	}
}

func valueKept(e evidence, _ Target) (float64, string) {
	return ratio(e.keptValue[e.y], e.keptValueBase[e.y], noNetwork)
}

// madeFrom is the share of sectors among the links into manufacturing.
func madeFrom(e evidence, t Target) (float64, string) {
	m := row(e.sums.madeFrom, e.y, e.sectors.Len())
	sum := 0.0
	for _, name := range strings.Split(t.Group, "+") {
		c, ok := e.sectors.Code(name)
		if !ok {
			return unknown(t, e.sectors.Labels()...)
		}
		sum += m[c]
	}
	return ratio(sum, total(m), noNetwork)
}

func eventShare(e evidence, t Target) (float64, string) {
	k := slices.Index(sizeBands, t.Group)
	if k < 0 {
		return unknown(t, sizeBands...)
	}
	l := row(e.life, k, 2)
	return ratio(l[1], l[0], "no employer of that size")
}

func eventShareAll(e evidence, _ Target) (float64, string) {
	var n, has float64
	for k := range lifeSizes {
		l := row(e.life, k, 2)
		n, has = n+l[0], has+l[1]
	}
	return ratio(has, n, "no employer with staff")
}

// eventStaff is the share of staff at employers with an event in any year.
func eventStaff(e evidence, _ Target) (float64, string) {
	x := row(e.exposed, e.y, 3)
	return ratio(x[1], x[0], noStaff)
}

// spikeStaff is the share of staff, of an average year, at employers whose
// accounts show a spike in that very year.
func spikeStaff(e evidence, _ Target) (float64, string) {
	var n, in float64
	for y := range e.years {
		x := row(e.exposed, y, 3)
		n, in = n+x[0], in+x[2]
	}
	return ratio(in, n, noStaff)
}

func eventShare10(e evidence, _ Target) (float64, string) {
	r := row(e.robots, e.y, 2)
	return ratio(r[1], r[0], "no employer of ten or more")
}

func eventsSeen(e evidence, _ Target) (float64, string) {
	return ratio(e.events[plantedSeen], e.events[planted], "no planted event at an employer with enough accounts")
}

func falseSpikes(e evidence, _ Target) (float64, string) {
	return ratio(e.events[unplantedSeen], e.events[unplanted], "no employer without an event has enough accounts")
}

// signatures are what an intruder knows of an employer from its accounts of
// one year, each with all before it.
var signatures = []struct {
	name    string
	columns []string
}{
	{"head count", []string{"staff_year_end"}},
	{"full-time and part-time", []string{"full_time", "part_time"}},
	{"sex", []string{"men", "women"}},
	{"study levels", []string{"staff_primary", "staff_secondary", "staff_higher", "staff_university"}},
	{"entries and exits", []string{"entries", "exits"}},
}

// uniqueShare is the share of employers whose accounts of the year nobody
// shares, by exact match: an upper bound of what a head count gives away.
func uniqueShare(e evidence, t Target) (float64, string) {
	name, class, some := strings.Cut(t.Group, ", ")
	var columns []string
	for _, s := range signatures {
		columns = append(columns, s.columns...)
		if s.name == name {
			break
		}
		if s.name == signatures[len(signatures)-1].name {
			return unknown(t, "head count", "full-time and part-time", "sex", "study levels", "entries and exits")
		}
	}
	want := frame.NoCode
	if some {
		c, ok := linked.SizeDict.Code(class)
		if !ok {
			return unknown(t, linked.SizeDict.Labels()...)
		}
		want = c
	}
	a := e.p.Accounts
	year, heads := a.Col("year").I, a.Col("staff_year_end").I
	published := a.Filter(func(row int) bool { return int(year[row]) == e.from+e.y && heads[row] > 0 }).Sorted(columns...)
	runs := published.Runs(columns...)
	heads = published.Col("staff_year_end").I
	var n, alone float64
	for k := range len(runs) - 1 {
		for row := runs[k]; row < runs[k+1]; row++ {
			if some && linked.SizeCode(heads[row]) != want {
				continue
			}
			n++
			if runs[k+1]-runs[k] == 1 {
				alone++
			}
		}
	}
	return ratio(alone, n, fmt.Sprintf("no accounts of %d", e.from+e.y))
}

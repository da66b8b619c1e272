package population

import (
	"fmt"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/spike"
)

// SupplierShareDict is the codebook of the class of the share of an employer's
// listed sales that goes to automating buyers.
var SupplierShareDict = frame.MustDict("[0]", "(0,0.1)", "[0.1,0.25)", "[0.25,0.5)", "[0.5,1]")

func shareClass(x float64) int32 {
	switch {
	case x <= 0:
		return 0
	case x < .1:
		return 1
	case x < .25:
		return 2
	case x < .5:
		return 3
	}
	return 4
}

// Linked returns the selection of the study: employers that filed accounts and
// had staff in the window. Group, event year and supplier share are those that
// accounts and network show, not those that were planted.
//
// Present is "closed" after the closing year; "none" in a year without any job;
// "staff" with jobs and accounts; "no accounts" with jobs but without accounts,
// as in the closing year. Size class is that of the head count at 31-12,
// missing where nobody was there.
func (p *Population) Linked() (*linked.Data, error) {
	n := p.Employers.Rows()
	years := p.Options.To - p.Options.From + 1
	jobEmployer, jobYear, left := p.Jobs.Col("employer_id").I, p.Jobs.Col("year").I, p.Jobs.Col("left").I
	accEmployer, accYear := p.Accounts.Col("employer_id").I, p.Accounts.Col("year").I
	had, heads, filed := make([]bool, n*years), make([]int32, n*years), make([]bool, n*years)
	cell := func(employer, year int32) (int, error) {
		e, y := int(employer)-1, int(year)-p.Options.From
		if e < 0 || e >= n || y < 0 || y >= years {
			return 0, fmt.Errorf("population: employer %d in %d lies outside 1..%d and %d..%d: the folder's tables do not belong together",
				employer, year, n, p.Options.From, p.Options.To)
		}
		return e*years + y, nil
	}
	for i := range jobEmployer {
		k, err := cell(jobEmployer[i], jobYear[i])
		if err != nil {
			return nil, err
		}
		had[k] = true
		if left[i] == frame.NoInt {
			heads[k]++
		}
	}
	for i := range accEmployer {
		k, err := cell(accEmployer[i], accYear[i])
		if err != nil {
			return nil, err
		}
		filed[k] = true
	}
	newCode := make([]int32, n) // code in the selection, -1 outside
	var labels []string
	for e := range n {
		newCode[e] = frame.NoCode
		if slices.Contains(had[e*years:(e+1)*years], true) && slices.Contains(filed[e*years:(e+1)*years], true) {
			newCode[e] = int32(len(labels))
			labels = append(labels, fmt.Sprintf("%0*d", len(fmt.Sprint(n)), e+1))
		}
	}
	dict, err := frame.NewDict(labels, nil)
	if err != nil {
		return nil, err
	}
	d := &linked.Data{Periods: true, Simulated: true}
	d.Jobs = recode(p.Jobs, dict, newCode, map[string]string{"worker_id": linked.Worker},
		"year", "worker_id", "level", "field", "sex", "age", "wage", "fte", "hired", "left")
	d.Firms = p.firms(dict, newCode, had, heads, filed)
	accounts := recode(p.Accounts, dict, newCode, nil, p.Accounts.Names()[1:]...)
	d.Accounts = p.withRegister(accounts, newCode)
	d.Notes = append(d.Notes, "a generated population: no worker and no employer exists")
	if years < spike.MinYears {
		d.Notes = append(d.Notes, fmt.Sprintf("with %d years of accounts no automation event can be detected: every employer is a control", years))
	}
	return d, d.Validate()
}

// recode keeps the rows of selected employers, puts the coded employer in front
// and takes the columns named, renamed where asked.
func recode(f *frame.Frame, dict *frame.Dict, newCode []int32, rename map[string]string, names ...string) *frame.Frame {
	employer := f.Col("employer_id").I
	rows := make([]int32, 0, len(employer))
	codes := make([]int32, 0, len(employer))
	for i, e := range employer {
		if c := newCode[e-1]; c >= 0 {
			rows, codes = append(rows, int32(i)), append(codes, c)
		}
	}
	cols := []frame.Column{frame.Codes(linked.Employer, dict, codes)}
	for _, n := range names {
		c := f.Col(n)
		if len(rows) < f.Rows() {
			c = c.Take(rows)
		}
		if to, ok := rename[n]; ok {
			c = c.Renamed(to)
		}
		cols = append(cols, c)
	}
	return frame.Must(cols...)
}

// firms builds one row per selected employer and year of the window.
func (p *Population) firms(dict *frame.Dict, newCode []int32, had []bool, heads []int32, filed []bool) *frame.Frame {
	years := p.Options.To - p.Options.From + 1
	sides := deriveSides(len(newCode), p.Accounts, p.Suppliers, p.Options.Figures.Network.MainBuyer)
	nace, region, closed := p.Employers.Col("nace"), p.Employers.Col("region"), p.Employers.Col("closed").I
	rows := dict.Len() * years
	col := func() []int32 { return make([]int32, 0, rows) }
	employer, year, present, sector, regions, group, event, share, size := col(), col(), col(), col(), col(), col(), col(), col(), col()
	for e, c := range newCode {
		if c < 0 {
			continue
		}
		for y := range years {
			k, at := e*years+y, int32(p.Options.From+y)
			state := "none"
			switch {
			case closed[e] != frame.NoInt && at > closed[e]:
				state = "closed"
			case had[k] && filed[k]:
				state = "staff"
			case had[k]:
				state = "no accounts"
			}
			employer, year, present = append(employer, c), append(year, at), append(present, code(linked.PresentDict, state))
			sector, regions = append(sector, nace.I[e]), append(regions, region.I[e])
			group, event = append(group, sides.group[e]), append(event, sides.event[e])
			share, size = append(share, shareClass(sides.share[e])), append(size, linked.SizeCode(heads[k]))
		}
	}
	return frame.Must(
		frame.Codes(linked.Employer, dict, employer),
		frame.Ints(linked.Year, year),
		frame.Codes(linked.Present, linked.PresentDict, present),
		frame.Codes(linked.Sector, nace.Dict, sector),
		frame.Codes(linked.Region, region.Dict, regions),
		frame.Codes(linked.Group, linked.GroupDict, group),
		frame.Ints(linked.EventYear, event),
		frame.Ordered(linked.SupplierShare, SupplierShareDict, share),
		frame.Ordered(linked.SizeClass, linked.SizeDict, size),
	)
}

// withRegister adds sector and region, which the public register shows beside
// the accounts.
func (p *Population) withRegister(accounts *frame.Frame, newCode []int32) *frame.Frame {
	old := make([]int32, accounts.Col(linked.Employer).Dict.Len())
	for e, c := range newCode {
		if c >= 0 {
			old[c] = int32(e)
		}
	}
	employer := accounts.Col(linked.Employer).I
	rows := make([]int32, len(employer))
	for i, c := range employer {
		rows[i] = old[c]
	}
	return accounts.With(p.Employers.Col("nace").Take(rows).Renamed(linked.Sector), p.Employers.Col("region").Take(rows).Renamed(linked.Region))
}

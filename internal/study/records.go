package study

import (
	"encoding/csv"
	"io"
	"strconv"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/score"
)

// Files of risk by serial, which stand only where the report stands: the worst
// ones by their serials, and on request all, with the employers they name.
const (
	worstCSV = "worst.csv"
	riskCSV  = "employer-risk.csv"
)

// worstUnits is how many serials of each adversary are named in worst.csv.
const worstUnits = 20

// adversaryRecords is what one adversary makes of every serial.
type adversaryRecords struct {
	adversary string
	records   []score.Record
}

// worstOf keeps the serials at the highest risk.
func worstOf(all []adversaryRecords) []adversaryRecords {
	out := make([]adversaryRecords, len(all))
	for i, a := range all {
		out[i] = adversaryRecords{a.adversary, score.Worst(a.records, worstUnits)}
	}
	return out
}

// writeRecords writes one line per adversary and serial: what the intruder
// thinks of the right employer, and where named is true, who that is and whom he
// names.
func (s *scrambled) writeRecords(w io.Writer, all []adversaryRecords, named bool) error {
	out := csv.NewWriter(w)
	head := []string{"adversary", "serial", "year", "staff", "right", "posterior", "rank", "anonymity_set"}
	if named {
		head = append(head, "employer", "claim")
	}
	if err := out.Write(head); err != nil {
		return err
	}
	dict := s.data.Jobs.Col(linked.Employer).Dict
	name := func(e int32) string {
		if e < 0 {
			return ""
		}
		return dict.Label(e)
	}
	number := func(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
	for _, a := range all {
		for _, r := range a.records {
			year := ""
			if r.Year != 0 && r.Year != frame.NoInt {
				year = strconv.Itoa(int(r.Year))
			}
			line := []string{
				a.adversary, strconv.Itoa(int(r.Serial)), year, number(r.Staff, 1),
				strconv.FormatBool(r.Right), number(r.Posterior, 6), strconv.Itoa(r.Rank), number(r.AnonymitySet, 2),
			}
			if named {
				line = append(line, name(r.Employer), name(r.Claim))
			}
			if err := out.Write(line); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

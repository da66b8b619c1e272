package score

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"scramblelab/internal/attack"
	"scramblelab/internal/infer"
	"scramblelab/internal/metric"
)

// WorkerTruth is what the claims about workers are compared with, along the
// targets.
type WorkerTruth struct {
	WageClass []int32 // class of the person's own wage in the original, -1 unknown
	Targets   []attack.Target
	Groups    [][]Group // rows of the breakdown that a target belongs to, nil for none; see [Breakdown]
}

// workers is one attack on workers, summed by employer.
type workers struct {
	order           []int32 // employers in order of appearance
	at              map[int32]int
	hits, base, all []float64
	gain            []float64 // claims right minus guesses right
	attempts        int
}

func newWorkers() *workers { return &workers{at: map[int32]int{}} }

// add counts a target: whether the attack succeeded, whether the class claimed
// is right however it was found, and whether the guess without the release is.
func (w *workers) add(employer int32, hit, right, baseline bool) {
	k, ok := w.at[employer]
	if !ok {
		k = len(w.order)
		w.at[employer] = k
		w.order = append(w.order, employer)
		w.hits, w.base, w.all, w.gain = append(w.hits, 0), append(w.base, 0), append(w.all, 0), append(w.gain, 0)
	}
	w.all[k]++
	w.attempts++
	if hit {
		w.hits[k]++
	}
	if right {
		w.gain[k]++
	}
	if baseline {
		w.base[k]++
		w.gain[k]--
	}
}

func (w *workers) row(group string, m int) metric.Row {
	base := 0.0
	for _, b := range w.base {
		base += b
	}
	r := clustered(w.hits, w.all, m, base/max(1, float64(w.attempts)), "no worker to attack")
	r.Group = group
	return r
}

// excess is the mean over targets of claim right minus guess right, both of the
// same person, with the error of that difference between employers.
func (w *workers) excess(group string, m int) metric.Row {
	r := w.row(group, m)
	if !r.Value.Valid() {
		return r
	}
	total, n, squares := 0.0, 0.0, 0.0
	for k, t := range w.all {
		total += w.gain[k]
		n += t
		squares += float64(t * t)
	}
	value := total / n
	iv, err := infer.MeanCluster(w.gain, w.all, level)
	if err != nil || iv.High == iv.Low {
		// One employer, or no difference between employers, says nothing of the
		// spread: then as wide as no success among the effective number of them.
		none, err := infer.Wilson(0, float64(n*n)/squares, level)
		if err != nil {
			return metric.Missing(group, err.Error())
		}
		iv = infer.Interval{Low: value - none.High, High: value + none.High}
	}
	r.Value, r.Low, r.High, r.Baseline = metric.Number(value), metric.Number(max(-1, iv.Low)), metric.Number(min(1, iv.High)), 0
	return r
}

// Workers scores claims about wage classes. variant is cell-known-employer
// (the intruder knows the employer's serial) or chain (he found it by claims,
// and a claim is right only if serial and wage class are). rightSerial says
// whether a serial stands for an employer in a year. The metrics are
// attack.worker.<variant>.<adversary>.wage-class and .excess, with rows for
// one-person cells (in a chain: targets for whom the intruder claims one, named
// claimed-one-person-cell) and by the groups of the targets. The excess of
// a chain counts a class claimed rightly through a wrong serial as known.
func Workers(variant, adversary, knowledge string, claims []attack.WorkerClaim, truth WorkerTruth, m int, rightSerial func(serial, employer, year int32) bool) ([]metric.Metric, error) {
	if len(claims) != len(truth.Targets) || len(truth.WageClass) != len(truth.Targets) {
		return nil, fmt.Errorf("score: %d claims, %d targets and %d true classes: want one each", len(claims), len(truth.Targets), len(truth.WageClass))
	}
	all, single, found := newWorkers(), newWorkers(), newWorkers()
	byGroup := map[Group]*workers{}
	for i, c := range claims {
		t := truth.Targets[i]
		if truth.WageClass[i] < 0 {
			continue
		}
		right := c.WageClass == truth.WageClass[i]
		hit := right
		if variant == Chain {
			hit = right && c.Serial >= 0 && rightSerial(c.Serial, t.Employer, t.Year)
		}
		guess := c.Baseline == truth.WageClass[i]
		all.add(t.Employer, hit, right, guess)
		if c.Found {
			found.add(t.Employer, hit, right, guess)
			if c.CellSize < 1.5 {
				single.add(t.Employer, hit, right, guess)
			}
		}
		if truth.Groups != nil {
			for _, g := range truth.Groups[i] {
				if byGroup[g] == nil {
					byGroup[g] = newWorkers()
				}
				byGroup[g].add(t.Employer, hit, right, guess)
			}
		}
	}
	method := "A worker whose employer, level and field are known: the class of the wage is read from the released cell and combined with wages outside the fragment, at the known swap rate (METHODS 1.2); baseline is the best guess by level, field and sector without the release. Lower is safer."
	if variant == Chain {
		method = "As with a known employer, but the employer's serial must first be found by the one-to-one fingerprint; right only if serial and wage class both are. Baseline is the guess of the wage class without the release. Lower is safer."
	}
	switch {
	case variant == KnownCoworkers:
		method = "As with a known employer, by a colleague who also knows the wages of up to two others of the cell and takes them out of its mean. Baseline is the guess of the wage class without the release. Lower is safer."
	case variant == StackedYears:
		method = "As with a known employer, by an intruder who stacks the years to tell who belongs to a cell from whom a swap of that year put there, and reads the cell of a year nearby where that of the year is missing or doubtful (METHODS 2.7). Baseline is the guess of the wage class without the release. Lower is safer."
	case adversary == "neighbour":
		method = "A worker whose employer, level and age are known, but not the field: the classes of all cells of that level at the employer, weighed by their workers, combined with wages outside the fragment at the known swap rate; baseline is the best guess by level, age band and sector without the release. Lower is safer."
	}
	share := metric.Metric{Name: fmt.Sprintf("attack.worker.%s.%s.wage-class", variant, adversary), Row: all.row("", m), Better: metric.Lower, Unit: "share", Method: method, Knowledge: knowledge}
	excess := metric.Metric{Name: fmt.Sprintf("attack.worker.%s.%s.excess", variant, adversary), Row: all.excess("", m), Better: metric.Lower, Unit: "share", Knowledge: knowledge,
		Method: "How much more often the intruder knows a wage class than without the release: his final claim for every worker (from the cell where he claims an employer and finds one, else the guess) right, minus the guess right, on the same workers; negative where the release misleads him. Interval by employer. Lower is safer."}
	add := func(group string, w *workers) {
		share.By = append(share.By, w.row(group, m))
		excess.By = append(excess.By, w.excess(group, m))
	}
	attribute := func(g Group, w *workers) {
		if g.Rank < rankSector {
			add(g.Name, w)
		} else if w.attempts >= leastRow {
			share.By = append(share.By, w.row(g.Name, m))
		}
	}
	// In a chain the cell is that of the employer claimed, right or wrong.
	claimed := ""
	if variant == Chain {
		claimed = "claimed-"
	}
	add(claimed+"one-person-cell", single)
	add(claimed+"cell-found", found)
	for _, g := range slices.SortedFunc(maps.Keys(byGroup), compareGroups) {
		attribute(g, byGroup[g])
	}
	return []metric.Metric{share, excess}, nil
}

// Variants of [Workers].
const (
	KnownEmployer = "cell-known-employer"
	// KnownCoworkers is the cell of a known employer, of which the intruder
	// knows what some others earn.
	KnownCoworkers = "cell-known-coworkers"
	// StackedYears is the cell of a known employer, trusted as far as its years
	// speak for it.
	StackedYears = "stacked-years"
	Chain        = "chain"
)

// ChainTable counts workers by whether the employer was found and whether the
// claim about the wage class is right.
func ChainTable(adversary string, claims []attack.WorkerClaim, truth WorkerTruth, rightSerial func(serial, employer, year int32) bool) metric.Table {
	var n [2][2]int
	total := 0
	for i, c := range claims {
		if truth.WageClass[i] < 0 {
			continue
		}
		t := truth.Targets[i]
		e, w := 1, 1
		if c.Serial >= 0 && rightSerial(c.Serial, t.Employer, t.Year) {
			e = 0
		}
		if c.WageClass == truth.WageClass[i] {
			w = 0
		}
		n[e][w]++
		total++
	}
	table := metric.Table{
		Name: "chain-" + adversary, Title: "From the public accounts to a person's wage: " + adversary,
		Note:    "Workers attacked, by whether the one-to-one fingerprint found their employer and whether the claimed wage class is right. A wage class claimed rightly with the employer not found is luck or the guess without the release.",
		Columns: []string{"employer", "wage class right", "wage class wrong", "workers", "share of workers"},
	}
	for e, label := range []string{"found", "not found"} {
		sum := n[e][0] + n[e][1]
		table.Rows = append(table.Rows, []string{label, strconv.Itoa(n[e][0]), strconv.Itoa(n[e][1]), strconv.Itoa(sum), percent(sum, total)})
	}
	right, wrong := n[0][0]+n[1][0], n[0][1]+n[1][1]
	table.Rows = append(table.Rows, []string{"all", strconv.Itoa(right), strconv.Itoa(wrong), strconv.Itoa(total), percent(total, total)})
	return table
}

func percent(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// SerialFinder turns claims about serials round: the serial that the intruder
// takes an employer for, in a year. Where several serials got the same
// employer, the surest claim counts.
func SerialFinder(claims []attack.Claim) func(employer, year int32) (serial int32, ok bool) {
	type at struct{ employer, year int32 }
	best := map[at]attack.Claim{}
	for _, c := range claims {
		if c.Employer < 0 {
			continue
		}
		k := at{c.Employer, c.Year}
		if old, ok := best[k]; !ok || c.Posterior > old.Posterior || c.Posterior == old.Posterior && c.Serial < old.Serial {
			best[k] = c
		}
	}
	return func(employer, year int32) (int32, bool) {
		for _, y := range []int32{year, 0} {
			if c, ok := best[at{employer, y}]; ok {
				return c.Serial, true
			}
		}
		return -1, false
	}
}

// SerialOf returns the lookups that a known employer and [Workers] need:
// the true serial of an employer in a year, and whether a serial is right.
func (t Truth) SerialOf() (of func(employer, year int32) (int32, bool), right func(serial, employer, year int32) bool) {
	type at struct{ employer, year int32 }
	serial := map[at]int32{}
	for k, members := range t {
		for _, e := range members {
			serial[at{e, k.Year}] = k.Serial // an employer has one serial a year
		}
	}
	of = func(employer, year int32) (int32, bool) {
		for _, y := range []int32{year, 0} {
			if s, ok := serial[at{employer, y}]; ok {
				return s, true
			}
		}
		return -1, false
	}
	right = func(s, employer, year int32) bool {
		got, ok := of(employer, year)
		return ok && got == s
	}
	return of, right
}

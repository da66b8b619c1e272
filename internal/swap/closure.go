package swap

import (
	"fmt"
	"math"
	"slices"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// coincidence is the chance, were the columns independent, below which a
// dependence seen in the data is taken for one.
const coincidence = 1e-9

// checkClosure refuses a step that tears apart a column and another one that it
// determines, such as a level and the broad level made of it: rows would arise
// that cannot exist, and give the swap away.
//
// The rule errs on the side of letting a step through. It looks at coded
// columns only, wants the dependent one to have fewer values than the other but
// more than one, and asks how likely the agreement would be by chance: with
// shares q of the dependent column, (Σq²)^(rows - values of the other).
func checkClosure(f *frame.Frame, o Options) error {
	bundle := o.bundle(f)
	for _, name := range bundle {
		by := f.Col(name)
		if !by.Coded() || name == linked.Employer || slices.Contains(linked.FirmAttributes, name) {
			continue
		}
		for _, other := range slices.Concat(linked.Attributes, linked.FirmAttributes) {
			inBundle := slices.Contains(bundle, other)
			dep, ok := f.Lookup(other)
			if !ok || other == name || !dep.Coded() || inBundle && o.Joint || slices.Contains(o.Same, other) {
				continue
			}
			if !determines(by, dep) {
				continue
			}
			if inBundle {
				return fmt.Errorf("swap: %q determines %q: exchanged apart they contradict each other; set joint to true", name, other)
			}
			return fmt.Errorf("swap: %q determines %q: add %q to the bundle, so that it travels along, or to same", name, other, other)
		}
	}
	return nil
}

// determines reports whether every value of by goes with one value of dep, and
// not by chance.
func determines(by, dep frame.Column) bool {
	const unseen = math.MinInt32
	value := make([]int32, by.Dict.Len()+1)
	for i := range value {
		value[i] = unseen
	}
	counts := make([]int64, dep.Dict.Len()+1)
	distinct := 0
	for i, b := range by.I {
		d := dep.I[i]
		counts[d+1]++
		switch v := &value[b+1]; {
		case *v == unseen:
			*v = d
			distinct++
		case *v != d:
			return false
		}
	}
	n, values, square := float64(len(by.I)), 0, 0.0
	for _, c := range counts {
		if c > 0 {
			values++
			square += float64(float64(c) / n * float64(c) / n)
		}
	}
	if values < 2 || values >= distinct {
		return false
	}
	return (n-float64(distinct))*math.Log(square) < math.Log(coincidence)
}

package attack

import (
	"fmt"
	"math"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
)

// recompute applies the three-times rule to public accounts: an employer
// automates in the first year in which its investment in machinery is over
// three times its mean in the other years. It returns group and event year by
// employer code, "" where there is no event year.
func recompute(acc *frame.Frame, employers int) (group, event []string) {
	group, event = make([]string, employers), make([]string, employers)
	invest := floats(acc, "machinery_investment")
	employer, year := acc.Col(linked.Employer).I, acc.Col(linked.Year).I
	for lo := 0; lo < len(employer); {
		hi, sum, n := lo, 0.0, 0.0
		for ; hi < len(employer) && employer[hi] == employer[lo]; hi++ {
			if !math.IsNaN(invest[hi]) {
				sum += invest[hi]
				n++
			}
		}
		e := employer[lo]
		group[e] = linked.GroupDict.Label(0)
		for i := lo; i < hi && n > 2; i++ {
			if mean := (sum - invest[i]) / (n - 1); invest[i] > 3*mean && mean > 0 {
				group[e], event[e] = linked.GroupDict.Label(1), fmt.Sprint(year[i])
				break
			}
		}
		lo = hi
	}
	return group, event
}

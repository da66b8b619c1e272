package attack

import (
	"fmt"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/spike"
)

// recompute finds group and event year by employer code from public accounts
// alone, by the three-times rule of package spike, as any reader of the
// accounts can; the event year is "" where there is none. Which employers
// belong to a group as suppliers of others the accounts do not tell: how often
// the recomputed group is the released one is calibrated by addTrait.
func recompute(accounts *frame.Frame, employers int) (group, event []string) {
	group, event = make([]string, employers), make([]string, employers)
	for e := range group {
		group[e] = linked.GroupDict.Label(0)
	}
	for _, s := range spike.FromAccounts(accounts, spike.Columns{Employer: linked.Employer}) {
		if s.Employer >= 0 {
			group[s.Employer], event[s.Employer] = linked.GroupDict.Label(1), fmt.Sprint(s.Year)
		}
	}
	return group, event
}

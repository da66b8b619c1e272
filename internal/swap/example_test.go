package swap_test

import (
	"context"
	"fmt"

	"scramblelab/internal/frame"
	"scramblelab/internal/linked"
	"scramblelab/internal/rng"
	"scramblelab/internal/swap"
)

func ExampleRun() {
	jobs := frame.Must(
		frame.Strings(linked.Employer, []string{"a", "a", "b", "b"}), frame.Ints(linked.Year, []int32{2020, 2020, 2020, 2020}),
		frame.Strings(linked.Level, []string{"primary", "secondary", "higher", "university"}), frame.Ints(linked.Wage, []int32{20, 25, 31, 44}))
	o := swap.Options{Bundle: []string{linked.Level}, Joint: true, Rate: 1, Same: []string{linked.Year}, Scope: swap.AcrossEmployers}

	r, err := swap.Run(context.Background(), jobs, o, rng.SecretFromSeed(1), 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	p := r.Report.Pairings[0]
	fmt.Printf("touched %.0f %%, changed %.0f %%\n", 100*p.TouchedShare(), 100*p.ChangedShare())
	ok, why := swap.Keeps(o, swap.Promise{Columns: []string{linked.Employer, linked.Level}})
	fmt.Println(ok, why)
	// Output:
	// touched 100 %, changed 100 %
	// false "level" moves between rows that differ in "employer": set scope to within-employer
}

package population

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"
)

func TestFigures(t *testing.T) {
	if testing.Short() {
		t.Skip()
	}
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	t0 := time.Now()
	p, err := Generate(context.Background(), Options{Employers: 20000, From: 2012, To: 2021, Seed: 1}, func(s string, d, n int) {
		if d == n || d == 0 {
			fmt.Println(s, d, n, time.Since(t0))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&m1)
	fmt.Println("seconds", time.Since(t0), "rows", p.Jobs.Rows(), "sys MB", m1.Sys>>20, "alloc MB", (m1.TotalAlloc-m0.TotalAlloc)>>20)
	t0 = time.Now()
	d, err := p.Linked()
	fmt.Println("linked", time.Since(t0), err)
	_ = d
	_ = math.Pi
	_ = slices.Max[[]int]
}

package mask

import (
	"fmt"
	"math"

	"scramblelab/internal/frame"
)

// Counts are classes of head counts, [1,3), [3,5), …, [250,). The classes are
// public constants: they say nothing of the data.
//
// A class stands for the middle of the integers in it, 1.5 for [1,3). The open
// class at the top stands for twice its lower bound, the mean of a Pareto tail
// with index 2.
type Counts struct {
	bounds []int32
	dict   *frame.Dict
}

// CoarsenCounts makes classes from their lower bounds, which rise and start at
// 1 or above.
func CoarsenCounts(bounds []int32) (Counts, error) {
	if len(bounds) == 0 {
		return Counts{}, fmt.Errorf("mask: classes are empty, name their lower bounds, such as [1, 3, 5, 10]")
	}
	labels, middles := make([]string, len(bounds)), make([]float64, len(bounds))
	for i, b := range bounds {
		switch {
		case b < 1:
			return Counts{}, fmt.Errorf("mask: classes hold the bound %d, want head counts of 1 or more", b)
		case i > 0 && b <= bounds[i-1]:
			return Counts{}, fmt.Errorf("mask: classes hold %d after %d, want rising lower bounds", b, bounds[i-1])
		case i == len(bounds)-1:
			labels[i], middles[i] = fmt.Sprintf("[%d,)", b), 2*float64(b)
		default:
			labels[i], middles[i] = fmt.Sprintf("[%d,%d)", b, bounds[i+1]), float64(int64(b)+int64(bounds[i+1])-1)/2
		}
	}
	dict, err := frame.NewDict(labels, middles)
	if err != nil {
		return Counts{}, fmt.Errorf("mask: %w", err)
	}
	return Counts{bounds: append([]int32(nil), bounds...), dict: dict}, nil
}

// Dict is the codebook of the classes, with the number each stands for.
func (c Counts) Dict() *frame.Dict { return c.dict }

// Bounds returns the lower bounds; the caller must not change them.
func (c Counts) Bounds() []int32 { return c.bounds }

// Code returns the class of a head count, missing where it lies below the first
// bound.
func (c Counts) Code(n int32) int32 {
	low, high := 0, len(c.bounds)
	for low < high {
		if mid := (low + high) / 2; c.bounds[mid] <= n {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return int32(low) - 1
}

// Apply replaces a column of head counts by its classes, and reports how many
// counts no longer stand as themselves and how far the sum of what the classes
// stand for is off.
func (c Counts) Apply(col frame.Column) (frame.Column, Report, error) {
	r := Report{Step: StepCoarsenCounts, Unit: "counts",
		Protects: "exact head counts; a path over years through the classes may still be unique",
		NotKept:  []string{"exact counts, sums and small changes over time", "the tail: the open class has one value"}}
	if c.dict == nil {
		return col, r, fmt.Errorf("mask: no classes: make them with CoarsenCounts")
	}
	if col.Kind != frame.Int || col.Decimals != 0 {
		return col, r, fmt.Errorf("mask: column %q is %v with %d decimals, want whole head counts", col.Name, col.Kind, col.Decimals)
	}
	codes := make([]int32, len(col.I))
	sum, stands, below := 0.0, 0.0, 0
	for i, n := range col.I {
		codes[i] = frame.NoCode
		if n == frame.NoInt {
			continue
		}
		r.Units++
		codes[i] = c.Code(n)
		if codes[i] < 0 {
			if n != 0 {
				below++
			}
			r.Touched++
			continue
		}
		v := c.dict.Value(codes[i])
		sum, stands = sum+float64(n), stands+v
		if width := c.width(codes[i]); width != 1 {
			r.Touched++
		}
	}
	if below > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d counts of %q lie below the first class %s and became missing: start the classes at 1", below, col.Name, c.dict.Label(0)))
	}
	if sum > 0 && math.Abs(stands/sum-1) > 0.1 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the classes of %q stand for a total %.0f %% off the true one: use narrower classes at the top", col.Name, 100*(stands/sum-1)))
	}
	return frame.Ordered(col.Name, c.dict, codes), r, nil
}

func (c Counts) width(code int32) int32 {
	if int(code) == len(c.bounds)-1 {
		return 0
	}
	return c.bounds[code+1] - c.bounds[code]
}

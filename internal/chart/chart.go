// Package chart draws what the pages of this project share: the style sheet,
// round steps of axes, and pictures as inline SVG.
//
// Pictures are drawn here, because they must take their colours from the page
// (light, dark, paper), keep their letters readable on a telephone and be
// readable by a screen reader. Positions across are in percent of the width and
// heights in pixels, so that letters keep their size whatever the width. The
// same numbers give the same bytes.
package chart

import (
	_ "embed"
	"math"
	"strconv"
	"strings"
)

// Style is the style sheet of the pages.
//
//go:embed style.css
var Style string

// NiceStep returns the least of 1, 2, 5 and 10 times a power of ten that is at
// least x, for the steps of an axis; x > 0.
func NiceStep(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*p >= x {
			return m * p
		}
	}
	return 10 * p
}

// Round rounds a position to hundredths: finer is not seen, and keeps pages
// small.
func Round(x float64) float64 { return math.Round(x*100) / 100 }

// Axis is a scale. The zero value is linear, and holds its data and no more.
type Axis struct {
	Label    string
	Log      bool
	Low      float64              // with High: bounds that hold at least; ignored where equal
	High     float64              //
	Exact    bool                 // the bounds are those given
	Text     func(float64) string // of a tick; nil writes the number
	Step     float64              // between ticks; 0 finds one
	lo, hi   float64              // in use, logs where Log
	tick     []float64            // in the data's unit
	min, max float64              // of the data
}

// fit sets bounds and ticks for data in [min, max].
func (a *Axis) fit(ticks float64) {
	lo, hi := a.min, a.max
	if a.Low < a.High {
		lo, hi = math.Min(lo, a.Low), math.Max(hi, a.High)
		if a.Exact {
			lo, hi = a.Low, a.High
		}
	}
	if a.Log {
		a.lo, a.hi = math.Log10(lo), math.Log10(hi)
		if !a.Exact {
			a.lo, a.hi = math.Floor(a.lo+1e-9), math.Ceil(a.hi-1e-9)
		}
		if a.hi <= a.lo {
			a.hi = a.lo + 1
		}
		for k := math.Ceil(a.lo - 1e-9); k <= a.hi+1e-9; k++ {
			a.tick = append(a.tick, math.Pow(10, k))
		}
		return
	}
	if hi <= lo {
		hi = lo + 1
	}
	step := a.Step
	if step == 0 {
		step = NiceStep((hi - lo) / ticks)
	}
	if a.Exact { // ticks count from the low end, such as the first year
		a.lo, a.hi = lo, hi
		for x := lo; x <= hi+step*1e-9; x += step {
			a.tick = append(a.tick, x)
		}
		return
	}
	first, last := math.Floor(lo/step+1e-9), math.Ceil(hi/step-1e-9)
	a.lo, a.hi = first*step, last*step
	for k := first; k <= last; k++ {
		a.tick = append(a.tick, k*step)
	}
}

// at returns the place of a value, 0 at the low end, 1 at the high one.
func (a *Axis) at(x float64) float64 {
	if a.Log {
		x = math.Log10(x)
	}
	return (x - a.lo) / (a.hi - a.lo)
}

func (a *Axis) text(x float64) string {
	if a.Text != nil {
		return a.Text(x)
	}
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(math.Round(x*1e6)/1e6, 'f', 6, 64), "0"), ".")
}

// number writes a position.
func number(x float64) string { return strconv.FormatFloat(Round(x), 'f', -1, 64) }

// PlotStyle is the style sheet of [Plot], [Pyramid] and [Heat], to follow
// [Style] on a page that has such pictures.
//
//go:embed plots.css
var PlotStyle string

package program

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Term is a line of the table that a program writes: an estimate by its name, in
// the convention of R's broom.
type Term struct {
	Name             string
	Estimate, StdErr float64 // NaN where the program gives none (NA)
}

// mostTerms is how many coefficients are compared.
const mostTerms = 1000

// ReadTerms reads a CSV table with the columns term, estimate and std.error
// (also std_error); others are left alone. Names must be different.
func ReadTerms(r io.Reader) ([]Term, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = 0
	head, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("program: the table is empty: want a line term,estimate,std.error and one line for each coefficient")
	}
	if err != nil {
		return nil, fmt.Errorf("program: the table is no CSV: %w", shortened(err))
	}
	if len(head) > 0 {
		head[0] = strings.TrimPrefix(head[0], "\ufeff")
	}
	at := func(names ...string) int {
		return slices.IndexFunc(head, func(h string) bool { return slices.Contains(names, strings.TrimSpace(h)) })
	}
	name, estimate, stderr := at("term"), at("estimate"), at("std.error", "std_error")
	if name < 0 || estimate < 0 || stderr < 0 {
		return nil, fmt.Errorf("program: the table lacks a column term, estimate or std.error: want all three in its first line")
	}
	var out []Term
	seen := map[string]bool{}
	for line := 2; ; line++ {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("program: the table is no CSV: %w", shortened(err))
		}
		t := Term{Name: strings.TrimSpace(row[name])}
		if t.Name == "" || len(t.Name) > 200 || !utf8.ValidString(t.Name) || seen[t.Name] {
			return nil, fmt.Errorf("program: row %d: a term has no name, one of more than 200 bytes or one that stands twice: give each coefficient its own", line)
		}
		seen[t.Name] = true
		if t.Estimate, err = number(row[estimate]); err != nil {
			return nil, fmt.Errorf("program: row %d: the estimate is no number", line)
		}
		if t.StdErr, err = number(row[stderr]); err != nil || t.StdErr < 0 {
			return nil, fmt.Errorf("program: row %d: the standard error is no number from 0 on", line)
		}
		if out = append(out, t); len(out) > mostTerms {
			return nil, fmt.Errorf("program: more than %d coefficients: write those that the study draws its conclusions from", mostTerms)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("program: the table has no row: want one for each coefficient")
	}
	return out, nil
}

// shortened keeps the position of a CSV error and leaves out what the file says.
func shortened(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return fmt.Errorf("line %d: %w", p.Line, p.Err)
	}
	return err
}

// number reads a number; what stands for a missing one is NaN, and so is an
// infinite one.
func number(s string) (float64, error) {
	switch strings.TrimSpace(s) {
	case "", "NA", "NaN", "nan", ".", "None":
		return math.NaN(), nil
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if math.IsInf(x, 0) {
		return math.NaN(), nil
	}
	return x, err
}

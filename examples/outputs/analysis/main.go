// Command analysis stands for a researcher's program in phase two: it reads the
// tables of the full selection, as synth tables writes them, and makes what the
// researcher would like to take home: three tables of staff in one year, a
// regression and some summary statistics. rows.csv, the rows behind the tables,
// is for the output check alone and stays inside.
package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"scramblelab/internal/frame"
	"scramblelab/internal/tabio"
)

func main() {
	if len(os.Args) != 3 && (len(os.Args) != 4 || os.Args[3] != "without-one") {
		fmt.Fprintln(os.Stderr, "usage: analysis TABLES RESULTS [without-one]")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], len(os.Args) == 4); err != nil {
		fmt.Fprintln(os.Stderr, "analysis:", err)
		os.Exit(1)
	}
}

const year = "2021"

// levels are the groups of education levels that the tables have beside the 15.
func levels(level string) []string {
	n := 0
	if _, err := fmt.Sscanf(level, "L%d", &n); err != nil {
		return []string{level, "Total"}
	}
	return []string{level, []string{"low", "middle", "high"}[(n-1)/5], "Total"}
}

// row is the staff of one employer with one level.
type row struct {
	serial, group, size, level string
	workers                    int
}

func run(ctx context.Context, tables, results string, withoutOne bool) error {
	rows, err := read(ctx, tables)
	if err != nil {
		return err
	}
	if withoutOne {
		i := slices.IndexFunc(rows, func(r row) bool { return r.size == "1-4" })
		outlier := rows[i].serial
		rows = slices.DeleteFunc(rows, func(r row) bool { return r.serial == outlier })
	}
	if err := os.MkdirAll(results, 0o755); err != nil {
		return err
	}
	behind := []string{"serial,year,group,size,level,workers"}
	for _, r := range rows {
		behind = append(behind, fmt.Sprintf("%s,%s,%s,%s,%s,%d", r.serial, year, r.group, r.size, r.level, r.workers))
	}
	total := []string{"Total"}
	files := map[string][]string{
		"rows.csv": behind,
		"group-level.csv": count("group,level", rows, func(r row) [2][]string {
			return [2][]string{append(total, r.group), levels(r.level)}
		}),
		"size-level.csv": count("size,level", rows, func(r row) [2][]string {
			return [2][]string{append(total, r.size), levels(r.level)}
		}),
		"group-size.csv": count("group,size", rows, func(r row) [2][]string {
			return [2][]string{append(total, r.group), append(total, r.size)}
		}),
	}
	staff, share := perEmployer(rows)
	files["model.csv"] = regress(rows, share)
	files["summary.csv"] = summary(staff)
	for name, lines := range files {
		if err := os.WriteFile(filepath.Join(results, name), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// read joins cells with the group and size of their employer in the year.
func read(ctx context.Context, dir string) ([]row, error) {
	text := func(names ...string) (s tabio.Schema) {
		for _, n := range names {
			s.Columns = append(s.Columns, tabio.ColumnSpec{Name: n, Kind: frame.Category, Required: true})
		}
		return s
	}
	cells, err := tabio.Read(ctx, filepath.Join(dir, "cells.csv"), text("serial", "year", "level"))
	if err != nil {
		return nil, err
	}
	employers, err := tabio.Read(ctx, filepath.Join(dir, "employers.csv"), text("serial", "year", "group", "size_class"))
	if err != nil {
		return nil, err
	}
	label := func(f *frame.Frame, column string, i int) string {
		c := f.Col(column)
		return c.Dict.Label(c.I[i])
	}
	at := map[string]int{}
	for i := range employers.Rows() {
		if label(employers, "year", i) == year {
			at[label(employers, "serial", i)] = i
		}
	}
	var out []row
	for i := range cells.Rows() {
		if label(cells, "year", i) != year {
			continue
		}
		serial := label(cells, "serial", i)
		e := at[serial]
		out = append(out, row{
			serial, label(employers, "group", e), label(employers, "size_class", e), label(cells, "level", i), int(cells.Col("workers").Value(i)),
		})
	}
	return out, nil
}

// count adds up staff and employers by two classifications and their totals.
func count(header string, rows []row, of func(row) [2][]string) []string {
	workers := map[string]int{}
	employers := map[string]map[string]bool{}
	for _, r := range rows {
		by := of(r)
		for _, a := range by[0] {
			for _, b := range by[1] {
				key := a + "," + b
				workers[key] += r.workers
				if employers[key] == nil {
					employers[key] = map[string]bool{}
				}
				employers[key][r.serial] = true
			}
		}
	}
	var out []string
	for key, n := range workers {
		out = append(out, fmt.Sprintf("%s,%d,%d", key, n, len(employers[key])))
	}
	slices.Sort(out)
	return append([]string{header + ",workers,employers"}, out...)
}

// perEmployer returns the staff of every employer, and the share with a degree.
func perEmployer(rows []row) (staff []float64, share map[string]float64) {
	n, degree := map[string]float64{}, map[string]float64{}
	for _, r := range rows {
		n[r.serial] += float64(r.workers)
		if slices.Contains(levels(r.level), "high") {
			degree[r.serial] += float64(r.workers)
		}
	}
	share = map[string]float64{}
	for serial, k := range n {
		staff = append(staff, k)
		share[serial] = degree[serial] / k
	}
	slices.Sort(staff)
	return staff, share
}

// regress compares the share with a degree between groups: means and standard
// errors, as a regression on a constant gives them group by group.
func regress(rows []row, share map[string]float64) []string {
	group := map[string]string{}
	for _, r := range rows {
		group[r.serial] = r.group
	}
	sum, square, n := map[string]float64{}, map[string]float64{}, map[string]float64{}
	serials := make([]string, 0, len(share))
	for s := range share {
		serials = append(serials, s)
	}
	slices.Sort(serials) // sums of floats depend on their order
	for _, s := range serials {
		sum[group[s]] += share[s]
		square[group[s]] += share[s] * share[s]
		n[group[s]]++
	}
	var names []string
	for g := range n {
		names = append(names, g)
	}
	slices.Sort(names)
	out := []string{"group,term,estimate,std.error,n,dof"}
	for _, g := range names {
		mean := sum[g] / n[g]
		se := math.Sqrt(max(0, square[g]/n[g]-mean*mean) / n[g])
		out = append(out, fmt.Sprintf("%s,degree,%.4f,%.4f,%.0f,%.0f", g, mean, se, n[g], n[g]-1))
	}
	return out
}

// summary describes the size of employers.
func summary(staff []float64) []string {
	n := len(staff)
	sum := 0.0
	for _, x := range staff {
		sum += x
	}
	return []string{
		"statistic,variable,value,n,ties",
		fmt.Sprintf("mean,staff,%.2f,%d,", sum/float64(n), n),
		fmt.Sprintf("median,staff,%.0f,%d,", staff[n/2], n),
		fmt.Sprintf("p90,staff,%.0f,%d,", staff[n*9/10], n),
		fmt.Sprintf("max,staff,%.0f,%d,1", staff[n-1], n),
	}
}

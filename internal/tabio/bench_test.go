package tabio

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"scramblelab/internal/frame"
	"scramblelab/internal/rng"
)

// wide11 is a table of jobs: 11 columns of the kinds and sizes that a
// population has.
func wide11(rows int) *frame.Frame {
	r := rng.SecretFromSeed(1).Stream("bench", 0)
	codes := func(n int) []int32 {
		v := make([]int32, rows)
		for i := range v {
			v[i] = int32(r.IntN(n))
		}
		return v
	}
	labels := func(n int) *frame.Dict {
		l := make([]string, n)
		for i := range l {
			l[i] = fmt.Sprintf("label %03d", i)
		}
		return frame.MustDict(l...)
	}
	worker, employer := make([]int32, rows), make([]int32, rows)
	for i := range worker {
		worker[i], employer[i] = int32(i), int32(i/23)
	}
	hired := codes(7000)
	for i := range hired {
		if hired[i] > 700 {
			hired[i] = frame.NoInt
		}
	}
	wage := codes(60000)
	for i := range wage {
		wage[i] += 18000
	}
	return frame.Must(
		frame.Ints("worker_id", worker), frame.Ints("employer_id", employer), frame.Ints("year", codes(19)),
		frame.Codes("level", labels(15), codes(15)), frame.Codes("field", labels(30), codes(30)), frame.Codes("sex", labels(2), codes(2)),
		frame.Ints("age", codes(50)), frame.Ints("wage", wage), frame.Fixed("fte", 2, codes(101)),
		frame.Dates("hired", hired), frame.Dates("left", hired),
	)
}

func sizes() []int { return []int{1e4, 1e5, 1e6} }

func BenchmarkWrite(b *testing.B) {
	for _, ext := range []string{".parquet", ".csv"} {
		for _, rows := range sizes() {
			b.Run(fmt.Sprintf("%s/rows=%.0e", ext[1:], float64(rows)), func(b *testing.B) {
				f := wide11(rows)
				path := filepath.Join(b.TempDir(), "t"+ext)
				for b.Loop() {
					if err := Write(context.Background(), path, f); err != nil {
						b.Fatal(err)
					}
				}
				info, err := os.Stat(path)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
				b.ReportMetric(float64(info.Size())/float64(rows), "bytes/row")
			})
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for _, ext := range []string{".parquet", ".csv"} {
		for _, rows := range sizes() {
			b.Run(fmt.Sprintf("%s/rows=%.0e", ext[1:], float64(rows)), func(b *testing.B) {
				f := wide11(rows)
				path := filepath.Join(b.TempDir(), "t"+ext)
				if err := Write(context.Background(), path, f); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if _, err := Read(context.Background(), path, SchemaOf(f)); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

package outputs_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what the commands print into README.md")

// figures move with the generator of the population, dates with the day and
// hashes with both: every word and every column of the story stays, and figures
// may move by a fifth, or by twenty. Of cells that differ only the first word is
// kept, because which they are moves as well.
var (
	hash   = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	figure = regexp.MustCompile(`\b[0-9]+([.-][0-9]+)*\b`)
	spaces = regexp.MustCompile(`  +`)
	moving = regexp.MustCompile(`^(Difference|Held|           and)\b.*`)
)

// TestREADME runs the commands of README.md and compares what they print.
func TestREADME(t *testing.T) {
	if testing.Short() {
		t.Skip("builds three commands")
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../../cmd/synth", "../../cmd/scramble", "./analysis")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"rules.yaml", "rules-later.yaml"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got strings.Builder
	inside := false
	for _, line := range strings.SplitAfter(string(text), "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			inside = !inside
			got.WriteString(line)
		case inside && strings.HasPrefix(line, "$ "):
			got.WriteString(line)
			got.WriteString(run(t, dir, strings.Fields(line[2:])))
		case !inside:
			got.WriteString(line)
		}
	}
	if *update {
		if err := os.WriteFile("README.md", []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	mask := func(s string) string {
		var out []string
		inside := false
		for _, line := range strings.Split(s, "\n") {
			switch {
			case strings.HasPrefix(line, "```"):
				inside = !inside
			case inside && !strings.HasPrefix(line, "$ "):
				line = moving.ReplaceAllString(line, "$1")
				line = spaces.ReplaceAllString(figure.ReplaceAllString(hash.ReplaceAllString(line, "#"), "#"), " ")
			}
			if n := len(out); n == 0 || out[n-1] != line || !moving.MatchString(line) {
				out = append(out, line)
			}
		}
		return strings.Join(out, "\n")
	}
	if d := cmp.Diff(mask(string(text)), mask(got.String())); d != "" {
		t.Errorf("README.md says otherwise; if that is meant, run go test ./examples/outputs -update (-want +got):\n%s", d)
		return
	}
	was, is := figures(string(text)), figures(got.String())
	if len(was) != len(is) {
		return // in lines that move
	}
	for i, x := range was {
		if d := math.Abs(is[i] - x); d > 20 && d > x/5 {
			t.Errorf("README.md says %v where the commands print %v; run go test ./examples/outputs -update", x, is[i])
		}
	}
}

// figures lists the numbers that commands print, but for lines that move, hashes
// and dates.
func figures(text string) (out []float64) {
	inside := false
	for _, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			inside = !inside
		case inside && !strings.HasPrefix(line, "$ ") && !moving.MatchString(line):
			for _, number := range figure.FindAllString(hash.ReplaceAllString(line, ""), -1) {
				if v, err := strconv.ParseFloat(number, 64); err == nil {
					out = append(out, v)
				}
			}
		}
	}
	return out
}

func run(t *testing.T, dir string, args []string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(dir, args[0]), args[1:]...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == 3:
		fmt.Fprintln(&stdout, "exit status 3")
	case err != nil:
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return stdout.String()
}

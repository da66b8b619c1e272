package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"scramblelab/internal/ledger"
)

const killedRules = `project: p
rules: {minimum-frequency: {n: 5}}
dimensions: [{name: level}, {name: sex}]
tables: [{file: t.csv, dimensions: [level, sex], measures: [{column: workers, is: count}]}]
`

// TestOutputsKilled kills output checks at several moments. What stands in a
// release folder must be in the ledger, whole; a rerun gives the same files.
func TestOutputsKilled(t *testing.T) {
	text := "level,sex,workers\nTotal,Total,155\nTotal,f,81\nTotal,m,74\nL1,Total,60\nL1,f,33\nL1,m,27\nL2,Total,62\nL2,f,45\nL2,m,17\nL3,Total,33\nL3,f,3\nL3,m,30\n"
	moments := map[string]func(dir string) func() bool{
		"the folder to be":  func(dir string) func() bool { return some(dir + "/.out.partial-*") },
		"its release":       func(dir string) func() bool { return some(dir + "/.out.partial-*/release/t.csv") },
		"its report":        func(dir string) func() bool { return some(dir + "/.out.partial-*/internal/report.json") },
		"the ledger":        func(dir string) func() bool { return some(dir + "/project.ledger") },
		"the ledger's lock": func(dir string) func() bool { return some(dir + "/project.ledger.lock") },
		"the folder itself": func(dir string) func() bool { return some(dir + "/out") },
	}
	for _, d := range []time.Duration{5, 15, 30, 60} {
		moments[(d * time.Millisecond).String()] = func(string) func() bool {
			until := time.Now().Add(d * time.Millisecond)
			return func() bool { return time.Now().After(until) }
		}
	}
	args := []string{"outputs", "t.csv", "--rules", "rules.yaml", "-o", "out", "--ledger", "project.ledger"}
	for name, moment := range moments {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "t.csv"), []byte(text))
			write(t, filepath.Join(dir, "rules.yaml"), []byte(killedRules))
			cmd, _ := started(t, dir, args...)
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait(); close(ended) }()
			when(ended, moment(dir))
			cmd.Process.Signal(syscall.SIGKILL)
			for range ended {
			}
			l, err := ledger.Open(filepath.Join(dir, "project.ledger"))
			if err != nil {
				t.Fatalf("the ledger is broken: %v", err)
			}
			first, missing := os.ReadFile(filepath.Join(dir, "out/release/t.csv"))
			t.Logf("release: %v, entries: %d", missing == nil, len(l.Entries()))
			if missing == nil && len(l.Entries()) != 1 {
				t.Errorf("a release that the ledger does not know:\n%s", first)
			}
			again := exec.Command(filepath.Join(programs, "scramble"), append(args, "--force")...)
			again.Dir = dir
			var stderr bytes.Buffer
			again.Stderr = &stderr
			if err := again.Run(); err != nil {
				t.Fatalf("a rerun: %v: %s", err, &stderr)
			}
			second, err := os.ReadFile(filepath.Join(dir, "out/release/t.csv"))
			if err != nil || missing == nil && !bytes.Equal(first, second) || strings.Contains(string(second), "L3,f,3") {
				t.Errorf("%v: the rerun released\n%sand before\n%s", err, second, first)
			}
		})
	}
}

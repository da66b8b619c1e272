package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"synth": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// status N ARGS... runs synth and wants that exit status.
			"status": func(ts *testscript.TestScript, _ bool, args []string) {
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				abs := append([]string(nil), args[1:]...)
				for i, a := range abs { // it runs in this process, elsewhere
					_, err := os.Stat(ts.MkAbs(a))
					if i > 0 && (err == nil && !strings.HasPrefix(a, "-") || a != "-" && slices.Contains([]string{"-o", "--json", "--html", "--targets"}, abs[i-1])) {
						abs[i] = ts.MkAbs(a)
					}
				}
				if got := run(context.Background(), abs, ts.Stdout(), ts.Stderr()); got != want {
					ts.Fatalf("exit status %d, want %d", got, want)
				}
			},
		},
	})
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := filepath.Join(t.TempDir(), "pop")
	var out, errs bytes.Buffer
	if got := run(ctx, []string{"population", "-o", dir, "--employers", "50", "--from", "2010", "--to", "2011"}, &out, &errs); got != 130 {
		t.Errorf("exit status %d, want 130: %s", got, errs.String())
	}
	if !strings.Contains(errs.String(), "nothing was written") {
		t.Errorf("stderr %q, want it to say that nothing was written", errs.String())
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a folder stands there after an interruption")
	}
}

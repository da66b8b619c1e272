package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// programs is the folder of the built command; see TestMain.
var programs string

// TestMain makes the test binary the command where it is called by its name.
func TestMain(m *testing.M) {
	testscript.Main(namedAs{m}, map[string]func(){"scramble": main})
}

// namedAs finds the folder of the command, which testscript puts on the path,
// before the tests run.
type namedAs struct{ *testing.M }

func (m namedAs) Run() int {
	if path, err := exec.LookPath("scramble"); err == nil {
		programs = filepath.Dir(path)
	}
	return m.M.Run()
}

// TestScripts runs the command as a user does. Beside the usual commands,
// scripts have
//
//	status N program args...   run a program, which must end with exit status N
//	mode PERM path...          permissions, in octal
//	files DIR name...          DIR holds exactly these entries
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		Condition:          func(string) (bool, error) { return false, errors.New("no such condition") },
		RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) < 2 {
					ts.Fatalf("usage: status N program args...")
				}
				got := 0
				var exit *exec.ExitError
				if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
					got = exit.ExitCode()
				} else if err != nil {
					ts.Fatalf("%v", err)
				}
				if strconv.Itoa(got) != args[0] {
					ts.Fatalf("exit status %d, want %s", got, args[0])
				}
			},
			"mode": func(ts *testscript.TestScript, neg bool, args []string) {
				want, err := strconv.ParseUint(args[0], 8, 32)
				ts.Check(err)
				for _, path := range args[1:] {
					info, err := os.Stat(ts.MkAbs(path))
					ts.Check(err)
					if got := info.Mode().Perm(); got != fs.FileMode(want) {
						ts.Fatalf("%s has mode %o, want %o", path, got, want)
					}
				}
			},
			"files": func(ts *testscript.TestScript, neg bool, args []string) {
				entries, err := os.ReadDir(ts.MkAbs(args[0]))
				ts.Check(err)
				var got []string
				for _, e := range entries {
					got = append(got, e.Name())
				}
				if want := strings.Join(args[1:], " "); strings.Join(got, " ") != want {
					ts.Fatalf("%s holds %s, want %s", args[0], strings.Join(got, " "), want)
				}
			},
		},
	})
}

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"scramblelab/internal/escrow"
	"scramblelab/internal/metric"
	"scramblelab/internal/release"
)

// started runs the command in a process of its own.
func started(t *testing.T, dir string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs, "scramble"), args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &stderr
}

// when waits until something is there, or the process has ended.
func when(ended <-chan error, there func() bool) {
	for !there() {
		select {
		case <-ended:
			return
		default: // some moments pass in less than a timer's tick
		}
	}
}

func some(pattern string) func() bool {
	return func() bool { found, _ := filepath.Glob(pattern); return len(found) > 0 }
}

// wholeOrAbsent reports whether out stands, and fails where it stands half.
func wholeOrAbsent(t *testing.T, out string) bool {
	t.Helper()
	if _, err := os.Lstat(out); errors.Is(err, os.ErrNotExist) {
		return false
	}
	if _, err := release.Open(t.Context(), filepath.Join(out, "release")); err != nil {
		t.Errorf("half a folder was taken for a whole one: %v", err)
	}
	b, err := os.ReadFile(filepath.Join(out, "internal", "report.json"))
	if err == nil {
		_, err = metric.Decode(b)
	}
	if err != nil {
		t.Errorf("report.json: %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(out, "internal", "report.html")); err != nil || !bytes.Contains(b, []byte("</html>")) {
		t.Errorf("report.html has no end: %v", err)
	}
	if _, err := escrow.Load(out + ".escrow"); err != nil {
		t.Errorf("the release stands and its escrow does not: %v", err)
	}
	return true
}

const killedPlan = "data: {generate: {employers: 100, from: 2017, to: 2021}}\nadversaries: [head-count-only]\nattack: {targets: 100}\n"

// TestKilledHalfWay kills runs at several moments: after a while, and as soon
// as something stands on disk.
func TestKilledHalfWay(t *testing.T) {
	if testing.Short() {
		t.Skip("kills runs")
	}
	moments := map[string]func(dir string) func() bool{
		"the folder to be": func(dir string) func() bool { return some(dir + "/.out.partial-*") },
		"its release":      func(dir string) func() bool { return some(dir + "/.out.partial-*/release/manifest.json") },
		"its report":       func(dir string) func() bool { return some(dir + "/.out.partial-*/internal/report.json") },
		"an escrow to be":  func(dir string) func() bool { return some(dir + "/.out.escrow.partial-*") },
		"the escrow": func(dir string) func() bool {
			return func() bool { _, err := os.Lstat(dir + "/out.escrow"); return err == nil }
		},
		"the folder itself": func(dir string) func() bool { return some(dir + "/out") },
	}
	if !testing.Short() {
		for _, d := range []time.Duration{20, 60, 120, 200, 300, 400} {
			moments[(d * time.Millisecond).String()] = func(string) func() bool {
				until := time.Now().Add(d * time.Millisecond)
				return func() bool { return time.Now().After(until) }
			}
		}
	}
	for name, moment := range moments {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "plan.yaml"), []byte(killedPlan))
			cmd, _ := started(t, dir, "run", "plan.yaml", "-o", "out")
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait(); close(ended) }()
			when(ended, moment(dir))
			cmd.Process.Signal(syscall.SIGKILL)
			for range ended {
			}
			out := filepath.Join(dir, "out")
			whole := wholeOrAbsent(t, out)
			_, noEscrow := os.Lstat(out + ".escrow")
			t.Logf("whole: %v, escrow: %v", whole, noEscrow == nil)

			again := exec.Command(filepath.Join(programs, "scramble"), "run", "plan.yaml", "-o", "out")
			again.Dir = dir
			var stderr bytes.Buffer
			again.Stderr = &stderr
			err := again.Run()
			status := again.ProcessState.ExitCode()
			switch {
			case whole:
				if status != exitError || !strings.Contains(stderr.String(), "out exists already, with its escrow: name another output, or --force replaces both") {
					t.Errorf("a rerun over a whole folder: %v: %s", err, &stderr)
				}
			case noEscrow == nil:
				if status != exitError || !strings.Contains(stderr.String(), "out.escrow exists, and out does not: a run was cut off before its release had a name") {
					t.Errorf("a rerun beside an escrow: %v: %s", err, &stderr)
				}
				forced := exec.Command(filepath.Join(programs, "scramble"), "run", "plan.yaml", "-o", "out", "--force")
				forced.Dir = dir
				if b, _ := forced.CombinedOutput(); forced.ProcessState.ExitCode() != exitGateFailed {
					t.Errorf("--force: %s", b)
				}
			default:
				if status != exitGateFailed {
					t.Errorf("a rerun: %v: %s", err, &stderr)
				}
				left, _ := filepath.Glob(filepath.Join(dir, ".out.*partial-*"))
				for _, l := range left {
					if !strings.Contains(stderr.String(), "left "+l+": remove it") {
						t.Errorf("nobody is told of %s: %s", l, &stderr)
					}
				}
			}
			if !wholeOrAbsent(t, out) {
				t.Error("after a rerun nothing stands")
			}
		})
	}
}

// TestKilledWhileReplacing: whatever stands after a forced run was killed, old or
// new, its escrow is still there, under its name or beside it.
func TestKilledWhileReplacing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills runs")
	}
	program := filepath.Join(programs, "scramble")
	for name, pattern := range map[string]string{"the old escrow": "/.out.escrow.replaced-*", "the old folder": "/.out.replaced-*", "the folder to be": "/.out.partial-*/internal/report.html"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "plan.yaml"), []byte(killedPlan))
			first := exec.Command(program, "run", "plan.yaml", "-o", "out")
			first.Dir = dir
			if b, _ := first.CombinedOutput(); first.ProcessState.ExitCode() != exitGateFailed {
				t.Fatalf("%s", b)
			}
			cmd, _ := started(t, dir, "run", "plan.yaml", "-o", "out", "--force")
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait(); close(ended) }()
			when(ended, some(dir+pattern))
			cmd.Process.Signal(syscall.SIGKILL)
			for range ended {
			}
			folders, _ := filepath.Glob(dir + "/.out.replaced-*")
			if _, err := os.Lstat(filepath.Join(dir, "out")); err == nil {
				folders = []string{filepath.Join(dir, "out")}
			}
			if len(folders) == 0 {
				t.Fatal("neither the old nor the new folder is there")
			}
			escrows, _ := filepath.Glob(dir + "/.out.escrow.replaced-*")
			fits := false
			for _, e := range append(escrows, filepath.Join(dir, "out.escrow")) {
				status, _, _ := called(t, "audit", filepath.Join(folders[0], "release"), "--escrow", e)
				fits = fits || status == exitDone
			}
			if !fits {
				t.Errorf("no escrow fits the release in %s", folders[0])
			}
		})
	}
}

// TestInterrupted: Ctrl-C ends with 130 and a message, and leaves nothing.
func TestInterrupted(t *testing.T) {
	for name, signal := range map[string]os.Signal{"SIGINT": os.Interrupt, "SIGTERM": syscall.SIGTERM} {
		for _, command := range []string{"run", "release"} {
			t.Run(command+" "+name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				write(t, filepath.Join(dir, "plan.yaml"), []byte(strings.Replace(killedPlan, "employers: 100", "employers: 20000", 1)))
				cmd, stderr := started(t, dir, command, "plan.yaml", "-o", "deep/out")
				ended := make(chan error, 1)
				go func() { ended <- cmd.Wait(); close(ended) }()
				when(ended, some(dir+"/deep/.out.partial-*"))
				time.Sleep(50 * time.Millisecond)
				began := time.Now()
				cmd.Process.Signal(signal)
				for range ended {
				}
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("it took %v to stop", took)
				}
				if status := cmd.ProcessState.ExitCode(); status != exitInterrupted || !strings.Contains(stderr.String(), "scramble: interrupted; nothing") {
					t.Errorf("exit status %d, want 130: %s", status, stderr)
				}
				if found, _ := os.ReadDir(dir); len(found) != 1 {
					t.Errorf("%v is left, want the plan alone", found)
				}
			})
		}
	}
}

// TestNoPermission writes where the user may not.
func TestNoPermission(t *testing.T) {
	dir := t.TempDir()
	closed := filepath.Join(dir, "closed")
	write(t, filepath.Join(dir, "plan.yaml"), []byte(killedPlan))
	if err := os.Mkdir(closed, 0o555); err != nil {
		t.Fatal(err)
	}
	// A copy, since nobody may not enter the folder of the test binary.
	program, err := os.ReadFile(filepath.Join(programs, "scramble"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "scramble"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "scramble"), "run", "plan.yaml", "-o", "closed/out")
	cmd.Dir = dir
	if os.Geteuid() == 0 { // whom no permission stops
		for d := dir; within(d, os.TempDir()); d = filepath.Dir(d) {
			if err := os.Chmod(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	b, err := cmd.CombinedOutput()
	if errors.Is(err, os.ErrPermission) {
		t.Skip("nobody may not run a program here")
	}
	if cmd.ProcessState.ExitCode() != exitError || !strings.Contains(string(b), "closed/") || !strings.Contains(string(b), "permission denied") {
		t.Errorf("%v: %s", err, b)
	}
	if found, _ := os.ReadDir(closed); len(found) > 0 {
		t.Errorf("%v is left", found)
	}
}

// within reports whether path lies below dir.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != "." && filepath.IsLocal(rel)
}

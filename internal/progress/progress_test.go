package progress_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"scramblelab/internal/par"
	"scramblelab/internal/progress"

	"github.com/google/go-cmp/cmp"
)

// clock is a time that moves only when the test says so.
type clock struct{ t time.Time }

func newClock() *clock { return &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time { return c.t }

func TestNilFuncIsSilent(t *testing.T) {
	var f progress.Func
	f.Step("attack", 1, 2) // must not panic
}

func TestLines(t *testing.T) {
	type step struct {
		after       time.Duration // since the step before
		stage       string
		done, total int
	}
	tests := []struct {
		name, why string
		steps     []step
		want      string
	}{{
		name:  "short stage",
		why:   "a log of a run of a few seconds stays empty",
		steps: []step{{0, "select", 0, 10}, {time.Second, "select", 5, 10}, {900 * time.Millisecond, "select", 10, 10}},
	}, {
		name:  "one line",
		why:   "the promised form",
		steps: []step{{0, "attack", 0, 3000}, {12 * time.Second, "attack", 1200, 3000}},
		want:  "attack: 1,200 of 3,000 (40 %), 12 s\n",
	}, {
		name: "many steps",
		why:  "at most a line every ten seconds, however often the work reports",
		steps: []step{{0, "attack", 0, 100}, {2 * time.Second, "attack", 10, 100}, {9 * time.Second, "attack", 20, 100},
			{time.Second, "attack", 30, 100}, {5 * time.Second, "attack", 40, 100}},
		want: "attack: 10 of 100 (10 %), 2 s\nattack: 30 of 100 (30 %), 12 s\n",
	}, {
		name: "two stages at once",
		why:  "the limit is one for the whole log, the time one for each stage",
		steps: []step{{0, "a", 0, 4}, {5 * time.Second, "b", 0, 4}, {5 * time.Second, "a", 1, 4},
			{time.Second, "b", 1, 4}, {10 * time.Second, "b", 2, 4}},
		want: "a: 1 of 4 (25 %), 10 s\nb: 2 of 4 (50 %), 16 s\n",
	}, {
		name:  "out of order",
		why:   "workers that report late do not move a stage back",
		steps: []step{{0, "a", 5, 10}, {time.Second, "a", 7, 10}, {2 * time.Second, "a", 6, 10}},
		want:  "a: 7 of 10 (70 %), 3 s\n",
	}, {
		name:  "unknown end",
		why:   "no share of an unknown total",
		steps: []step{{0, "read", 0, 0}, {3 * time.Second, "read", 1_234_567, 0}},
		want:  "read: 1,234,567, 3 s\n",
	}, {
		name:  "almost done",
		why:   "100 % is said only of finished work",
		steps: []step{{0, "a", 0, 1000}, {3 * time.Second, "a", 999, 1000}},
		want:  "a: 999 of 1,000 (99 %), 3 s\n",
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got bytes.Buffer
			c := newClock()
			f, stop := progress.Render(&got, false, c.now)
			for _, s := range tt.steps {
				c.t = c.t.Add(s.after)
				f.Step(s.stage, s.done, s.total)
			}
			stop()
			c.t = c.t.Add(time.Hour)
			f.Step("late", 1, 2)
			if diff := cmp.Diff(tt.want, got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.why, diff)
			}
		})
	}
}

// screen returns what a terminal shows on its line after the bytes of s: a
// carriage return goes back to the start, ESC [ 2 K erases the line.
func screen(s string) string {
	var line []rune
	at := 0
	rest := []rune(s)
	for i := 0; i < len(rest); i++ {
		switch {
		case strings.HasPrefix(string(rest[i:min(i+4, len(rest))]), "\x1b[2K"):
			clear(line)
			i += 3
		case rest[i] == '\r':
			at = 0
		case at < len(line):
			line[at] = rest[i]
			at++
		default:
			line = append(line, rest[i])
			at++
		}
	}
	return strings.TrimRight(strings.ReplaceAll(string(line), "\x00", " "), " ")
}

func TestBar(t *testing.T) {
	var got bytes.Buffer
	f, stop := progress.Render(&got, true, time.Now)
	f.Step("attack", 1, 4)
	f.Step("attack", 2, 4)
	if s := screen(got.String()); !strings.Contains(s, "attack") || !strings.Contains(s, "/4)") {
		t.Errorf("a running stage shows %q, want a bar of 4 with its name", s)
	}
	f.Step("score", 1, 8)
	if s := screen(got.String()); !strings.Contains(s, "score") || strings.Contains(s, "attack") {
		t.Errorf("the next stage shows %q, want its bar alone", s)
	}
	stop()
	if s := screen(got.String()); s != "" {
		t.Errorf("after the end the line shows %q, want it empty", s)
	}
	n := got.Len()
	stop()
	f.Step("score", 2, 8)
	if got.Len() != n {
		t.Errorf("steps after the end wrote %q", got.String()[n:])
	}
}

func TestBarClearsAtTheEndOfEveryStage(t *testing.T) {
	for _, total := range []int{1, 3, 100} {
		var got bytes.Buffer
		f, stop := progress.Render(&got, true, time.Now)
		for i := range total {
			f.Step("publish", i+1, total)
		}
		if s := screen(got.String()); s != "" {
			t.Errorf("after %d of %d the line shows %q, want it empty", total, total, s)
		}
		f.Step("publish", total, total) // a late worker
		stop()
		if s := screen(got.String()); s != "" {
			t.Errorf("after the end the line shows %q, want it empty", s)
		}
	}
}

func TestBarOfUnknownLength(t *testing.T) {
	var got bytes.Buffer
	f, stop := progress.Render(&got, true, time.Now)
	f.Step("read", 1200, 0)
	if s := screen(got.String()); !strings.Contains(s, "read: 1,200") {
		t.Errorf("shows %q, want the stage and its count", s)
	}
	stop()
	if s := screen(got.String()); s != "" {
		t.Errorf("after the end the line shows %q, want it empty", s)
	}
}

// The race detector judges this test, and every line must be whole.
func TestConcurrentSteps(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		t.Run(fmt.Sprintf("terminal=%v", terminal), func(t *testing.T) {
			var mu sync.Mutex
			at := newClock().t
			now := func() time.Time {
				mu.Lock()
				defer mu.Unlock()
				at = at.Add(time.Second)
				return at
			}
			var got bytes.Buffer
			f, stop := progress.Render(&got, terminal, now)
			if err := par.Do(context.Background(), 200, func(i int) error {
				f.Step(fmt.Sprintf("stage %d", i%3), i, 200)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			stop()
			if terminal {
				if s := screen(got.String()); s != "" {
					t.Errorf("after the end the line shows %q, want it empty", s)
				}
				return
			}
			lines := strings.Split(strings.TrimSuffix(got.String(), "\n"), "\n")
			if len(lines) < 15 || len(lines) > 20 {
				t.Errorf("got %d lines in 200 s, want about one every 10 s", len(lines))
			}
			for _, l := range lines {
				if !strings.HasPrefix(l, "stage ") || !strings.HasSuffix(l, " s") {
					t.Errorf("broken line %q", l)
				}
			}
		})
	}
}

package progress

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// A line says nothing of a stage younger than quiet, and the next one comes
// no sooner than interval after the last.
const (
	quiet    = 2 * time.Second
	interval = 10 * time.Second
)

// Render returns a Func that shows progress on w, and a function that ends the
// showing: it removes the bar, and later steps are ignored. On a terminal it
// draws a bar. Elsewhere it writes a line at most every ten seconds, such as
//
//	attack: 1,200 of 3,000 (40 %), 12 s
//
// and none for a stage that takes less than two. A total below 1 means that
// the end is unknown. now tells the time ([time.Now] but in tests). Both functions may be called from several goroutines, and steps that
// arrive out of order never move a stage back. Errors of w are ignored:
// progress must not stop the work.
func Render(w io.Writer, terminal bool, now func() time.Time) (Func, func()) {
	if terminal {
		b := &bar{w: w, now: now}
		return b.step, b.stop
	}
	l := &lines{w: w, now: now, stages: map[string]*stage{}}
	return l.step, l.stop
}

// lines shows progress in a log.
type lines struct {
	mu     sync.Mutex
	w      io.Writer
	now    func() time.Time
	stages map[string]*stage
	last   time.Time // of the last line, of whatever stage
	ended  bool
}

type stage struct {
	start time.Time
	done  int
}

func (l *lines) step(name string, done, total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	t := l.now()
	s := l.stages[name]
	if s == nil {
		s = &stage{start: t}
		l.stages[name] = s
	}
	s.done = max(s.done, done)
	took := t.Sub(s.start)
	if took < quiet || (!l.last.IsZero() && t.Sub(l.last) < interval) {
		return
	}
	l.last = t
	_, _ = fmt.Fprintf(l.w, "%s, %d s\n", state(name, s.done, total), int(took.Seconds()))
}

func (l *lines) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}

// redraw is how often a bar changes at most.
const redraw = 100 * time.Millisecond

// bar shows the stage that last reported on one line of a terminal.
type bar struct {
	mu    sync.Mutex
	w     io.Writer
	now   func() time.Time
	name  string
	total int
	done  int
	bar   *progressbar.ProgressBar // nil while nothing is drawn, or the end is unknown
	text  time.Time                // when a stage of unknown end was last written, zero for none
	ended bool
}

func (b *bar) step(name string, done, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	if name != b.name || total != b.total {
		b.clear()
		b.name, b.total, b.done = name, total, 0
		if total > 0 {
			b.bar = b.draw()
		}
	}
	if done <= b.done {
		return
	}
	b.done = done
	switch {
	case total < 1:
		if t := b.now(); t.Sub(b.text) >= redraw {
			b.text = t
			_, _ = fmt.Fprintf(b.w, "%s%s", eraseLine, state(name, done, total))
		}
	case b.bar != nil:
		_ = b.bar.Set(min(done, total))
		if done >= total {
			b.clear()
		}
	}
}

func (b *bar) draw() *progressbar.ProgressBar {
	return progressbar.NewOptions(b.total,
		progressbar.OptionSetWriter(b.w),
		progressbar.OptionSetDescription(b.name),
		progressbar.OptionSetWidth(30),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(redraw),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetRenderBlankState(true),
	)
}

// eraseLine is the escape sequence that empties the cursor's line, and a
// return to its start.
const eraseLine = "\x1b[2K\r"

// clear removes what is drawn from the line.
func (b *bar) clear() {
	if b.bar != nil || !b.text.IsZero() {
		_, _ = io.WriteString(b.w, eraseLine)
	}
	b.bar, b.text = nil, time.Time{}
}

func (b *bar) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	b.ended = true
}

// state says how far a stage is, without the time it took.
func state(name string, done, total int) string {
	if total < 1 {
		return fmt.Sprintf("%s: %s", name, grouped(done))
	}
	return fmt.Sprintf("%s: %s of %s (%d %%)", name, grouped(done), grouped(total), int(100*float64(done)/float64(total)))
}

// grouped writes a count with commas between thousands.
func grouped(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return grouped(n/1000) + fmt.Sprintf(",%03d", n%1000)
}

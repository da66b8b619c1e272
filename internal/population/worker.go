package population

import "math"

// worker is what the skeleton knows of a worker.
type worker struct {
	origin int32  // first employer
	entry  uint32 // year and ordinal of the opening in which it was first seen
	id     int32  // in the tables, once workers are numbered
	cell   uint16
	age    uint8 // then
	woman  bool
	effect float32 // log wage everywhere, but for the Pareto top
}

// address is where a worker's streams are found. It names the opening in which
// the worker was first seen, not its turn among workers, so that the same
// opening of another world brings the same person.
func (w *worker) address() uint64 { return addressOf(w.origin, w.entry) }

func addressOf(employer int32, entry uint32) uint64 {
	return uint64(employer)<<(entryYearBits+entryBits) | uint64(entry)
}

const (
	entryBits     = 24 // openings of one employer in one year
	entryYearBits = 5
	entryShort    = 1 << (entryBits - 1) // from here on, those of a few weeks
)

// entryOf numbers an opening of an employer; those of the staff with which the
// window opens are of the year before.
func (s *skeleton) entryOf(year, ordinal int) uint32 {
	return uint32(year-s.firstEntry())<<entryBits | uint32(ordinal)
}

func (s *skeleton) firstEntry() int { return s.c.Window.First - 1 }

// since is the year in which the worker was first seen.
func (s *skeleton) since(w *worker) int { return s.firstEntry() + int(w.entry>>entryBits) }

// birth is the year in which the worker was born.
func (s *skeleton) birth(w *worker) int16 { return int16(s.since(w) - int(w.age)) }

// workerYear is the address of a worker's year.
func workerYear(address uint64, year int) uint64 { return address<<12 | uint64(year) }

// spell is one worker's uninterrupted stay with one employer, in days since
// 1970-01-01, both included. worker is the complement of the worker's number
// where the job is a second one.
type spell struct{ worker, from, to int32 }

func (s spell) who() int32   { return max(s.worker, ^s.worker) }
func (s spell) second() bool { return s.worker < 0 }

const stillThere = int32(math.MaxInt32)

// stay is a spell that lasts, beside what its end depends on.
type stay struct {
	address uint64
	worker  int32
	from    int32
	birth   int16
	cell    uint16
	senior  int16 // years of service that a takeover carried over
	second  bool  // beside another job

	moonlights bool // takes second jobs
}

// spell is the stay as it ends on a day.
func (a *stay) spell(to int32) spell {
	if a.second {
		return spell{^a.worker, a.from, to}
	}
	return spell{a.worker, a.from, to}
}

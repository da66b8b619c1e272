// Package progress says how far a long piece of work has come.
package progress

// Func is told that done of total pieces of a stage are finished. Stages come
// one after the other; total is at least 1 and done reaches it. It may be
// called from several goroutines, though never at the same time, and it must
// return quickly. A nil Func is allowed wherever one is asked for and means
// that nobody listens.
type Func func(stage string, done, total int)

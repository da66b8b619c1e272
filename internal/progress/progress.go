// Package progress tells how far a long piece of work has come. Libraries
// accept a [Func] and call it; only a command decides whether and where to
// show it.
package progress

// Func is told that done of total pieces of a stage are finished. A nil Func
// is silent: call [Func.Step], never the function itself.
type Func func(stage string, done, total int)

// Step reports progress, and does nothing where nobody listens.
func (f Func) Step(stage string, done, total int) {
	if f != nil {
		f(stage, done, total)
	}
}

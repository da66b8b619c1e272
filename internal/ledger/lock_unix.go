//go:build unix

package ledger

import (
	"os"
	"path/filepath"
	"syscall"
)

// lock takes the folder of a ledger for one program. The system gives it back
// when that program ends, however it ends.
func lock(path string) (unlock func(), err error) {
	f, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

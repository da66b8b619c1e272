//go:build !linux

package program

import (
	"context"
	"os"
)

// CanConfine reports that this system has nothing to confine a program in.
func CanConfine() bool { return false }

// ConfinesFiles reports the same of files.
func ConfinesFiles() bool { return false }

func execute(ctx context.Context, j job, _ bool, files []*os.File) (*os.ProcessState, error) {
	p, err := os.StartProcess(j.command[0], j.command, &os.ProcAttr{Dir: j.scratch, Env: environment(j), Files: files})
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { p.Kill() }) //nolint:errcheck // it may have ended by itself
	defer stop()
	return p.Wait()
}

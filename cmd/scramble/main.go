// Command scramble scrambles linked employer-worker data, publishes the
// release, lets simulated intruders loose on it, measures what analysis keeps
// and judges the result.
//
// Results go to the folder named by -o, the summary to standard output,
// progress and warnings to standard error. Nothing is overwritten without
// --force, and a folder that holds files of others not even then.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit statuses of the built binary.
const (
	exitDone        = 0
	exitError       = 1
	exitUsage       = 2
	exitGateFailed  = 3
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// errUsage marks wrong flags or arguments, errGate a verdict that is no error.
type errUsage struct{ error }

var errGate = errors.New("a gate failed")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot(stdout, stderr)
	root.SetArgs(args)
	// A misspelt command comes before the flags that were meant for it.
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if cmd == root && len(args) > 0 && !strings.HasPrefix(args[0], "-") {
			return noArgs(cmd, args)
		}
		return errUsage{err}
	})
	err := root.ExecuteContext(ctx)
	var usage errUsage
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errGate):
		return exitGateFailed
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "scramble: interrupted; nothing half-written was left under its final name")
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "scramble: %v\nRun 'scramble --help' for usage.\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "scramble: %v\n", err)
	return exitError
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "scramble",
		Short: "Scramble linked employer-worker data and measure the risk that is left",
		Long: `Scramble linked employer-worker data by swapping attributes between people,
publish the release, attack it as an intruder would, measure what analysis
keeps, and judge the result against a policy.

Start with

  scramble run -o out

which generates a population, scrambles a fragment of 3,000 employers as the
Crossroads Bank would hand it over, and writes out/internal/report.html.

EXIT STATUS
  0 done and passed    1 error    2 wrong flags or arguments
  3 a gate failed, or an audit found a leak    130 interrupted`,
		SilenceUsage: true, SilenceErrors: true, Args: noArgs, SuggestionsMinimumDistance: 2,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(newRun(), newInit(), newRelease(), newFidelity(), newAttack(), newTune(), newGate(), newCompare(), newBench(), newReport(), newAudit(), newDestroy(), newOutputs())
	return root
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		meant := ""
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			meant = fmt.Sprintf(" (did you mean %q?)", near[0])
		}
		return errUsage{fmt.Errorf("unknown command %q%s", args[0], meant)}
	}
	return nil
}

// nArgs wants between low and high arguments and says what they are.
func nArgs(low, high int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < low || len(args) > high {
			return errUsage{fmt.Errorf("want %s, got %d arguments", what, len(args))}
		}
		return nil
	}
}

// Command synth generates linked employer-worker data with known effects.
//
// Results and what was written go to standard output, progress and errors to
// standard error. Exit status: 0 done, 1 an error, 2 wrong flags or arguments,
// 3 check found a sourced target missed, 130 interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// usageError is a mistake in flags or arguments.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// run is the whole command; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "synth",
		Short: "generate linked employer-worker data with known effects",
		Long: `Synth generates employers, their public annual accounts, their main buyers, and
their workers over the years, as a Belgian warehouse would hold them, with
automation events whose effects on staff and wages are known because they were
planted. No person and no employer in them exists.

EXIT STATUS
  0 done   1 an error   2 wrong flags or arguments
  3 check found a sourced target missed   130 interrupted`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q: try synth --help", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w: try %s --help", err, cmd.CommandPath())}
	})
	root.AddCommand(newPopulationCommand(), newConfigCommand(), newTablesCommand(), newCheckCommand())
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var usage usageError
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(stderr, "synth: interrupted; nothing was written")
		return 130
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "synth:", err)
		return 2
	case errors.Is(err, errUnreal):
		return 3
	}
	fmt.Fprintln(stderr, "synth:", err)
	return 1
}

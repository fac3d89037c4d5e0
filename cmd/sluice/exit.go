package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sluice/internal/replicate"
)

// The exit statuses that scripts are written against (docs/OPERATIONS.md).
const (
	exitWell   = 0
	exitFailed = 1 // a later run may succeed
	exitUsage  = 2
	exitHalted = 3 // an operator has to judge
)

var (
	// errFailed is returned when a table or a check failed and said so itself.
	errFailed = errors.New("failed")
	// errHalted is returned when a table is halted and said so itself.
	errHalted = errors.New("halted")
)

// usagef returns an error that ends in exit status 2.
func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %w", replicate.ErrUsage, fmt.Errorf(format, args...))
}

// usageArgs makes what a check of arguments finds wrong usage.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usagef("%w; see %s --help", err, c.CommandPath())
		}
		return nil
	}
}

// status prints an error that nobody has printed, and returns the exit status.
func (a *app) status(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return exitWell
	case errors.Is(err, replicate.ErrUsage):
		fmt.Fprintln(a.stderr, "sluice:", err)
		return exitUsage
	case ctx.Err() != nil:
		fmt.Fprintln(a.stderr, "sluice: interrupted; the next run goes on where this one stopped")
		return exitFailed
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.Is(err, errHalted):
		return exitHalted
	default:
		fmt.Fprintln(a.stderr, "sluice:", err)
		return exitFailed
	}
}

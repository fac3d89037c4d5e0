package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/replicate"
	"sluice/internal/setting"
)

func compactCommand(a *app, o *options) *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use:   "compact TABLE",
		Short: "Put a table's small lake files together, split its large ones",
		Long: `Lays a table's lake files out anew: unites files below half of --target-file-bytes
with those next to them in the same partition, splits files above twice of it, and
writes again files of many small row groups. No row changes. Files whose columns have
other types than the table's are united only among themselves.

It goes on commit by commit, each of up to eight times the target size, until nothing
is left to do. Readers see the rows of a commit twice for a moment. What it emptied stays
until the janitor deletes it. It may die anywhere: the next run finishes what it began.
Runs leave the table alone meanwhile. --compact lets runs do this by themselves.
Exit status: 2 when the table is halted or off, 3 when something halted it.`,
		Example: `  sluice compact sampledb.product --dry-run
  sluice compact sampledb.product --target-file-bytes 256MiB`,
		Args:              usageArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: a.tableNames(o, func(t replicate.Table) bool { return t.Active }),
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "say what it would do, and change nothing")
	c.RunE = func(c *cobra.Command, args []string) error {
		if dry {
			return a.forecastOne(c.Context(), o, args[0], forecasting{engine.ForecastCompact, compactText})
		}
		return a.workOn(c.Context(), o, args[0], engine.Compact)
	}
	return c
}

// workOn does something to the lake of one table and prints what it did.
func (a *app) workOn(ctx context.Context, o *options, table string, do func(engine, context.Context, string) (replicate.Result, error)) error {
	o.limited = true
	b := a.bar("lake files")
	e, err := a.open(ctx, o, watcher{log: o.logger(a), progress: b.progress, now: a.now})
	if err != nil {
		return err
	}
	out, worst := a.output(o, b), &outcome{}
	r, err := do(e, ctx, table)
	b.clear()
	if err != nil {
		return err
	}
	out.print(r, resultText(r, o.verbose))
	worst.add(r.Action)
	return cmp.Or(ctx.Err(), out.err, worst.err())
}

// forecasting is what would be done to one table, and how it is told.
type forecasting struct {
	of   func(engine, context.Context, string) (replicate.Forecast, error)
	text func(f replicate.Forecast, verbose bool) string
}

// forecastOne says what would be done to one table.
func (a *app) forecastOne(ctx context.Context, o *options, table string, do forecasting) error {
	e, err := a.open(ctx, o, a.quiet(o))
	if err != nil {
		return err
	}
	f, err := do.of(e, ctx, table)
	if err != nil {
		return err
	}
	out, worst := a.output(o, nil), &outcome{}
	out.print(f, do.text(f, o.verbose))
	worst.add(f.Action)
	return cmp.Or(ctx.Err(), out.err, worst.err())
}

func compactText(f replicate.Forecast, verbose bool) string {
	if f.Action != replicate.Compacted {
		return forecastText(f, verbose)
	}
	lines := []string{fmt.Sprintf("%-*s  %-10s  %s of %s to lie in %s; about %s to read, %s to write",
		tableWidth, f.Table, f.Action, count(f.Rows, "row"), count(f.Rewritten, "lake file"), count(f.FilesCreated, "new one"),
		setting.Bytes(f.BytesToRead), setting.Bytes(f.BytesToWrite))}
	if verbose {
		for _, key := range f.Files {
			lines = append(lines, "    empty: "+key)
		}
	}
	return strings.Join(lines, "\n")
}

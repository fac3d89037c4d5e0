package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sluice/scripts/dmsgen"
)

// benchFlags are the flags of dmsgen bench.
type benchFlags struct {
	common
	seed uint64
	rows int64
}

func benchCommand() *cobra.Command {
	var f benchFlags
	c := &cobra.Command{
		Use: "bench --dir D", Short: "Write the benchmark's inputs: lineitem and three sets of changes",
		Long: `Below --dir: raw/bench/lineitem/LOAD… is the full load; random/ has updates of
one row in a hundred, anywhere, with every value new; columns/ the same with two
new values each; tail/ has 10,000 updates among the last 2 % of the keys and 1,000
inserts behind them. Copy one of them over raw/ to run it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return writeBench(c, &f) },
	}
	f.register(c)
	c.Flags().Uint64Var(&f.seed, "seed", 1, "seed of the rows")
	c.Flags().Int64Var(&f.rows, "rows", 1_000_000, "rows of the full load")
	return c
}

func writeBench(c *cobra.Command, f *benchFlags) error {
	ctx, items, start := c.Context(), dmsgen.NewLineItem(f.seed), time.Now()
	raw, err := f.writer("raw")
	if err != nil {
		return err
	}
	if err := items.Load(ctx, raw, f.rows, clock()); err != nil {
		return err
	}
	if err := f.writeChanges(ctx, "random", items.RandomUpdates(f.rows, int(f.rows/100))); err != nil {
		return err
	}
	if err := f.writeChanges(ctx, "columns", items.PriceUpdates(f.rows, int(f.rows/100))); err != nil {
		return err
	}
	if err := f.writeChanges(ctx, "tail", items.TailChanges(f.rows, 10_000, 1_000)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%d rows in %.1f s below %s\n", f.rows, time.Since(start).Seconds(), f.dir)
	return err
}

func (f *benchFlags) writeChanges(ctx context.Context, sub string, changes []dmsgen.Change) error {
	w, err := f.writer(sub)
	if err != nil {
		return err
	}
	_, err = w.WriteBatches(ctx, dmsgen.NewLineItem(f.seed).Table, clock().Add(time.Hour), changes)
	return err
}

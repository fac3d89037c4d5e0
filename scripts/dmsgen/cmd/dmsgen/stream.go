package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sluice/scripts/dmsgen"
)

// streamFlags are the flags of dmsgen stream.
type streamFlags struct {
	common
	seed                  uint64
	tables, rows, changes int
	mix                   []int
}

func streamCommand() *cobra.Command {
	var f streamFlags
	c := &cobra.Command{
		Use: "stream --dir D", Short: "Write random tables: a full load and CDC files each", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return writeStreams(c.Context(), &f) },
	}
	f.register(c)
	flags := c.Flags()
	flags.Uint64Var(&f.seed, "seed", 1, "seed of the first table; the next has the next")
	flags.IntVar(&f.tables, "tables", 1, "tables")
	flags.IntVar(&f.rows, "rows", 10_000, "rows of each full load")
	flags.IntVar(&f.changes, "changes", 1_000, "changes of each table")
	flags.IntSliceVar(&f.mix, "mix", []int{10, 80, 10}, "weights of I,U,D")
	return c
}

func writeStreams(ctx context.Context, f *streamFlags) error {
	if len(f.mix) != 3 {
		return fmt.Errorf("--mix has %d weights, not I,U,D", len(f.mix))
	}
	mix := dmsgen.Mix{Inserts: f.mix[0], Updates: f.mix[1], Deletes: f.mix[2]}
	w, err := f.writer("")
	if err != nil {
		return err
	}
	for i := range f.tables {
		seed := f.seed + uint64(i)
		if err := f.writeStream(ctx, w, dmsgen.NewStream(seed, dmsgen.RandomTable(seed), mix)); err != nil {
			return err
		}
	}
	return nil
}

// writeStream holds one file in memory at a time.
func (f *streamFlags) writeStream(ctx context.Context, w *dmsgen.Writer, s *dmsgen.Stream) error {
	load, err := w.StartLoad(s.Table, clock())
	if err != nil {
		return err
	}
	for range f.rows {
		if err := load.Append(ctx, s.Row()); err != nil {
			return err
		}
	}
	if err := load.Close(ctx); err != nil {
		return err
	}
	at, size := clock(), max(1, f.settings.BatchSize)
	for left := f.changes; left > 0; left -= size {
		at = at.Add(time.Minute)
		if _, err := w.WriteChanges(ctx, s.Table, at, s.Changes(min(left, size))...); err != nil {
			return err
		}
	}
	return nil
}

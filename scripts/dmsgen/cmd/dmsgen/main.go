// Command dmsgen fills a raw directory with what DMS would write: random
// tables and change streams, the benchmark's lineitem, or the sample database.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"

	"sluice/scripts/dmsgen"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "dmsgen:", err)
		os.Exit(1)
	}
}

func root() *cobra.Command {
	c := &cobra.Command{
		Use: "dmsgen", Short: "Write files as AWS DMS does: synthetic data to try change data capture with",
		SilenceUsage: true, SilenceErrors: true,
	}
	c.AddCommand(streamCommand(), benchCommand(), sampleCommand())
	return c
}

// clock is the time of the first file: fixed, so that equal flags give equal files.
func clock() time.Time { return time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) }

func sampleCommand() *cobra.Command {
	var f common
	c := &cobra.Command{
		Use: "sample --dir D", Short: "Write the sample database: its full load and two rounds of changes", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return writeSample(c.Context(), &f) },
	}
	f.register(c)
	return c
}

func writeSample(ctx context.Context, f *common) error {
	w, err := f.writer("")
	if err != nil {
		return err
	}
	sample := dmsgen.NewSample(clock())
	for _, t := range sample.Tables() {
		if _, err := w.WriteLoad(ctx, t, clock(), sample.Rows(t.Name)...); err != nil {
			return err
		}
	}
	for i, round := range [][]dmsgen.TableChanges{sample.RoundOne(), sample.RoundTwo()} {
		for _, c := range round {
			if _, err := w.WriteChanges(ctx, c.Table, clock().Add(time.Duration(i+1)*time.Hour), c.Changes...); err != nil {
				return err
			}
		}
	}
	return nil
}

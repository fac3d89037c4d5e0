package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/replicate"
	"sluice/internal/setting"
)

func rebuildCommand(a *app, o *options) *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use:   "rebuild TABLE",
		Short: "Write a table's lake files again from raw",
		Long: `Writes a fresh generation of a table's lake files from what DMS wrote, and puts it
in the place of whatever is in the lake: files that were lost, changed or broken
by somebody else, rows that are there twice, a layout of many small files, an old
compression or partition key. The settings of now hold for the fresh files.

Raw must still have everything that the lake was made from: the full load and every
change file since. That is looked at first, and what is missing is named; then only a
new full load helps. The table stays usable and up to date all the while: rows
are made beside the lake, then exchanged by one commit. Readers see rows twice for a
moment, never an older state and never a part. A rebuild that dies has changed
nothing, or is finished by the next run. It takes about the lake's size in storage,
which is kept until the janitor cleans up.
Exit status: 2 when it cannot be done as things are, 3 when an input stops it.`,
		Example: `  sluice rebuild sampledb.product --dry-run
  sluice rebuild sampledb.product --target-file-bytes 256MiB`,
		Args:              usageArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: a.tableNames(o, func(t replicate.Table) bool { return t.Active }),
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "say what it would do, and change nothing")
	c.RunE = func(c *cobra.Command, args []string) error {
		if dry {
			return a.forecastOne(c.Context(), o, args[0], forecasting{engine.ForecastRebuild, rebuildText})
		}
		return a.workOn(c.Context(), o, args[0], engine.Rebuild)
	}
	return c
}

func rebuildText(f replicate.Forecast, verbose bool) string {
	if f.Action != replicate.Rebuilt {
		return forecastText(f, verbose)
	}
	lines := []string{fmt.Sprintf("%-*s  %-10s  from %s in raw, which are all there; in place of %s in %s; about %s to read, %s to write",
		tableWidth, f.Table, f.Action, count(int64(len(f.Inputs)), "file"), count(f.Rows, "row"), count(f.Rewritten, "lake file"),
		setting.Bytes(f.BytesToRead), setting.Bytes(f.BytesToWrite))}
	if verbose {
		for _, key := range f.Inputs {
			lines = append(lines, "    input: "+key)
		}
		for _, key := range f.Files {
			lines = append(lines, "    empty: "+key)
		}
	}
	return strings.Join(lines, "\n")
}
